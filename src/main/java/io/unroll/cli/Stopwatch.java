package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.device.Device;
import io.unroll.device.DeviceProfiler;
import io.unroll.device.DeviceProfiler.KernelTime;
import io.unroll.device.DeviceTimer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/**
 * Times a {@link Workload} on a device: by the host's clock, and where the device has a clock of
 * its own also by that, with warm caches, with caches that were emptied before each run, without
 * graphs, and of many that take turns.
 */
final class Stopwatch implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(Stopwatch.class.getName());

  /** The least number of runs of each kind, however long they take. */
  static final int MIN_RUNS = 5;

  /** Of the time of the host's runs, what warming up takes, and what each further kind takes. */
  private static final double WARM_UP = 0.5;

  private static final double FURTHER = 0.25;
  private static final int KINDS = 4;
  private static final double NANOS = 1e9;

  private final Backend backend;
  private final DeviceTimer timer; // null if the device has none
  private long taken; // bytes of the device that the timer holds to empty caches with
  private boolean isRefusalTold;

  Stopwatch(Backend backend) {
    this.backend = backend;
    this.timer = Device.of(backend).timer().timer();
  }

  /** How much longer than the host's runs everything takes. */
  double whole() {
    return 1 + WARM_UP + (timer == null ? 0 : KINDS * FURTHER);
  }

  /**
   * Warms up for half the time and at least {@value #MIN_RUNS} runs, checks the results, then
   * times.
   *
   * @param atLeast seconds of runs by the host's clock in all; each further kind takes a quarter
   * @param more makes another one of it, which is closed here
   * @throws WorkFailedException if a result is NaN or infinite
   */
  BenchTimes measure(Workload work, Supplier<Workload> more, double atLeast) {
    repeat(atLeast * WARM_UP, () -> byHost(work));
    work.requireFinite();
    Spread host = repeat(atLeast, () -> byHost(work));
    long held = backend.liveBytes() - taken;
    if (timer == null) {
      return new BenchTimes(host, null, null, null, null, held);
    }
    if (taken == 0) {
      timer.emptyCaches();
      taken = backend.liveBytes() - held;
    }
    double further = atLeast * FURTHER;
    Spread device = repeat(further, () -> byDevice(work, false));
    Spread cold = repeat(further, () -> byDevice(work, true));
    timer.useGraphs(false);
    try {
      byDevice(work, false);
      Spread plain = repeat(further, () -> byDevice(work, false));
      return new BenchTimes(host, device, cold, plain, rotating(work, more, further), held);
    } finally {
      timer.useGraphs(true);
    }
  }

  /** Null if there are too few to take turns, which is told once. */
  private Spread rotating(Workload work, Supplier<Workload> more, double atLeast) {
    try (Rotation rotation = new Rotation(backend, timer, work, more)) {
      if (rotation.refusal() == null) {
        Spread found = repeat(atLeast, rotation::run);
        rotation.requireFinite();
        return found;
      }
      if (!isRefusalTold) {
        isRefusalTold = true;
        LOGGER.log(
            System.Logger.Level.INFO,
            "cases that are too small or too large for it have no rotating_ms: {0}",
            rotation.refusal());
      }
      return null;
    }
  }

  /**
   * Times single kernels over some runs; to be called after {@link #measure}, so that all are warm.
   */
  List<KernelTime> profile(Workload work, DeviceProfiler profiler, int runs) {
    profiler.start();
    for (int i = 0; i < runs; i++) {
      byHost(work);
    }
    return profiler.stop();
  }

  private static Spread repeat(double atLeast, DoubleSupplier run) {
    List<Double> seconds = new ArrayList<>();
    for (double total = 0; seconds.size() < MIN_RUNS || total < atLeast; ) {
      double each = run.getAsDouble();
      total += each;
      seconds.add(each);
    }
    return Spread.ofSeconds(seconds);
  }

  private double byHost(Workload work) {
    work.prepare();
    backend.synchronize();
    long begun = System.nanoTime();
    work.work();
    backend.synchronize();
    return (System.nanoTime() - begun) / NANOS;
  }

  private double byDevice(Workload work, boolean cold) {
    work.prepare();
    if (cold) {
      timer.emptyCaches();
    }
    timer.start();
    work.work();
    return timer.stop();
  }

  @Override
  public void close() {
    if (timer != null) {
      timer.close();
    }
  }
}
