package io.unroll.device.cuda;

import io.unroll.DeviceException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceCeilings;
import io.unroll.device.ElementType;
import io.unroll.device.GpuEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraphExec;

/**
 * The ceilings of a device by the kernels of {@code kernels/cuda/ceilings.h} and {@code
 * clusters.h}. Whatever a row measures is held against what it must have computed, after its first
 * run and after its last.
 */
final class Ceilings implements DeviceCeilings {
  /** What the devices are compared by: blocks that a recurrence may be spread over. */
  private static final List<Integer> BLOCKS = List.of(24, 66, 132);

  /** Elements that the host keeps of a long buffer. */
  private static final int PART = 1 << 20;

  /**
   * How much is done in a run.
   *
   * @param steps in which something is handed over
   * @param launches of a run that measures launches, an even number
   * @param items of the loops that compute
   * @param crowd groups on each processor of the loops that compute or move much
   * @param vectors that are copied, of 16 bytes
   * @param cached vectors that the second cache holds, a multiple of a group's lanes
   * @param rounds of reading those
   * @param side of the square matrices of a product
   */
  record Size(
      int steps,
      int launches,
      int items,
      int crowd,
      int vectors,
      int cached,
      int rounds,
      int side) {
    /** Some milliseconds on a large GPU. */
    static final Size REAL = new Size(2000, 200, 10_000, 8, 16 << 20, 1 << 18, 4, 4096);

    /** The least that shows whether it works. */
    static final Size SIMULATED = new Size(20, 6, 2, 1, 4096, 512, 2, 64);
  }

  /** What tests do to every row. */
  enum Fault {
    /** Nothing. */
    NONE,
    /** Whoever waits takes what was there before; whatever computes, computes something else. */
    STALE,
    /** Whoever can give up waits for what never comes. */
    NEVER
  }

  /** A wait lasts microseconds; one that lasts so long never ends. */
  private static final long WAIT_NANOS = 5_000_000_000L;

  /** A simulated group may wait for a processor. */
  private static final long SIMULATED_WAIT_NANOS = 12 * WAIT_NANOS;

  private final CudaDevice device;
  private final Hardware hardware;
  private final Size size;
  private final Fault fault;
  private final long waitNanos;
  private final List<DeviceBuffer> buffers = new ArrayList<>();
  private final List<CUgraphExec> graphs = new ArrayList<>();
  private MeasuringStream stream;
  private SpinWatch watch;
  private double seconds;
  private Predicate<String> wanted;
  private Consumer<Row> each;

  Ceilings(CudaDevice device, Hardware hardware) {
    this(device, hardware, Fault.NONE, hardware.isSimulated() ? SIMULATED_WAIT_NANOS : WAIT_NANOS);
  }

  /**
   * With a fault.
   *
   * @param waitNanos how long groups wait for one another at most
   */
  Ceilings(CudaDevice device, Hardware hardware, Fault fault, long waitNanos) {
    this.device = device;
    this.hardware = hardware;
    this.size = hardware.isSimulated() ? Size.SIMULATED : Size.REAL;
    this.fault = fault;
    this.waitNanos = waitNanos;
  }

  @Override
  public String caution() {
    return hardware.isSimulated() ? "simulated: figures mean nothing" : null;
  }

  @Override
  public void measure(double atLeast, Predicate<String> names, Consumer<Row> taker) {
    seconds = atLeast;
    wanted = names;
    each = taker;
    device.synchronize(); // and makes the context current
    try (MeasuringStream opened = new MeasuringStream(hardware);
        SpinWatch watching = new SpinWatch(waitNanos)) {
      stream = opened;
      watch = watching;
      if (wanted.test(DeviceSizes.NAME)) {
        new DeviceSizes(hardware).rows().forEach(taker);
      }
      new RateCeilings(this).run();
      new HandoffCeilings(this).run();
      for (int cluster : new int[] {2, 4, 8, 16}) {
        new ClusterCeilings(this, cluster).run();
      }
    }
  }

  /** What a row does: prepares, and gives what is then timed and looked at. */
  @FunctionalInterface
  interface Trial {
    /** Takes what it needs and says what to run. */
    Run prepare();
  }

  /**
   * What is timed.
   *
   * @param work queues commands
   * @param check throws a {@link DeviceException} that says what is wrong with the result
   * @param figure of a run, from its seconds; null for a row that is a question only
   */
  record Run(Runnable work, Runnable check, DoubleUnaryOperator figure) {}

  /** Makes a row of a trial, whatever becomes of it; one that nobody wants passes at once. */
  Outcome row(String name, String variant, String unit, Trial trial) {
    if (!wanted.test(name)) {
      return Outcome.PASSED;
    }
    Row row;
    try {
      Run run = trial.prepare();
      stream.finish();
      run.work().run();
      look(run);
      if (run.figure() == null) {
        row = new Row(name, variant, "", List.of(), Outcome.PASSED, null);
      } else {
        List<Double> times = stream.time(seconds, run.work());
        look(run);
        List<Double> figures = times.stream().map(run.figure()::applyAsDouble).sorted().toList();
        row = new Row(name, variant, unit, figures, Outcome.MEASURED, null);
      }
    } catch (DeviceException e) {
      row = new Row(name, variant, "", List.of(), Outcome.FAILED, e.getMessage());
    } finally {
      buffers.forEach(DeviceBuffer::close);
      buffers.clear();
      graphs.forEach(MeasuringStream::destroy);
      graphs.clear();
    }
    each.accept(row);
    return row.outcome();
  }

