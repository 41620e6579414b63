package io.unroll.cli;

/**
 * How many times as much one side is as the other, from pairs of measurements that were taken one
 * right after the other. What slows both of a pair, as a machine that is shared does for minutes,
 * cancels in their ratio.
 *
 * <p>The interval is that of the sign test: from the k-th smallest to the k-th largest ratio, where
 * k is the largest for which fewer than k of n tosses of a coin are heads with probability 2.5 % at
 * most. It holds the median ratio with 95 % at least, whatever the ratios' distribution, if the
 * pairs are independent (W. R. Thompson, On confidence ranges for the median, Annals of
 * Mathematical Statistics 7, 1936; for measurements of programs J.-Y. Le Boudec, Performance
 * Evaluation of Computer and Communication Systems, section 2.2). Fewer than {@value #MIN_PAIRS}
 * pairs have none; {@value #ROBUST_PAIRS} keep theirs when one of them is disturbed.
 *
 * @param median of the ratios
 * @param low lower end of the interval, 0 if there is none
 * @param high its upper end, infinite if there is none
 * @param pairs how many ratios there were
 */
record RatioInterval(double median, double low, double high, int pairs) {
  static final int MIN_PAIRS = 6;
  static final int ROBUST_PAIRS = 9;

  /** Percent. */
  static final int CONFIDENCE = 95;

  private static final double TAIL = 0.025;

  /**
   * From the ratios of all pairs.
   *
   * @param sorted ascending, positive, at least one
   */
  static RatioInterval of(double[] sorted) {
    int rank = rank(sorted.length);
    return new RatioInterval(
        Spread.quantile(sorted, 0.5),
        rank == 0 ? 0 : sorted[rank - 1],
        rank == 0 ? Double.POSITIVE_INFINITY : sorted[sorted.length - rank],
        sorted.length);
  }

  /** The k of the interval, or 0 if even the smallest and the largest are too close together. */
  private static int rank(int pairs) {
    double probability = Math.scalb(1.0, -pairs);
    double below = 0;
    int rank = 0;
    while (below + probability <= TAIL) {
      below += probability;
      probability *= (double) (pairs - rank) / (rank + 1);
      rank++;
    }
    return rank;
  }

  /** The same with both ends further out, by a factor from 1 up. */
  RatioInterval widened(double factor) {
    return new RatioInterval(median, low / factor, high * factor, pairs);
  }

  /**
   * Where the whole interval lies.
   *
   * @param limit a ratio above 1 from which a difference matters; below, its inverse
   */
  String verdict(double limit) {
    if (low > limit) {
      return "slower";
    }
    if (high < 1 / limit) {
      return "faster";
    }
    return low >= 1 / limit && high <= limit ? "same" : "uncertain";
  }
}
