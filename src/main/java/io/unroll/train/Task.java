package io.unroll.train;

import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;

/** What a {@link Trainer} trains on, or measures a model with: batches and their loss. */
public interface Task {
  /** How many batches there are in one pass over the data, at least 1. */
  int batchesPerEpoch();

  /**
   * Called before the first batch of every pass, not when a pass is resumed: the place to clear
   * carried states.
   *
   * @param epoch 0 for the first pass
   */
  default void beginEpoch(int epoch) {}

  /**
   * Builds the loss of a batch on a tape whose step has begun.
   *
   * @param epoch which pass, 0 for the first: what a random order of the data depends on
   * @param batch in [0, batchesPerEpoch)
   * @return one element, a mean over what the batch holds
   */
  Tensor loss(Tape tape, int epoch, int batch);
}
