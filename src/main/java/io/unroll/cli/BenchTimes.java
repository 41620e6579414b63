package io.unroll.cli;

import com.google.gson.JsonObject;

/**
 * What {@link Stopwatch} found of one case.
 *
 * @param host by the host's clock, from giving the first command until the device is idle
 * @param device by the device's own clock, from the first command to the last, or null if it has
 *     none; the next two likewise
 * @param cold the same after the caches were emptied
 * @param plain the same with every command given to the driver by itself, not as a graph
 * @param rotating as plain, of many that take turns, so that none finds its own in the caches; null
 *     if too few fit
 * @param memoryBytes what the backend holds on the device meanwhile
 */
record BenchTimes(
    Spread host, Spread device, Spread cold, Spread plain, Spread rotating, long memoryBytes) {
  private static final double MEGA = 1e6;

  /** 1e9 operations in a second, by the host's clock. */
  double gigaflops(BenchCase what) {
    return what.operations() / host.median() / MEGA;
  }

  /** 1e9 bytes in a second of those that memory must move at least, by the host's clock. */
  double gigabytes(BenchCase what) {
    return what.leastBytes() / host.median() / MEGA;
  }

  /** Steps of all rows in a second, by the host's clock: characters of a char-rnn. */
  double tokensPerSecond(BenchCase what) {
    return what.rows() * 1e3 / host.median();
  }

  /** By the device's clock if it has one, else by the host's. */
  Spread best() {
    return device == null ? host : device;
  }

  /** Adds what was measured to the line of a case. */
  void addTo(JsonObject line, BenchCase what) {
    host.addTo(line, "");
    line.addProperty("runs", host.runs());
    line.addProperty("gflops", gigaflops(what));
    line.addProperty("gbytes", gigabytes(what));
    line.addProperty("tokens_per_s", tokensPerSecond(what));
    line.addProperty("memory_mb", memoryBytes / MEGA);
    if (device != null) {
      device.addTo(line, "event_");
      cold.addTo(line, "cold_");
      plain.addTo(line, "plain_");
    }
    if (rotating != null) {
      rotating.addTo(line, "rotating_");
    }
  }
}
