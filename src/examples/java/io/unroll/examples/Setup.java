package io.unroll.examples;

import io.unroll.Backend;

/**
 * How long and how large an example learns.
 *
 * @param backend where it runs
 * @param seed of the first weights and of the data, from 0 up
 * @param steps updates, at least 1
 * @param batch sequences, or images, in an update
 * @param hiddenSize H, units of its layers
 */
public record Setup(Backend backend, long seed, int steps, int batch, int hiddenSize) {
  /** The same with another number of steps. */
  public Setup withSteps(int other) {
    return new Setup(backend, seed, other, batch, hiddenSize);
  }

  /** A seed for the data of a step. */
  public long dataSeed(int step) {
    return seed << 32 | step;
  }

  /** How much data to measure on: so much, but no more than it learns from. */
  public int unseen(int most) {
    return (int) Math.min(most, (long) steps * batch);
  }

  /** A seed for data that no step sees. */
  public long unseenSeed() {
    return dataSeed(Integer.MAX_VALUE);
  }
}
