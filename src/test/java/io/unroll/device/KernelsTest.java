package io.unroll.device;

import static io.unroll.device.Guarded.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Philox;
import io.unroll.reference.Tolerance;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kernel but those of the cells against its formula in float64. */
@ParameterizedClass(name = "{0}")
@EnumSource(
    value = DeviceKind.class,
    mode = EnumSource.Mode.EXCLUDE,
    names = {"CUDA_TF32", "CUDA_BF16"}) // these kernels do not depend on it
class KernelsTest {
  private static final double NEAR = 1e-6;

  /** A little more than three units in the last place of 1. */
  private static final double EXACT = 2e-7;

  private static final int BIG = 40_003; // enough for several threads, and not round

  /** Around the number of lanes of each instruction set, and around work groups. */
  private static final int[] SIZES = {
    1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 255, 256, 257, BIG
  };

  private static final float INFINITY = Float.POSITIVE_INFINITY;
  private static final float[] SPECIAL = {
    Float.NaN, INFINITY, -INFINITY, -0f, 0, 1e-30f, -1e-7f, 20, -20, 88, -88, 3e38f, -3e38f
  };

  private static Device shared;

  private final DeviceKind kind;
  private final Device device;
  private final KernelArgs args = new KernelArgs();
  private final Random random = new Random(5);

  KernelsTest(DeviceKind kind) {
    this.kind = kind;
    device = OwningDevice.of(shared);
  }

  @BeforeParameterizedClassInvocation
  static void open(DeviceKind kind) {
    kind.require();
    shared = kind.open(3);
  }

  @AfterParameterizedClassInvocation
  static void closeShared() {
    if (shared != null) {
      shared.close();
      shared = null;
    }
  }

  @BeforeEach
  void clear() {
    args.clear();
  }

  @AfterEach
  void close() {
    device.close();
  }

  private Guarded random(int length) {
    return Guarded.random(device, length, random);
  }

  private DeviceBuffer integers(int... values) {
    DeviceBuffer buffer = device.allocate(ElementType.INT, values.length, "integers");
    device.copyIn(values, 0, buffer, 0, values.length);
    return buffer;
  }

  private KernelArgs buffers(Guarded... buffers) {
    args.clear();
    for (Guarded buffer : buffers) {
      if (buffer == null) {
        args.buffer(null, 0);
      } else {
        buffer.addTo(args);
      }
    }
    return args;
  }

  private void launch(Kernel kernel, long items) {
    device.launch(device.compile(kernel, null), items, args);
  }

  private static double[] expect(int n, IntToDoubleFunction formula) {
    return IntStream.range(0, n).mapToDouble(formula).toArray();
  }

  @ParameterizedTest
  @EnumSource(
      value = Kernel.class,
      names = {"TANH_FORWARD", "SIGMOID_FORWARD", "RELU_FORWARD"})
  void activations(Kernel kernel) {
    for (int n : SIZES) {
      Guarded x = random(n);
      float[] values = x.values();
      for (int i = 0; i < Math.min(n, SPECIAL.length); i++) {
        values[n - 1 - i] = SPECIAL[i];
      }
      device.copyIn(values, 0, x.buffer, Guarded.GUARDS, n);
      Guarded y = Guarded.filled(device, n, 9);
      buffers(x, y);
      launch(kernel, n);
      assertNear(
          expect(
              n,
              i ->
                  switch (kernel) {
                    case TANH_FORWARD -> Math.tanh(values[i]);
                    case SIGMOID_FORWARD -> 1 / (1 + Math.exp(-values[i]));
                    default -> Math.max(0.0, values[i]);
                  }),
          y.values(),
          EXACT,
          kernel + " of " + n);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "TANH_BACKWARD,0", "TANH_BACKWARD,1", "SIGMOID_BACKWARD,0", "SIGMOID_BACKWARD,1",
    "RELU_BACKWARD,0", "RELU_BACKWARD,1", "MULTIPLY,0", "MULTIPLY,1"
  })
  void twoOperands(Kernel kernel, double beta) {
    for (int n : SIZES) {
      Guarded y = random(n);
      Guarded dY = random(n);
      device.fill(y.buffer, Guarded.GUARDS + n / 2, 1, Double.NaN);
      device.fill(dY.buffer, Guarded.GUARDS + n / 3, 1, INFINITY);
      Guarded dX = beta == 0 ? Guarded.filled(device, n, Float.NaN) : random(n);
      float[] before = dX.values();
      float[] v = y.values();
      float[] d = dY.values();
      buffers(y, dY, dX).real(beta);
      launch(kernel, n);
      IntToDoubleFunction product =
          i ->
              switch (kernel) {
                case TANH_BACKWARD -> d[i] * (1 - (double) v[i] * v[i]);
                case SIGMOID_BACKWARD -> d[i] * (double) v[i] * (1.0 - v[i]);
                case RELU_BACKWARD -> v[i] <= 0 ? 0 : d[i];
                default -> (double) v[i] * d[i];
              };
      assertNear(
          expect(n, i -> product.applyAsDouble(i) + (beta == 0 ? 0 : before[i])),
          dX.values(),
          NEAR,
          kernel + " of " + n);
    }
  }

