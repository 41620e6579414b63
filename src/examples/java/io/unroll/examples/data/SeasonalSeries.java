package io.unroll.examples.data;

import java.util.Random;

/**
 * What a meter in a town might show every hour: a day that looks like the day before, weekends that
 * do not, a level that wanders and always comes back, noise, and hours where the meter was silent.
 */
public final class SeasonalSeries {
  /** Hours of a day. */
  public static final int DAY = 24;

  private static final double SILENT = 0.05;
  private static final double LONG_SILENCE = 0.002;

  private SeasonalSeries() {}

  /**
   * A series.
   *
   * @param days whole days, beginning on a Monday
   * @return [days * 24][1]; NaN where the meter was silent
   */
  public static float[][] draw(int days, long seed) {
    Random random = new Random(seed);
    float[][] series = new float[days * DAY][1];
    double wandering = 0;
    int silence = 0;
    for (int t = 0; t < series.length; t++) {
      double hour = t % DAY;
      boolean weekend = t / DAY % 7 >= 5;
      double morning = Math.exp(-Math.pow((hour - (weekend ? 10.5 : 7.5)) / 2, 2));
      double evening = Math.exp(-Math.pow((hour - 19) / 2.5, 2));
      wandering = 0.99 * wandering + 1.5 * random.nextGaussian();
      double value =
          100
              + (weekend ? 15 : 40) * morning
              + 50 * evening
              + wandering
              + 4 * random.nextGaussian();
      if (random.nextDouble() < LONG_SILENCE) {
        silence = 6 + random.nextInt(12);
      }
      boolean silent = silence-- > 0 || random.nextDouble() < SILENT;
      series[t][0] = silent ? Float.NaN : (float) value;
    }
    return series;
  }
}
