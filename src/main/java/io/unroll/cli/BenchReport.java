package io.unroll.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.unroll.device.DeviceProfiler.KernelTime;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** Prints for people what {@code bench} found of one case. */
final class BenchReport {
  private static final double PERCENT = 100;

  private final PrintWriter out;

  BenchReport(PrintWriter out) {
    this.out = out;
  }

  /**
   * Prints times and rates.
   *
   * @param least what a model says, or null
   * @param caution what must be known of them, or null
   */
  void print(BenchCase what, BenchTimes times, Bound.Estimate least, String caution) {
    if (caution != null) {
      out.println(caution);
    }
    out.println(what);
    print("median %.3f ms, half of the %d runs between %.3f and %.3f ms%n", times.host());
    if (times.device() != null) {
      print("  by the device's clock %.3f ms (%d runs, %.3f to %.3f)%n", times.device());
      print("  from emptied caches   %.3f ms (%d runs, %.3f to %.3f)%n", times.cold());
      print("  without graphs        %.3f ms (%d runs, %.3f to %.3f)%n", times.plain());
    }
    if (times.rotating() != null) {
      print("  of many in turn       %.3f ms (%d runs, %.3f to %.3f)%n", times.rotating());
    }
    out.printf(
        Locale.ROOT, "%.2f GFLOP/s, %.2f GB/s%n", times.gigaflops(what), times.gigabytes(what));
    if (what.mode() == BenchCase.Mode.STEP) {
      out.printf(
          Locale.ROOT,
          "%,.0f tokens/s, %.1f MB on the device%n",
          times.tokensPerSecond(what),
          times.memoryBytes() / 1e6);
    }
    if (least != null) {
      out.printf(
          Locale.ROOT,
          "at least %.3f ms by the model, most of it %s: %.0f %% of the time; %.1f %% of the peak,"
              + " %.1f %% of what memory can do%n",
          least.total() * 1e3,
          least.largest().name().toLowerCase(Locale.ROOT),
          PERCENT * least.total() * 1e3 / times.best().median(),
          PERCENT * least.atPeak() * 1e3 / times.best().median(),
          PERCENT * least.seconds().get(Bound.Part.MEMORY) * 1e3 / times.best().median());
    }
  }

  private void print(String format, Spread spread) {
    out.printf(Locale.ROOT, format, spread.median(), spread.runs(), spread.p25(), spread.p75());
  }

  /** Prints the time of each kernel. */
  void print(List<KernelTime> kernels, int runs) {
    out.printf("%nOn the device, over %d runs:%n", runs);
    out.println("  share    total ms   launches   median us  kernel");
    for (KernelTime kernel : kernels) {
      out.printf(
          Locale.ROOT,
          "%6.1f%% %11.3f %10d %11.1f  %s%n",
          PERCENT * share(kernel, kernels),
          kernel.totalNanos() / 1e6,
          kernel.launches(),
          kernel.medianNanos() / 1e3,
          kernel.name());
    }
  }

  /** The time of each kernel. */
  static JsonArray asJson(List<KernelTime> kernels) {
    JsonArray lines = new JsonArray();
    for (KernelTime kernel : kernels) {
      JsonObject line = new JsonObject();
      line.addProperty("kernel", kernel.name());
      line.addProperty("launches", kernel.launches());
      line.addProperty("total_ms", kernel.totalNanos() / 1e6);
      line.addProperty("median_us", kernel.medianNanos() / 1e3);
      line.addProperty("share", share(kernel, kernels));
      lines.add(line);
    }
    return lines;
  }

  /** Of the time of all kernels, from 0 to 1. */
  private static double share(KernelTime kernel, List<KernelTime> kernels) {
    long all = kernels.stream().mapToLong(KernelTime::totalNanos).sum();
    return all == 0 ? 0 : (double) kernel.totalNanos() / all;
  }
}
