package io.unroll.reference;

/**
 * A batch of sequences in time order.
 *
 * @param steps T, at least 1
 * @param batch B, at least 1
 * @param features I, at least 1
 * @param x [T,B,I], row-major; not copied. Values past a row's length are never read
 * @param lengths the number of valid steps of each row [B], each from 0 to T, or null if all are T;
 *     not copied
 */
public record Sequence(int steps, int batch, int features, double[] x, int[] lengths) {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if x, lengths or a size does not fit the others
   */
  public Sequence {
    if (steps < 1 || batch < 1 || features < 1) {
      throw new IllegalArgumentException(
          "T, B and I must be at least 1, but are " + steps + ", " + batch + ", " + features);
    }
    requireLength("x [T,B,I]", x, steps * batch * features);
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

  /** The number of valid steps of a row. */
  public int length(int row) {
    return lengths == null ? steps : lengths[row];
  }

  /** Other values for the same rows and lengths: what the next layer reads. */
  Sequence withFeatures(int count, double[] values) {
    return new Sequence(steps, batch, count, values, lengths);
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
