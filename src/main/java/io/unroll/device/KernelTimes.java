package io.unroll.device;

import io.unroll.device.DeviceProfiler.KernelTime;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Gathers what a {@link DeviceProfiler} measures. */
public final class KernelTimes {
  private final Map<String, Times> times = new HashMap<>();

  /** The nanoseconds of every launch of one kernel. */
  private static final class Times {
    private long[] nanos = new long[64];
    private int launches;

    void add(long duration) {
      if (launches == nanos.length) {
        nanos = Arrays.copyOf(nanos, 2 * launches);
      }
      nanos[launches++] = duration;
    }

    KernelTime named(String name) {
      long[] sorted = Arrays.copyOf(nanos, launches);
      Arrays.sort(sorted);
      return new KernelTime(name, launches, Arrays.stream(sorted).sum(), sorted[launches / 2]);
    }
  }

  /** Adds a launch. */
  public void add(String name, long nanos) {
    times.computeIfAbsent(name, unused -> new Times()).add(nanos);
  }

  /** What was gathered, the largest total first. */
  public List<KernelTime> sorted() {
    return times.entrySet().stream()
        .map(entry -> entry.getValue().named(entry.getKey()))
        .sorted(
            Comparator.comparingLong(KernelTime::totalNanos)
                .reversed()
                .thenComparing(KernelTime::name))
        .toList();
  }
}
