package io.unroll.nn;

/**
 * How {@link Losses#ctc(Tensor, Indices, int[][], CtcOptions)} counts.
 *
 * @param blank the class that stands for no label, in [0, C)
 * @param reduction how the losses of the rows become one
 * @param zeroInfinity whether an impossible row counts as a loss of 0 with gradient 0, instead of
 *     an infinite one with gradient NaN
 */
public record CtcOptions(int blank, Reduction reduction, boolean zeroInfinity) {
  /** PyTorch's default: blank 0, {@link Reduction#MEAN}, infinities stay. */
  public static final CtcOptions DEFAULT = new CtcOptions(0, Reduction.MEAN, false);

  /** How the losses of the rows become one. */
  public enum Reduction {
    /** Added up. */
    SUM,
    /** Each over the number of its labels, or 1 if it has none; then the mean over the rows. */
    MEAN
  }

  /** The same with another blank. */
  public CtcOptions withBlank(int blank) {
    return new CtcOptions(blank, reduction, zeroInfinity);
  }

  /** The same with another reduction. */
  public CtcOptions withReduction(Reduction reduction) {
    return new CtcOptions(blank, reduction, zeroInfinity);
  }

  /** The same with impossible rows left out or not. */
  public CtcOptions withZeroInfinity(boolean zeroInfinity) {
    return new CtcOptions(blank, reduction, zeroInfinity);
  }
}
