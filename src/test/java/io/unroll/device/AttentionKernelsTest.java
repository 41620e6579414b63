package io.unroll.device;

import static io.unroll.device.Guarded.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Softmax over rows and additive scores against their formulas in float64. */
@ParameterizedClass(name = "{0}")
@EnumSource(
    value = DeviceKind.class,
    mode = EnumSource.Mode.EXCLUDE,
    names = {"CUDA_TF32", "CUDA_BF16"}) // these kernels do not depend on it
class AttentionKernelsTest {
  private static final double NEAR = 2e-6;

  private static Device shared;

  private final Device device;
  private final KernelArgs args = new KernelArgs();
  private final Random random = new Random(9);

  AttentionKernelsTest(DeviceKind ignored) {
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

  @AfterEach
  void close() {
    device.close();
  }

  private Guarded random(int length, float limit) {
    return Guarded.random(device, length, random, limit);
  }

  /** Undefined where it is overwritten, else something to add to. */
  private Guarded result(int length, double beta) {
    return beta == 0 ? Guarded.filled(device, length, Float.NaN) : random(length, 1);
  }

  private void launch(Kernel kernel, long items) {
    device.launch(device.compile(kernel, null), items, args);
    args.clear();
  }

  private void add(Guarded... buffers) {
    for (Guarded buffer : buffers) {
      buffer.addTo(args);
    }
  }

  private void addLengths(int[] lengths) {
    DeviceBuffer buffer = null;
    if (lengths != null) {
      buffer = device.allocate(ElementType.INT, lengths.length, "lengths");
      device.copyIn(lengths, 0, buffer, 0, lengths.length);
    }
    args.buffer(buffer, 0);
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1,false,0",
    "4,3,2,true,1",
    "12,33,5,true,0",
    "60,70,6,false,1",
    "1300,40,13,true,0",
    "8,1000,8,true,1"
  })
  void softmax(int rows, int columns, int batch, boolean ragged, double beta) {
    int[] lengths = ragged ? random.ints(batch, 1, columns + 1).toArray() : null;
    double scale = 0.75;
    Guarded x = random(rows * columns, 300); // overflows unless the largest is subtracted
    Guarded y = result(rows * columns, 0);
    add(x);
    addLengths(lengths);
    add(y);
    args.i32(columns).i32(batch).real(scale);
    launch(Kernel.SOFTMAX_FORWARD, rows);

    Guarded dY = random(rows * columns, 1);
    Guarded dX = result(rows * columns, beta);
    float[] before = dX.values();
    add(y, dY);
    addLengths(lengths);
    add(dX);
    args.i32(columns).i32(batch).real(scale).real(beta);
    launch(Kernel.SOFTMAX_BACKWARD, rows);

    double[] expected = new double[rows * columns];
    double[] gradient = new double[rows * columns];
    for (int r = 0; r < rows; r++) {
      int count = lengths == null ? columns : lengths[r % batch];
      double largest = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < count; c++) {
        largest = Math.max(largest, scale * x.values()[r * columns + c]);
      }
      expectRow(x.values(), dY.values(), r * columns, count, scale, largest, expected, gradient);
    }
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] += beta == 0 ? 0 : before[i];
    }
    // A score near 225 is rounded to 2^-17 by its float, and so is its weight.
    assertNear(expected, y.values(), 0x1p-15, "y");
    assertNear(gradient, dX.values(), 0x1p-15, "dX");
  }

  private static void expectRow(
      float[] x,
      float[] dY,
      int from,
      int count,
      double scale,
      double largest,
      double[] y,
      double[] dX) {
    double sum = 0;
    double dot = 0;
    for (int i = from; i < from + count; i++) {
      y[i] = Math.exp(scale * x[i] - largest);
      sum += y[i];
      dot += y[i] * dY[i];
    }
    for (int i = from; i < from + count; i++) {
      y[i] /= sum;
      dX[i] = scale * y[i] * (dY[i] - dot / sum);
    }
  }

  @Test
  void softmaxLooksAtNothingPastALength() {
    Guarded x = Guarded.of(device, 1, 1, Float.NaN, Float.NaN, 2, 3);
    Guarded y = result(6, 0);
    add(x);
    addLengths(new int[] {2, 0});
    add(y);
    args.i32(3).i32(2).real(1);
    launch(Kernel.SOFTMAX_FORWARD, 2);
    assertArrayEquals(new float[] {0.5f, 0.5f, 0, 0, 0, 0}, y.values());
    Guarded dX = Guarded.of(device, 0, 0, 7, 7, 7, 7);
    add(y, Guarded.of(device, 3, 1, Float.NaN, Float.NaN, 1, 1));
    addLengths(new int[] {2, 0});
    add(dX);
    args.i32(3).i32(2).real(1).real(1);
    launch(Kernel.SOFTMAX_BACKWARD, 2);
    assertArrayEquals(new float[] {0.5f, -0.5f, 7, 7, 7, 7}, dX.values());
  }

  @Test
  void softmaxOfNanIsNanInItsRowAlone() {
    Guarded x = Guarded.of(device, 1, Float.NaN, 2, 2);
    add(x);
    addLengths(null);
    add(x);
    args.i32(2).i32(1).real(1);
    launch(Kernel.SOFTMAX_FORWARD, 2);
    assertArrayEquals(new float[] {Float.NaN, Float.NaN, 0.5f, 0.5f}, x.values());
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1,0", "3,2,5,7,1", "6,3,4,33,0", "17,5,40,65,1", "2,2,3,300,0"})
  void additiveScore(int n, int batch, int m, int size, double beta) {
    Guarded x = random(n * batch * size, 2);
    Guarded other = random(m * batch * size, 2);
    Guarded v = random(size, 1);
    Guarded score = result(n * batch * m, 0);
    add(x, other, v, score);
    args.i32(batch).i32(m).i32(size);
    launch(Kernel.ADDITIVE_SCORE_FORWARD, score.length);

    Guarded dScore = random(n * batch * m, 1);
    Guarded dX = result(x.length, beta);
    Guarded dOther = result(other.length, beta);
    Guarded dV = result(x.length, 0);
    double[] expectedDx = start(dX, beta);
    double[] expectedDother = start(dOther, beta);
    add(x, other, v, dScore, dX, dV);
    args.i32(batch).i32(n).i32(m).i32(size).i32(0).real(beta);
    launch(Kernel.ADDITIVE_SCORE_BACKWARD, x.length);
    add(other, x, v, dScore, dOther);
    args.buffer(null, 0).i32(batch).i32(m).i32(n).i32(size).i32(1).real(beta);
    launch(Kernel.ADDITIVE_SCORE_BACKWARD, other.length);

    double[] expected = new double[score.length];
    double[] expectedDv = new double[x.length];
    float[] d = dScore.values();
    float[] weights = v.values();
    float[] left = x.values();
    float[] right = other.values();
    for (int i = 0; i < score.length; i++) {
      int row = i / m;
      int column = i % m * batch + row % batch;
      for (int a = 0; a < size; a++) {
        double u = Math.tanh((double) left[row * size + a] + right[column * size + a]);
        expected[i] += weights[a] * u;
        expectedDv[row * size + a] += d[i] * u;
        expectedDx[row * size + a] += d[i] * weights[a] * (1 - u * u);
        expectedDother[column * size + a] += d[i] * weights[a] * (1 - u * u);
      }
    }
    assertNear(expected, score.values(), size * NEAR, "score");
    assertNear(expectedDx, dX.values(), m * NEAR, "dX");
    assertNear(expectedDother, dOther.values(), n * NEAR, "dX of what is other");
    assertNear(expectedDv, dV.values(), m * NEAR, "dV");
  }

  /** What a result holds before it is added to, or zeros. */
  private static double[] start(Guarded buffer, double beta) {
    float[] values = buffer.values();
    double[] start = new double[values.length];
    for (int i = 0; i < start.length; i++) {
      start[i] = beta == 0 ? 0 : values[i];
    }
    return start;
  }
}
