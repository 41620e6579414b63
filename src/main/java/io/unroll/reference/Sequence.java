package io.unroll.reference;

import java.util.Arrays;

/**
 * A batch of sequences in time order.
 *
 * @param steps T, at least 1
 * @param batch B, at least 1
 * @param features I, at least 1
 * @param x [T,B,I], row-major; not copied. Values past a row's length are never read
 * @param lengths the number of valid steps of each row [B], each from 0 to T, or null if all are T;
 *     not copied
 * @param resets 1 where a row begins anew in a step, else 0 (docs/equations.md, "Resets"): [T,B],
 *     or [2,T,B] for the two directions of a {@link ReferenceNetwork}, or null for none; not copied
 */
public record Sequence(
    int steps, int batch, int features, double[] x, int[] lengths, int[] resets) {
  /** A batch without resets. */
  public Sequence(int steps, int batch, int features, double[] x, int[] lengths) {
    this(steps, batch, features, x, lengths, null);
  }

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if x, lengths, resets or a size does not fit the others
   */
  public Sequence {
    if (steps < 1 || batch < 1 || features < 1) {
      throw new IllegalArgumentException(
          "T, B and I must be at least 1, but are " + steps + ", " + batch + ", " + features);
    }
    requireLength("x [T,B,I]", x, steps * batch * features);
    if (resets != null && resets.length != steps * batch && resets.length != 2 * steps * batch) {
      throw new IllegalArgumentException(
          "resets must hold [T,B] = "
              + steps * batch
              + " numbers, or twice as many for two directions, but holds "
              + resets.length);
    }
    if (lengths != null) {
      if (lengths.length != batch) {
        throw new IllegalArgumentException(
            "lengths must hold [B] = " + batch + " numbers, but holds " + lengths.length);
      }
      for (int b = 0; b < batch; b++) {
        if (lengths[b] < 0 || lengths[b] > steps) {
          throw new IllegalArgumentException(
              "lengths[" + b + "] must be from 0 to T = " + steps + ", but is " + lengths[b]);
        }
      }
    }
  }

  /** Whether a row begins anew in a step; with resets of one direction. */
  boolean isReset(int step, int row) {
    return resets != null && resets[step * batch + row] != 0;
  }

  /** The number of valid steps of a row. */
  public int length(int row) {
    return lengths == null ? steps : lengths[row];
  }

  /** The same with the resets of one direction, 0 or 1. */
  Sequence inDirection(int direction) {
    int each = steps * batch;
    return resets == null || resets.length == each
        ? this
        : new Sequence(
            steps,
            batch,
            features,
            x,
            lengths,
            Arrays.copyOfRange(resets, direction * each, (direction + 1) * each));
  }

  /** Other values for the same rows, lengths and resets: what the next layer reads. */
  Sequence withFeatures(int count, double[] values) {
    return new Sequence(steps, batch, count, values, lengths, resets);
  }

  /** Checks the size of an array at the public door of this package. */
  static void requireLength(String what, double[] array, int expected) {
    if (array == null || array.length != expected) {
      throw new IllegalArgumentException(
          what
              + " must hold "
              + expected
              + " numbers, but "
              + (array == null ? "is null" : "holds " + array.length));
    }
  }
}
