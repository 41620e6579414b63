/**
 * Training: optimizers, clipping, learning-rate schedules, the {@link io.unroll.train.Trainer} with
 * its listeners, checkpoints and measures; the {@link io.unroll.train.Model} that keeps how it
 * reads and tells; the character model {@link io.unroll.train.CharRnn}, which {@link
 * io.unroll.train.Observation} and {@link io.unroll.train.UnitRanking} look into.
 */
package io.unroll.train;
