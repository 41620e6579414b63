package io.unroll.data;

/**
 * Sequences of real vectors or of tokens side by side, padded to the longest. Rows are ordered by
 * length, the longest first. The arrays are the batch's own and laid out as devices take them.
 *
 * @param inputs [T, B, I], time-major; zeros past a row's length; null for tokens
 * @param features I, the size of a vector; 0 for tokens
 * @param tokens [T, B], time-major; {@link #IGNORE} past a row's length; null for vectors
 * @param lengths valid steps of each row [B], at least 1, descending
 * @param rows which sequence of the dataset each row is [B]
 * @param targets what to learn, or null
 */
public record SequenceBatch(
    float[] inputs, int features, int[] tokens, int[] lengths, int[] rows, Targets targets) {
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
   * The weight of each element of the targets' values: 1 where it counts, 0 where it is padding or
   * missing.
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
    int row = batch() * targets.size();
    for (int i = 0; i < weights.length; i++) {
      boolean padding = i / row >= lengths[i % row / targets.size()];
      weights[i] = padding || Float.isNaN(targets.values()[i]) ? 0 : 1;
    }
    return weights;
  }
}