  private void look(Run run) {
    stream.finish();
    watch.require();
    run.check().run();
  }

  /** Makes a row of what cannot be. */
  void notRun(String name, String variant, String why) {
    if (wanted.test(name)) {
      each.accept(new Row(name, variant, "", List.of(), Outcome.NOT_RUN, why));
    }
  }

  /** The numbers of blocks that are tried, and why not where the device has too few. */
  void forBlocks(String name, Consumer<Integer> tried) {
    for (int blocks : BLOCKS) {
      if (blocks > hardware.units()) {
        notRun(
            name, blocks + " blocks", "the device has %d processors".formatted(hardware.units()));
      } else {
        tried.accept(blocks);
      }
    }
    if (!BLOCKS.contains(hardware.units())) {
      tried.accept(hardware.units());
    }
  }

  /** Memory until the end of the row; it holds zeros. */
  DeviceBuffer take(ElementType type, long length, String purpose) {
    DeviceBuffer buffer = device.allocate(type, length, "ceilings: " + purpose);
    buffers.add(buffer);
    device.synchronize();
    stream.clear(CudaBuffer.memory(buffer), Integer.BYTES * length);
    return buffer;
  }

  /** Integers that hold 0, 1, 2 and so on. */
  DeviceBuffer counting(int length, String purpose) {
    DeviceBuffer buffer = take(ElementType.INT, length, purpose);
    stream.finish();
    for (int at = 0; at < length; at += PART) {
      int count = Math.min(PART, length - at);
      device.copyIn(IntStream.range(at, at + count).toArray(), 0, buffer, at, count);
    }
    device.synchronize();
    return buffer;
  }

  /** A buffer must hold 0, 1, 2 and so on. */
  void requireCounting(DeviceBuffer found) {
    int[] values = new int[PART];
    for (long at = 0; at < found.length(); at += PART) {
      int count = (int) Math.min(PART, found.length() - at);
      device.copyOut(found, at, values, 0, count);
      for (int i = 0; i < count; i++) {
        if (values[i] != at + i) {
          throw wrong(at + i, Integer.toString(values[i]), Long.toString(at + i));
        }
      }
    }
  }

  /** Launches written down, until the end of the row. */
  CUgraphExec capture(Runnable launches) {
    CUgraphExec graph = stream.capture(launches);
    graphs.add(graph);
    return graph;
  }

  static long address(DeviceBuffer buffer) {
    return CudaBuffer.address(buffer, 0);
  }

  /** A launch of an entry of {@code ceilings.h}. */
  MeasuringStream.Launch launch(String entry, int groups, boolean together, Object... values) {
    return launch("cuda/ceilings.h", Map.of(), entry, groups, together, values);
  }

  /** A launch of an entry of {@code clusters.h}. */
  MeasuringStream.Launch clustered(int cluster, String entry, int groups, Object... values) {
    return launch("cuda/clusters.h", Map.of("CLUSTER", cluster), entry, groups, false, values);
  }

  private MeasuringStream.Launch launch(
      String file,
      Map<String, Integer> constants,
      String entry,
      int groups,
      boolean together,
      Object[] values) {
    GpuEntry found = new GpuEntry(List.of(file), entry + "_kernel", constants);
    CUfunction kernel = ((CudaKernel) device.entry(found)).handle();
    return new MeasuringStream.Launch(
        kernel, entry, groups, together, MeasuringStream.parameters(values));
  }

  /** The elements of a buffer must be so. */
  void requireAll(DeviceBuffer found, int[] expected) {
    int[] values = new int[expected.length];
    device.copyOut(found, 0, values, 0, values.length);
    for (int i = 0; i < values.length; i++) {
      if (values[i] != expected[i]) {
        throw wrong(i, Integer.toUnsignedString(values[i]), Integer.toUnsignedString(expected[i]));
      }
    }
  }

  /** The elements of a buffer must all be so. */
  void requireAll(DeviceBuffer found, float expected) {
    float[] values = new float[(int) found.length()];
    device.copyOut(found, 0, values, 0, values.length);
    for (int i = 0; i < values.length; i++) {
      requireEqual(i, values[i], expected);
    }
  }

  static void requireEqual(int at, float found, float expected) {
    if (!(found == expected)) {
      throw wrong(at, Float.toString(found), Float.toString(expected));
    }
  }

  private static DeviceException wrong(long at, String found, String expected) {
    return new DeviceException(
        "wrong result: element %d is %s, but must be %s".formatted(at, found, expected));
  }

  CudaDevice device() {
    return device;
  }

  Hardware hardware() {
    return hardware;
  }

  MeasuringStream stream() {
    return stream;
  }

  SpinWatch watch() {
    return watch;
  }

  Size size() {
    return size;
  }

  /** 1 where something is to be taken from the wrong place, else 0. */
  int stale() {
    return fault == Fault.NONE ? 0 : 1;
  }

  /**
   * How many steps too early a group is to take what it waits for: as many as a double buffer is
   * old, or fewer than none for a step that nobody makes.
   */
  int early() {
    return switch (fault) {
      case NONE -> 0;
      case STALE -> 2;
      case NEVER -> -1;
    };
  }
}
