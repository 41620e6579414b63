package io.unroll.reference;

import static io.unroll.reference.Sequence.requireLength;

/**
 * How far a result may lie from the oracle's.
 *
 * <p>The yardstick is the error that plain arithmetic of the same precision makes on the same data
 * ({@link Arithmetic#FLOAT32} for float32). A backend may sum in another order and compute another
 * tanh, so it is granted four times that error. The floor of 32 half-ulps of the largest expected
 * value keeps tiny problems, where plain float32 is exact by luck, from demanding bit equality. One
 * tolerance serves a whole array. docs/numerics.md tells how it was measured.
 *
 * <p>Expected values that are NaN or infinite have no tolerance: they must match in kind.
 */
public final class Tolerance {
  private static final double TIMES_PLAIN_ERROR = 4;
  private static final double FLOOR = 32 * 0x1p-24;

  private final double[] exact;
  private final double allowed;

  /**
   * The worst element of a comparison.
   *
   * @param index its flat index
   * @param expected what the oracle has there
   * @param found what was compared
   * @param times the error in units of the tolerance; infinite for NaN and for a wrong kind of
   *     infinity
   */
  public record Comparison(int index, double expected, double found, double times) {
    /** Whether every element lies within the tolerance. */
    public boolean passes() {
      return times <= 1;
    }

    @Override
    public String toString() {
      return "worst at flat index "
          + index
          + ": expected "
          + expected
          + ", found "
          + found
          + ", "
          + times
          + " times the tolerance";
    }
  }

  private Tolerance(double[] exact, double allowed) {
    this.exact = exact;
    this.allowed = allowed;
  }

  /**
   * Measures the tolerance of one array.
   *
   * @param exact the oracle's values, at least one; copied
   * @param plain the same computed by plain arithmetic of the precision under test
   * @throws IllegalArgumentException if the arrays differ in length or are empty, or if plain is
   *     NaN or infinite where exact is finite: then these data do not fit the precision
   */
  public static Tolerance of(double[] exact, double[] plain) {
    if (exact.length == 0) {
      throw new IllegalArgumentException("exact must hold at least one value, but is empty");
    }
    requireLength("plain", plain, exact.length);
    double error = 0;
    double largest = 0;
    for (int k = 0; k < exact.length; k++) {
      if (!Double.isFinite(exact[k])) {
        continue;
      }
      if (!Double.isFinite(plain[k])) {
        throw new IllegalArgumentException(
            "plain arithmetic gives "
                + plain[k]
                + " at flat index "
                + k
                + " where the exact value is "
                + exact[k]
                + "; compare on smaller values");
      }
      error = Math.max(error, Math.abs(plain[k] - exact[k]));
      largest = Math.max(largest, Math.abs(exact[k]));
    }
    return new Tolerance(exact.clone(), Math.max(TIMES_PLAIN_ERROR * error, FLOOR * largest));
  }

  /** The largest error that passes, absolute. */
  public double allowed() {
    return allowed;
  }

  /**
   * Compares a result with the oracle's values.
   *
   * @throws IllegalArgumentException if it has another length
   */
  public Comparison compare(double[] actual) {
    requireLength("actual", actual, exact.length);
    Comparison worst = null;
    for (int k = 0; k < exact.length; k++) {
      double times = times(exact[k], actual[k]);
      if (worst == null || times > worst.times) {
        worst = new Comparison(k, exact[k], actual[k], times);
      }
    }
    return worst;
  }

  /**
   * Compares a float32 result with the oracle's values.
   *
   * @throws IllegalArgumentException if it has another length
   */
  public Comparison compare(float[] actual) {
    double[] wide = new double[actual.length];
    for (int k = 0; k < wide.length; k++) {
      wide[k] = actual[k];
    }
    return compare(wide);
  }

  /** Never NaN, so that no comparison with it passes by accident. */
  private double times(double expected, double found) {
    if (!Double.isFinite(expected)) {
      return Double.compare(expected, found) == 0 ? 0 : Double.POSITIVE_INFINITY;
    }
    double error = Math.abs(found - expected);
    if (error == 0) {
      return 0;
    }
    double times = error / allowed;
    return Double.isNaN(times) ? Double.POSITIVE_INFINITY : times;
  }
}
