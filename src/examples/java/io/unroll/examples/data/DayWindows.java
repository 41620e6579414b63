package io.unroll.examples.data;

import static io.unroll.examples.data.SeasonalSeries.DAY;

import io.unroll.data.SequenceDataset;
import io.unroll.train.Metrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Pieces of an hourly series: a week to read and the day after it to forecast. The steps of the
 * series are shared by all pieces and not copied.
 *
 * @param read each [7 * 24][1]; NaN where a value is missing
 * @param next each [24]; NaN where a value is missing
 */
public record DayWindows(List<float[][]> read, List<float[]> next) {
  private static final int READ = 7 * DAY;

  /**
   * The pieces that lie within a part of a series.
   *
   * @param series [hours][1]
   * @param from the first hour
   * @param to the hour behind the last
   * @param every so many hours a piece begins
   */
  public static DayWindows of(float[][] series, int from, int to, int every) {
    DayWindows windows = new DayWindows(new ArrayList<>(), new ArrayList<>());
    for (int at = from; at + READ + DAY <= to; at += every) {
      windows.read.add(Arrays.copyOfRange(series, at, at + READ));
      float[] next = new float[DAY];
      for (int i = 0; i < DAY; i++) {
        next[i] = series[at + READ + i][0];
      }
      windows.next.add(next);
    }
    return windows;
  }

  /** What a model learns from. */
  public SequenceDataset dataset() {
    return SequenceDataset.ofIncomplete(read).withValues(next);
  }

  /** A simple forecast: the mean of each hour over the week, as far as it was known. */
  public List<float[]> sameHours() {
    return read.stream().map(DayWindows::sameHours).toList();
  }

  private static float[] sameHours(float[][] week) {
    float[] means = new float[DAY];
    for (int hour = 0; hour < DAY; hour++) {
      double sum = 0;
      int known = 0;
      for (int t = hour; t < week.length; t += DAY) {
        sum += Float.isNaN(week[t][0]) ? 0 : week[t][0];
        known += Float.isNaN(week[t][0]) ? 0 : 1;
      }
      means[hour] = (float) (sum / known);
    }
    return means;
  }

  /** The mean absolute error of forecasts, over the values that are known. */
  public double error(List<float[]> forecasts) {
    float[] one = new float[next.size() * DAY];
    float[] other = new float[one.length];
    for (int i = 0; i < next.size(); i++) {
      System.arraycopy(forecasts.get(i), 0, one, i * DAY, DAY);
      System.arraycopy(next.get(i), 0, other, i * DAY, DAY);
    }
    return Metrics.meanAbsoluteError(one, other);
  }
}
