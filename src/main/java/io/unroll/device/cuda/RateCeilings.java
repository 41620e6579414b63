package io.unroll.device.cuda;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import java.util.function.DoubleUnaryOperator;

/** What a device moves and computes in a second. */
final class RateCeilings {
  /** As in {@code ceilings.h}. */
  private static final int CHAINS = 8;

  private static final int REPEATS = 16;
  private static final int FRAGMENTS = 8;
  private static final int ROWS = 16;
  private static final int COLUMNS = 8;

  private static final int GROUP = MeasuringStream.GROUP;
  private static final int WARP = 32;
  private static final int VECTOR = 4;
  private static final double GIGA = 1e9;
  private static final double TERA = 1e12;

  /** Tensor cores compute in these from this compute capability on. */
  private static final int TENSOR_CORES = 8;

  /** Elements of a product that are computed on the host as well. */
  private static final int SAMPLES = 64;

  private final Ceilings all;
  private final int groups;

  RateCeilings(Ceilings all) {
    this.all = all;
    groups = all.size().crowd() * all.hardware().units();
  }

  void run() {
    all.row("copy", "by a kernel", "GB/s", () -> copy(true));
    all.row("copy", "by the driver", "GB/s", () -> copy(false));
    all.row("read", "by every group, from L2", "GB/s", this::read);
    all.row("fma", "FP32", "TFLOP/s", this::fma);
    for (boolean brain : new boolean[] {true, false}) {
      String precision = brain ? "BF16" : "TF32";
      if (all.hardware().major() < TENSOR_CORES) {
        String why = "mma.sync in " + precision + " needs sm_80, the device is older";
        all.notRun("mma", precision, why);
        all.notRun("fragments", precision, why);
      } else {
        all.row("mma", precision, "TFLOP/s", () -> mma(brain));
        all.row("fragments", precision, "", () -> fragments(brain));
      }
    }
    int side = all.size().side();
    all.row(
        "gemm",
        "%s, %d x %d x %d".formatted(all.device().precision(), side, side, side),
        "TFLOP/s",
        this::gemm);
  }

  private static DoubleUnaryOperator rate(double amount, double unit) {
    return seconds -> amount / Math.max(seconds, 1e-9) / unit;
  }

  /** Counts what is read and what is written. */
  private Ceilings.Run copy(boolean byKernel) {
    int vectors = all.size().vectors();
    int integers = VECTOR * vectors;
    DeviceBuffer from = all.counting(integers + VECTOR, "copied from");
    DeviceBuffer to = all.take(ElementType.INT, integers, "copied to");
    long source = Ceilings.address(from) + (long) Integer.BYTES * VECTOR * all.stale();
    MeasuringStream.Launch kernel =
        all.launch("copy", groups, false, source, Ceilings.address(to), (long) vectors);
    long bytes = (long) Integer.BYTES * integers;
    Runnable work =
        byKernel
            ? () -> all.stream().launch(kernel)
            : () ->
                all.stream()
                    .copy(
                        CudaBuffer.memory(to),
                        CudaBuffer.memory(from)
                            .withByteOffset((long) Integer.BYTES * VECTOR * all.stale()),
                        bytes);
    return new Ceilings.Run(work, () -> all.requireCounting(to), rate(2.0 * bytes, GIGA));
  }

  /** All groups read the same, which the second cache holds and the first ones do not. */
  private Ceilings.Run read() {
    int vectors = all.size().cached();
    int rounds = all.size().rounds();
    DeviceBuffer from = all.counting(VECTOR * vectors + VECTOR, "read");
    DeviceBuffer out = all.take(ElementType.INT, (long) groups * GROUP, "sums");
    MeasuringStream.Launch kernel =
        all.launch(
            "read",
            groups,
            false,
            Ceilings.address(from) + (long) Integer.BYTES * VECTOR * all.stale(),
            Ceilings.address(out),
            rounds,
            (long) vectors);
    int[] expected = Expected.read(groups, GROUP, VECTOR, vectors, rounds);
    double bytes = (double) groups * Integer.BYTES * VECTOR * vectors * rounds;
    return new Ceilings.Run(
        () -> all.stream().launch(kernel), () -> all.requireAll(out, expected), rate(bytes, GIGA));
  }

