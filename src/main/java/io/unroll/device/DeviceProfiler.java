package io.unroll.device;

import java.util.List;

/** Measures how long each kernel runs on a device, by the device's own clock. */
public interface DeviceProfiler {
  /**
   * Waits for the queue and counts from here on. It may slow the device down until {@link #stop}.
   */
  void start();

  /**
   * Waits for the queue and ends the measurement.
   *
   * @return what ran since {@link #start}, the largest total first
   */
  List<KernelTime> stop();

  /**
   * All launches of one kernel.
   *
   * @param name the kernel, with its cell if it was compiled for one, or the copy or fill
   * @param launches how often it ran
   * @param totalNanos nanoseconds on the device in all
   * @param medianNanos nanoseconds of the median launch
   */
  record KernelTime(String name, long launches, long totalNanos, long medianNanos) {}

  /**
   * What a device answers when asked for a profiler.
   *
   * @param profiler the profiler, or null
   * @param refusal why there is none; null if there is one
   */
  record Offer(DeviceProfiler profiler, String refusal) {
    /** An offer to measure. */
    public static Offer of(DeviceProfiler profiler) {
      return new Offer(profiler, null);
    }

    /** A refusal, in words for the user. */
    public static Offer refused(String why) {
      return new Offer(null, why);
    }
  }
}
