package io.unroll.train;

import java.util.Arrays;

/**
 * How closely a unit follows a property of the text that it reads.
 *
 * <p>A unit that changes slowly resembles many a thing that changes slowly, by chance. So what
 * counts is {@link #held}: what both halves of the text agree on.
 *
 * @param correlation Pearson's coefficient over all characters, in [-1, 1]; 0 if either is constant
 * @param held the smaller coefficient of the two halves of the text by its absolute value; 0 if
 *     they differ in sign, or the property or the unit is constant in a half
 * @param information mutual information in bits, of both cut into at most {@link #CLASSES} classes
 *     of as equal counts as equal values allow; also sees what is no straight line. It is that of
 *     the counts, which lies above the true one by about (a-1)(b-1)/(2 T ln 2) for a and b classes
 */
public record Sensitivity(double correlation, double held, double information) {
  /** The most classes into which values are cut. */
  public static final int CLASSES = 8;

  /** Values of a unit or a property, with what is the same for all that they are held against. */
  static final class Series {
    private final float[] values;
    private final byte[] classes;
    private final double[] means = new double[3]; // of the first half, of the second, of all
    private final double[] norms = new double[3];

    Series(float[] values) {
      this.values = values;
      this.classes = classes(values);
      for (int part = 0; part < means.length; part++) {
        int from = part == 1 ? values.length / 2 : 0;
        int to = part == 0 ? values.length / 2 : values.length;
        means[part] = mean(values, from, to);
        norms[part] = norm(values, means[part], from, to);
      }
    }

    /**
     * The square root of the summed squares of what values differ from their mean. It is exactly 0
     * of equal ones, for float64 sums of so many equal float32 values do not round.
     */
    private static double norm(float[] values, double mean, int from, int to) {
      double squares = 0;
      for (int t = from; t < to; t++) {
        double difference = values[t] - mean;
        squares += difference * difference;
      }
      return Math.sqrt(squares);
    }

    private static double mean(float[] values, int from, int to) {
      double sum = 0;
      for (int t = from; t < to; t++) {
        sum += values[t];
      }
      return sum / Math.max(1, to - from);
    }
  }

  /**
   * Measures it.
   *
   * @param unit [T], at least one
   * @param property [T]
   * @throws IllegalArgumentException if the lengths differ or are 0
   */
  public static Sensitivity of(float[] unit, float[] property) {
    if (unit.length == 0 || unit.length != property.length) {
      throw new IllegalArgumentException(
          "a unit and a property need a value for each character, but there are "
              + unit.length
              + " and "
              + property.length);
    }
    return of(new Series(unit), new Series(property));
  }

  /** As {@link #of(float[], float[])}, of equal lengths. */
  static Sensitivity of(Series unit, Series property) {
    int length = unit.values.length;
    int half = length / 2;
    double early = products(unit.values, property.values, 0, half);
    double late = products(unit.values, property.values, half, length);
    double first = correlation(unit, property, 0, early, half);
    double second = correlation(unit, property, 1, late, length - half);
    double smaller = Math.abs(first) < Math.abs(second) ? first : second;
    return new Sensitivity(
        correlation(unit, property, 2, early + late, length),
        first * second > 0 ? smaller : 0,
        information(unit.classes, property.classes));
  }

  private static double products(float[] a, float[] b, int from, int to) {
    double sum = 0;
    for (int t = from; t < to; t++) {
      sum += (double) a[t] * b[t];
    }
    return sum;
  }

  private static double correlation(Series a, Series b, int part, double products, int count) {
    double scale = a.norms[part] * b.norms[part];
    return scale > 0 ? (products - count * a.means[part] * b.means[part]) / scale : 0;
  }

  /**
   * The class of each value: the place of the middle one of those equal to it among all sorted
   * ones, in eighths of their number. So two different values of a property that has only two are
   * never in one class.
   */
  static byte[] classes(float[] values) {
    float[] sorted = values.clone();
    Arrays.sort(sorted);
    float[] highest = new float[CLASSES]; // of the values in this class and those below
    Arrays.fill(highest, Float.NEGATIVE_INFINITY);
    for (int from = 0; from < sorted.length; ) {
      int to = from + 1;
      while (to < sorted.length && sorted[to] == sorted[from]) {
        to++;
      }
      int here = (int) ((from + (long) to) * CLASSES / (2L * sorted.length));
      Arrays.fill(highest, here, CLASSES, sorted[from]);
      from = to;
    }
    byte[] classes = new byte[values.length];
    for (int t = 0; t < values.length; t++) {
      while (classes[t] < CLASSES - 1 && values[t] > highest[classes[t]]) {
        classes[t]++;
      }
    }
    return classes;
  }

  private static double information(byte[] a, byte[] b) {
    int[][] both = new int[CLASSES][CLASSES];
    for (int t = 0; t < a.length; t++) {
      both[a[t]][b[t]]++;
    }
    double[] rows = new double[CLASSES];
    double[] columns = new double[CLASSES];
    for (int i = 0; i < CLASSES; i++) {
      for (int j = 0; j < CLASSES; j++) {
        rows[i] += both[i][j];
        columns[j] += both[i][j];
      }
    }
    double bits = 0;
    for (int i = 0; i < CLASSES; i++) {
      for (int j = 0; j < CLASSES; j++) {
        if (both[i][j] > 0) {
          double ratio = both[i][j] * (double) a.length / (rows[i] * columns[j]);
          bits += both[i][j] * Math.log(ratio) / Math.log(2) / a.length;
        }
      }
    }
    return bits;
  }
}
