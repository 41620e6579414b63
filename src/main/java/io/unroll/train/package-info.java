/**
 * Training: optimizers, clipping, learning-rate schedules, the {@link io.unroll.train.Trainer} with
 * its listeners, checkpoints and measures; the {@link io.unroll.train.Model} that keeps how it
 * reads and tells, and the character model {@link io.unroll.train.CharRnn}.
 */
package io.unroll.train;
