/**
 * Training: optimizers, clipping, learning-rate schedules, the {@link io.unroll.train.Trainer} with
 * its listeners, checkpoints, and the character model {@link io.unroll.train.CharRnn}.
 */
package io.unroll.train;