  @Test
  void axpbyScaleClampBias() {
    int n = BIG;
    Guarded x = random(n);
    Guarded y = random(n);
    float[] v = x.values();
    float[] w = y.values();
    buffers(x, y).real(0.3).real(-0.7);
    launch(Kernel.AXPBY, n);
    assertNear(expect(n, i -> 0.3 * v[i] - 0.7 * w[i]), y.values(), NEAR, "axpby");

    device.fill(y.buffer, Guarded.GUARDS, n, Double.NaN);
    buffers(x, y).real(2).real(0);
    launch(Kernel.AXPBY, n);
    assertNear(expect(n, i -> 2.0 * v[i]), y.values(), NEAR, "axpby with beta 0");

    buffers(y, Guarded.of(device, 0.25f));
    launch(Kernel.SCALE_BY, n);
    assertNear(expect(n, i -> 0.5 * v[i]), y.values(), NEAR, "scale");

    device.fill(x.buffer, Guarded.GUARDS, 1, Double.NaN);
    buffers(x).real(0.4);
    launch(Kernel.CLAMP, n);
    assertNear(
        expect(n, i -> i == 0 ? Double.NaN : Math.min(Math.max(v[i], -0.4), 0.4)),
        x.values(),
        NEAR,
        "clamp");

    int columns = 13;
    Guarded out = random(columns * 3001);
    Guarded bias = random(columns);
    float[] before = out.values();
    float[] b = bias.values();
    buffers(out, bias).i32(columns);
    launch(Kernel.BIAS_ADD, out.length);
    assertNear(
        expect(out.length, i -> (double) before[i] + b[i % columns]), out.values(), NEAR, "bias");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1})
  void dropout(double beta) {
    // Beginning at each place in a block, and across a carry of the block's number.
    for (int n : SIZES) {
      for (long counter : new long[] {0, 1, (1L << 34) - 30, (1L << 40) + 3}) {
        dropout(n, counter, beta);
      }
    }
  }

  private void dropout(int n, long counter, double beta) {
    long seed = 0x9234_5678_9abc_def0L;
    Guarded x = random(n);
    Guarded out = random(n);
    float[] v = x.values();
    float[] before = out.values();
    buffers(x, out).real(0.3).real(1 / (1 - 0.3)).i64(seed).i64(counter).real(beta);
    launch(Kernel.DROPOUT, n);
    double[] expected =
        expect(
            n,
            i ->
                (Philox.uniform(seed, counter + i) >= 0.3f ? v[i] / 0.7 : 0)
                    + (beta == 0 ? 0 : before[i]));
    assertNear(expected, out.values(), NEAR, "dropout of " + n + " from " + counter);
    if (beta == 0 && n == BIG) {
      double kept = Arrays.stream(expected).filter(e -> e != 0).count();
      assertEquals(0.7, kept / n, 0.03, "share of the kept elements");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Kernel.class,
      names = {
        "COLUMN_SUM",
        "GATHER_ROWS",
        "MASK_ROWS",
        "SCATTER_ADD_ROWS",
        "SQUARE_SUM",
        "COPY_ROWS",
        "DROPOUT",
        "TANH_BACKWARD",
        "BIAS_ADD"
      })
  void threadsDoNotChangeAResult(Kernel kernel) {
    int rows = 210;
    int n = 191;
    float[] expected = null;
    // Where there are no threads to choose, two devices must still agree.
    for (int threads = 1; threads <= (kind.isCpu() ? 4 : 2); threads++) {
      try (Device other = kind.open(threads);
          DeviceBuffer index = other.allocate(ElementType.INT, rows, "index");
          Guarded a = Guarded.random(other, rows * n, new Random(7));
          Guarded b = Guarded.random(other, rows * n, new Random(8));
          Guarded c = Guarded.random(other, rows * n, new Random(9))) {
        other.copyIn(new Random(10).ints(rows, -1, rows).toArray(), 0, index, 0, rows);
        args.clear();
        a.addTo(args);
        long items = (long) rows * n;
        switch (kernel) {
          case COLUMN_SUM -> c.addTo(args).i32(rows).i32((int) (items = n)).real(1);
          case GATHER_ROWS, MASK_ROWS -> c.addTo(args.buffer(index, 0)).i32(n);
          case SCATTER_ADD_ROWS ->
              c.addTo(args.buffer(index, 0)).i32(rows).i32((int) (items = n)).i32(rows);
          case SQUARE_SUM -> c.addTo(args).i64((long) rows * n).i32((int) (items = rows));
          case COPY_ROWS -> c.addTo(args).i32(n - 1).i32(n).i32(n).real(1);
          case DROPOUT -> c.addTo(args).real(0.4).real(1 / (1 - 0.4)).i64(3).i64(5).real(1);
          case BIAS_ADD -> b.addTo(args).i32(n);
          default -> {
            b.addTo(args);
            c.addTo(args).real(1);
          }
        }
        if (kernel == Kernel.COPY_ROWS) {
          items -= rows;
        }
        other.launch(other.compile(kernel, null), items, args);
        float[] found = kernel == Kernel.BIAS_ADD ? a.values() : c.values();
        expected = expected == null ? found : expected;
        assertArrayEquals(expected, found, kernel + " on " + threads + " threads");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1,0", "3,300,1", "700,531,0", "129,5,1", "37,2100,1", "6,16,0"})
  void columnSum(int rows, int n, double beta) {
    Guarded x = random(rows * n);
    Guarded out = beta == 0 ? Guarded.filled(device, n, Float.NaN) : random(n);
    float[] v = x.values();
    float[] before = out.values();
    buffers(x, out).i32(rows).i32(n).real(beta);
    launch(Kernel.COLUMN_SUM, n);
    double[] plain = new double[n];
    for (int j = 0; j < n; j++) {
      float sum = beta == 0 ? 0 : before[j];
      for (int r = 0; r < rows; r++) {
        sum += v[r * n + j];
      }
      plain[j] = sum;
    }
    double[] exact =
        expect(
            n,
            j ->
                (beta == 0 ? 0 : before[j])
                    + IntStream.range(0, rows).mapToDouble(r -> v[r * n + j]).sum());
    // A GPU adds up in float32 alone, by way of few sums.
    Tolerance.Comparison worst = Tolerance.of(exact, plain).compare(out.values());
    assertTrue(worst.passes(), worst::toString);
    if (kind.isCpu()) {
      assertNear(exact, out.values(), NEAR, "column sum");
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1", "5,3", "400,67"})
  void maskRows(int rows, int n) {
    int[] mask = random.ints(rows, -1, 2).toArray();
    float[] v = random(rows * n).values();
    v[0] = Float.NaN;
    mask[0] = 7;
    Guarded x = Guarded.of(device, v);
    Guarded out = Guarded.filled(device, rows * n, Float.NaN);
    x.addTo(args);
    args.buffer(integers(mask), 0);
    out.addTo(args);
    args.i32(n);
    launch(Kernel.MASK_ROWS, (long) rows * n);
    double[] expected = expect(rows * n, i -> mask[i / n] != 0 ? 0 : v[i]);
    assertNear(expected, out.values(), 0, "mask");
  }

  @ParameterizedTest
  @CsvSource({"5,1", "5,3", "400,67"})
  void gatherAndScatter(int rows, int n) {
    int table = 7;
    int[] index = random.ints(rows, -1, table).toArray();
    index[0] = -100;
    index[rows - 1] = index[1] = table - 1;
    Guarded weights = random(table * n);
    Guarded out = Guarded.filled(device, rows * n, Float.NaN);
    float[] w = weights.values();
    weights.addTo(args);
    args.buffer(integers(index), 0);
    out.addTo(args);
    args.i32(n);
    launch(Kernel.GATHER_ROWS, (long) rows * n);
    assertNear(
        expect(rows * n, i -> index[i / n] < 0 ? 0 : w[index[i / n] * n + i % n]),
        out.values(),
        0,
        "gather");

    Guarded x = random(rows * n);
    float[] v = x.values();
    args.clear();
    x.addTo(args);
    args.buffer(integers(index), 0);
    weights.addTo(args);
    args.i32(rows).i32(n).i32(table);
    launch(Kernel.SCATTER_ADD_ROWS, n);
    float[] expected = w.clone();
    for (int i = 0; i < rows * n; i++) {
      if (index[i / n] >= 0) {
        expected[index[i / n] * n + i % n] += v[i];
      }
    }
    assertArrayEquals(expected, weights.values(), "scatter adds in the order of the rows");
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1,0", "3,5,7,9,1", "211,63,70,65,0", "211,63,63,80,1", "500,32,33,32,0"})
  void copyRows(int rows, int columns, int ldX, int ldOut, double beta) {
    Guarded x = random(rows * ldX);
    Guarded out = random(rows * ldOut);
    float[] v = x.values();
    float[] before = out.values();
    buffers(x, out).i32(columns).i32(ldX).i32(ldOut).real(beta);
    launch(Kernel.COPY_ROWS, (long) rows * columns);
    assertNear(
        expect(
            rows * ldOut,
            i ->
                i % ldOut >= columns
                    ? before[i]
                    : v[i / ldOut * ldX + i % ldOut] + beta * before[i]),
        out.values(),
        NEAR,
        "copy rows");
  }

  @ParameterizedTest
  @CsvSource({"1,1,0", "5,1,1", "3,17,0", "16,32,1", "211,333,0", "211,333,1"})
  void transpose(int rows, int columns, double beta) {
    int n = rows * columns;
    Guarded x = random(n);
    Guarded out = beta == 0 ? Guarded.filled(device, n, Float.NaN) : random(n);
    float[] v = x.values();
    float[] before = out.values();
    buffers(x, out).i32(rows).i32(columns).real(beta);
    launch(Kernel.TRANSPOSE, n);
    assertNear(
        expect(n, i -> v[i % rows * columns + i / rows] + (beta == 0 ? 0 : before[i])),
        out.values(),
        NEAR,
        "transpose");
  }

  @ParameterizedTest
  @CsvSource({"1,1", "33,7", "150,1003", "7,40000"})
  void squareSumAndClip(int parts, int n) {
    Guarded x = random(n);
    float[] v = x.values();
    Guarded partial = Guarded.filled(device, parts, Float.NaN);
    buffers(x, partial).i64(n).i32(parts);
    launch(Kernel.SQUARE_SUM, parts);
    int length = (n + parts - 1) / parts;
    assertNear(
        expect(
            parts,
            p ->
                IntStream.range(Math.min(n, p * length), Math.min(n, (p + 1) * length))
                    .mapToDouble(i -> (double) v[i] * v[i])
                    .sum()),
        partial.values(),
        NEAR,
        "square sum");
    double norm = Math.sqrt(IntStream.range(0, n).mapToDouble(i -> (double) v[i] * v[i]).sum());
    for (double limit : new double[] {norm / 2, norm * 2}) {
      Guarded out = Guarded.filled(device, 2, 0);
      buffers(partial, out).i32(parts).real(limit);
      launch(Kernel.CLIP_FACTOR, 1);
      double[] expected = {norm, Math.min(1, limit / (norm + 1e-6))};
      assertNear(expected, out.values(), NEAR, "clip factor");
    }
  }
}
