package io.unroll.train;

import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;

/** What a {@link Trainer} trains on, or measures a model with: batches and their loss. */
public interface Task {
  /** How many batches there are in one pass over the data, at least 1. */
  int batchesPerEpoch();

  /**
   * Called before the first batch of every pass: the place to shuffle and to clear carried states.
   *
   * @param epoch 0 for the first pass
   */
  default void beginEpoch(int epoch) {}

  /**
   * Builds the loss of a batch on a tape whose step has begun.
   *
   * @param batch in [0, batchesPerEpoch)
   * @return one element, a mean over what the batch holds
   */
  Tensor loss(Tape tape, int batch);
}
