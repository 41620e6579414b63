package io.unroll.cli;

import com.google.gson.JsonObject;
import java.util.List;

/**
 * How long runs took, in milliseconds.
 *
 * @param p25 a quarter was not longer
 * @param p75 a quarter was longer
 */
record Spread(double median, double p25, double p75, int runs) {
  private static final double MILLIS = 1e3;

  /** Of the seconds of each run. */
  static Spread ofSeconds(List<Double> seconds) {
    double[] sorted = seconds.stream().mapToDouble(s -> MILLIS * s).sorted().toArray();
    return new Spread(
        quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75), sorted.length);
  }

  /**
   * The value below which a share of sorted values lies, interpolated linearly.
   *
   * @param share from 0 to 1
   */
  static double quantile(double[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  /**
   * Adds the median and its quartiles.
   *
   * @param kind goes before the names of the fields, such as {@code cold_}; empty for the host's
   */
  void addTo(JsonObject line, String kind) {
    line.addProperty(kind + "ms", median);
    line.addProperty(kind + "p25", p25);
    line.addProperty(kind + "p75", p75);
  }
}
