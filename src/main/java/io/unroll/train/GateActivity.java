package io.unroll.train;

import java.util.Arrays;

/**
 * How often each unit of a layer had its gate where, over a text. A gate that is shut or open all
 * the time is saturated: Karpathy, Johnson and Fei-Fei, "Visualizing and understanding recurrent
 * networks", 2015, section 4.2, call it left-saturated below 0.1 and right-saturated above 0.9.
 */
public final class GateActivity {
  /** Equal parts of [-1, 1] in which values are counted. */
  public static final int BINS = 80;

  /** Of a gate's range; the outer tenths count as saturated. */
  private static final int TENTHS = 10;

  private final String gate;
  private final int layer;
  private final int[][] counts;

  GateActivity(String gate, int layer, int units) {
    this.gate = gate;
    this.layer = layer;
    this.counts = new int[units][BINS];
  }

  /** Counts values [T,H]; those beyond 1, which only the cell relu has, with the last part. */
  void add(float[] values) {
    for (int i = 0; i < values.length; i++) {
      int bin = (int) ((values[i] + 1) * BINS / 2);
      counts[i % counts.length][Math.max(0, Math.min(BINS - 1, bin))]++;
    }
  }

  /** The name of the gate. */
  public String gate() {
    return gate;
  }

  /** The layer, from 0. */
  public int layer() {
    return layer;
  }

  /** The number of units, H. */
  public int units() {
    return counts.length;
  }

  /**
   * Where the range of the gate begins: -1 if a value was ever negative, as those of tanh are, else
   * 0, as for the logistic function and relu. It ends at 1.
   */
  public int lowest() {
    return Arrays.stream(counts)
            .anyMatch(unit -> Arrays.stream(unit).limit(BINS / 2).anyMatch(count -> count > 0))
        ? -1
        : 0;
  }

  /** The share of the values of all units in each part of [{@link #lowest}, 1]; the sum is 1. */
  public double[] histogram() {
    int from = firstBin();
    double[] shares = new double[BINS - from];
    long all = 0;
    for (int[] unit : counts) {
      for (int bin = from; bin < BINS; bin++) {
        shares[bin - from] += unit[bin];
        all += unit[bin];
      }
    }
    for (int i = 0; i < shares.length; i++) {
      shares[i] /= all;
    }
    return shares;
  }

  /** The share of the time that a unit's gate spent in the lowest tenth of its range. */
  public double leftSaturated(int unit) {
    int from = firstBin();
    return share(unit, from, from + (BINS - from) / TENTHS);
  }

  /** The share of the time that a unit's gate spent in the highest tenth of its range. */
  public double rightSaturated(int unit) {
    return share(unit, BINS - (BINS - firstBin()) / TENTHS, BINS);
  }

  private int firstBin() {
    return lowest() < 0 ? 0 : BINS / 2;
  }

  private double share(int unit, int from, int to) {
    double part = Arrays.stream(counts[unit], from, to).sum();
    return part / Arrays.stream(counts[unit]).sum();
  }
}
