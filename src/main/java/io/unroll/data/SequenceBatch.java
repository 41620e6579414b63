package io.unroll.data;

import java.util.Arrays;

/**
 * Sequences of real vectors side by side, padded to the longest. Rows are ordered by length, the
 * longest first. The arrays are the batch's own and laid out as devices take them.
 *
 * @param inputs [T, B, I], time-major; zeros past a row's length
 * @param features I, the size of a vector
 * @param lengths valid steps of each row [B], at least 1, descending
 * @param rows which sequence of the dataset each row is [B]
 * @param targets what to learn, or null
 */
public record SequenceBatch(
    float[] inputs, int features, int[] lengths, int[] rows, Targets targets) {
  /** The class of a step that no loss and no metric counts; PyTorch's {@code ignore_index}. */
  public static final int IGNORE = -100;

  /**
   * What to learn: classes or vectors, one of the two null. They have T' steps: T where each step
   * has its own target, 1 where each sequence has one.
   *
   * @param steps T'
   * @param classes [T', B], or null; {@link #IGNORE} past a row's length
   * @param size O, the size of a target vector; 0 for classes
   * @param values [T', B, O], or null; zeros past a row's length
   */
  public record Targets(int steps, int[] classes, int size, float[] values) {}

  /** T, the length of the longest sequence. */
  public int steps() {
    return lengths[0];
  }

  /** B, the number of sequences. */
  public int batch() {
    return lengths.length;
  }

  /**
   * The weight of each element of the targets' values: 1 where it counts, 0 where it is padding.
   *
   * @return a new array [T', B, O]
   * @throws IllegalStateException if the targets are not vectors
   */
  public float[] valueWeights() {
    if (targets == null || targets.values() == null) {
      throw new IllegalStateException(
          "only target vectors have weights, but this batch has "
              + (targets == null ? "no targets" : "classes, whose padding is " + IGNORE));
    }
    float[] weights = new float[targets.values().length];
    for (int t = 0; t < targets.steps(); t++) {
      for (int b = 0; b < batch(); b++) {
        if (t < lengths[b]) {
          int from = (t * batch() + b) * targets.size();
          Arrays.fill(weights, from, from + targets.size(), 1);
        }
      }
    }
    return weights;
  }
}
