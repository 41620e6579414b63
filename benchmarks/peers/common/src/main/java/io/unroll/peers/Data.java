package io.unroll.peers;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Numbers that every program computes alike. */
public final class Data {
  private static final List<String> GRADIENTS = List.of("dwih", "dwhh", "dbih", "dbhh");

  private Data() {}

  /**
   * For the check that the programs agree: {@code 0.5 sin(first + 0.7 i)} in float64, rounded.
   *
   * @param first tells the tensors apart: x 1, dY 6, parameters 2, 3, 4 and so on
   */
  public static float[] wave(int length, double first) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) (0.5 * Math.sin(first + 0.7 * i));
    }
    return values;
  }

  /** Uniform within plus and minus bound, the same for the same seed. */
  public static float[] uniform(int length, long seed, double bound) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
    }
    return values;
  }

  /** The bound of PyTorch's first weights. */
  public static double weightBound(Case layer) {
    return 1 / Math.sqrt(layer.hiddenSize());
  }

  /** A sum that changes when elements change places. */
  public static double sum(float[] values) {
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += values[i] * (1 + 0.1 * (i % 7));
    }
    return sum;
  }

  /**
   * Adds the sum of a gradient to that of its kind, in other shares for other layers and
   * directions.
   *
   * @param p index of the parameter in PyTorch's order
   */
  public static void addGradient(Map<String, Double> sums, int p, float[] values) {
    sums.merge(GRADIENTS.get(p % 4), (1 + 0.1 * (p / 4)) * sum(values), Double::sum);
  }

  /**
   * @throws IllegalStateException if a value is NaN or infinite
   */
  public static void requireFinite(String what, float[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new IllegalStateException(what + " holds " + values[i] + " at flat index " + i);
      }
    }
  }
}