  private Ceilings.Run fma() {
    int items = all.size().items();
    int lanes = groups * GROUP;
    DeviceBuffer out = all.take(ElementType.REAL, lanes, "sums");
    MeasuringStream.Launch kernel =
        all.launch("fma", groups, false, Ceilings.address(out), 1f, 1f, (long) items + all.stale());
    float expected = CHAINS * (CHAINS - 1) / 2f + (float) CHAINS * REPEATS * items;
    double operations = 2.0 * CHAINS * REPEATS * items * lanes;
    return new Ceilings.Run(
        () -> all.stream().launch(kernel),
        () -> all.requireAll(out, expected),
        rate(operations, TERA));
  }

  private static int depth(boolean brain) {
    return brain ? 16 : 8;
  }

  private Ceilings.Run mma(boolean brain) {
    int items = all.size().items();
    int lanes = groups * GROUP;
    DeviceBuffer out = all.take(ElementType.REAL, lanes, "elements");
    MeasuringStream.Launch kernel =
        all.launch(
            brain ? "mma_bf16" : "mma_tf32",
            groups,
            false,
            Ceilings.address(out),
            1f,
            (long) items + all.stale());
    float expected = (float) depth(brain) * items;
    int warps = lanes / WARP;
    double operations = 2.0 * ROWS * COLUMNS * depth(brain) * FRAGMENTS * items * warps;
    return new Ceilings.Run(
        () -> all.stream().launch(kernel),
        () -> all.requireAll(out, expected),
        rate(operations, TERA));
  }

  /** A product whose factors are all different, so that a misplaced one shows. */
  private Ceilings.Run fragments(boolean brain) {
    int depth = depth(brain);
    float[] a = Expected.factors(ROWS * depth, 5);
    float[] b = Expected.factors(COLUMNS * depth, 7);
    DeviceBuffer left = copied(a, "left");
    DeviceBuffer right = copied(b, "right");
    DeviceBuffer out = all.take(ElementType.REAL, ROWS * COLUMNS, "product");
    MeasuringStream.Launch kernel =
        all.launch(
            brain ? "fragments_bf16" : "fragments_tf32",
            1,
            false,
            Ceilings.address(left),
            Ceilings.address(right),
            Ceilings.address(out),
            all.stale(),
            (long) depth);
    return new Ceilings.Run(
        () -> all.stream().launch(kernel),
        () -> {
          float[] found = new float[ROWS * COLUMNS];
          all.device().copyOut(out, 0, found, 0, found.length);
          for (int i = 0; i < found.length; i++) {
            float expected =
                Expected.dot(a, i / COLUMNS * depth, 1, b, i % COLUMNS * depth, 1, depth);
            Ceilings.requireEqual(i, found[i], expected);
          }
        },
        null);
  }

  private DeviceBuffer copied(float[] values, String purpose) {
    DeviceBuffer buffer = all.take(ElementType.REAL, values.length, purpose);
    all.stream().finish();
    all.device().copyIn(values, 0, buffer, 0, values.length);
    all.device().synchronize();
    return buffer;
  }

  /** Through the backend and on its stream, so the time is that of the host's clock. */
  private Ceilings.Run gemm() {
    int side = all.size().side();
    int off = all.stale();
    float[] a = Expected.factors(side * side + off, 3);
    float[] b = Expected.factors(side * side, 5);
    DeviceBuffer left = copied(a, "left");
    DeviceBuffer right = copied(b, "right");
    DeviceBuffer out = all.take(ElementType.REAL, (long) side * side, "product");
    return new Ceilings.Run(
        () -> {
          all.device()
              .gemm(
                  false, false, side, side, side, left, off, side, right, 0, side, 0, out, 0, side);
          all.device().synchronize();
        },
        () -> {
          float[] found = new float[side * side];
          all.device().copyOut(out, 0, found, 0, found.length);
          for (int i = 0; i < SAMPLES; i++) {
            int at = (int) ((long) i * (found.length - 1) / (SAMPLES - 1));
            int row = at / side * side;
            float expected = Expected.dot(a, row, 1, b, at % side, side, side);
            Ceilings.requireEqual(at, found[at], expected);
          }
        },
        rate(2.0 * side * side * side, TERA));
  }
}
