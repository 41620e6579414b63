package io.unroll.device;

import static io.unroll.device.Guarded.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses and optimizers against their formulas in float64. */
@ParameterizedClass(name = "{0}")
@EnumSource(
    value = DeviceKind.class,
    mode = EnumSource.Mode.EXCLUDE,
    names = {"CUDA_TF32", "CUDA_BF16"}) // these kernels do not depend on it
class LossAndOptimizerKernelsTest {
  private static final double NEAR = 1e-6;
  private static final int IGNORE = -100;

  private static Device shared;

  private final Device device;
  private final KernelArgs args = new KernelArgs();
  private final Random random = new Random(6);

  LossAndOptimizerKernelsTest(DeviceKind ignored) {
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

  private Guarded nan(int length) {
    return Guarded.filled(device, length, Float.NaN);
  }

  private void launch(Kernel kernel, long items) {
    device.launch(device.compile(kernel, null), items, args);
    args.clear();
  }

  private KernelArgs add(Guarded... buffers) {
    for (Guarded buffer : buffers) {
      buffer.addTo(args);
    }
    return args;
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,0,0,0",
    "7,3,2,1,0",
    "300,131,50,0,0.1",
    "40,16,3,1,1",
    "40,16,3,0,0.3",
    "1200,64,7,0,0",
    "5,1000,0,1,0.2"
  })
  void crossEntropy(int rows, int classes, int ignored, double beta, double smoothing) {
    double other = smoothing / classes;
    double named = 1 - smoothing + other;
    Guarded logits = Guarded.random(device, rows * classes, random);
    float[] x = logits.values();
    for (int i = 0; i < x.length; i++) {
      x[i] = 100 * x[i] + 200; // overflows unless the largest is subtracted
    }
    device.copyIn(x, 0, logits.buffer, Guarded.GUARDS, x.length);
    int[] right = random.ints(rows, 0, classes).toArray();
    Arrays.fill(right, 0, ignored, IGNORE);
    DeviceBuffer target = device.allocate(ElementType.INT, rows, "targets");
    device.copyIn(right, 0, target, 0, rows);
    Guarded lse = nan(rows);
    Guarded loss = nan(rows);
    add(logits).buffer(target, 0);
    add(lse, loss).i32(classes).i32(IGNORE).real(named).real(other);
    launch(Kernel.CROSS_ENTROPY_FORWARD, rows);
    double[] expectedLse = new double[rows];
    double[] expectedLoss = new double[rows];
    double sum = 0;
    for (int r = ignored; r < rows; r++) {
      double largest = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < classes; c++) {
        largest = Math.max(largest, x[r * classes + c]);
      }
      double total = 0;
      for (int c = 0; c < classes; c++) {
        total += Math.exp(x[r * classes + c] - largest);
      }
      expectedLse[r] = largest + Math.log(total);
      for (int c = 0; c < classes; c++) {
        double wanted = c == right[r] ? named : other;
        expectedLoss[r] += wanted * (expectedLse[r] - x[r * classes + c]);
      }
      sum += expectedLoss[r];
    }
    assertNear(expectedLse, lse.values(), NEAR, "lse");
    assertNear(expectedLoss, loss.values(), NEAR, "loss");

    Guarded mean = nan(2);
    add(loss).buffer(target, 0);
    add(mean).i32(rows).i32(IGNORE);
    launch(Kernel.CROSS_ENTROPY_MEAN, 1);
    int count = rows - ignored;
    assertNear(new double[] {sum / count, 1.0 / count}, mean.values(), NEAR, "mean");

    Guarded dLogits = beta == 0 ? nan(x.length) : Guarded.random(device, x.length, random);
    float[] before = dLogits.values();
    add(logits).buffer(target, 0);
    add(lse, mean, Guarded.of(device, 1.5f), dLogits).i32(classes).i32(IGNORE);
    args.real(named).real(other).real(beta);
    launch(Kernel.CROSS_ENTROPY_BACKWARD, x.length);
    double[] expected = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      int r = i / classes;
      double wanted = i % classes == right[r] ? named : other;
      double gradient = (Math.exp(x[i] - expectedLse[r]) - wanted) * 1.5 / count;
      expected[i] = right[r] == IGNORE ? 0 : gradient;
      expected[i] += beta == 0 ? 0 : before[i];
    }
    // lse near 300 is rounded to 2^-16 by its float, and so is the probability.
    assertNear(expected, dLogits.values(), 0x1p-15 * 1.5 / count + NEAR, "gradient");
  }

  @Test
  void crossEntropyOfNanIsNanAndOfNothingIsZero() {
    Guarded logits = Guarded.of(device, 1, Float.NaN, 3, 4);
    DeviceBuffer target = device.allocate(ElementType.INT, 2, "targets");
    device.copyIn(new int[] {0, IGNORE}, 0, target, 0, 2);
    Guarded lse = nan(2);
    Guarded loss = nan(2);
    add(logits).buffer(target, 0);
    add(lse, loss).i32(2).i32(IGNORE).real(1).real(0);
    launch(Kernel.CROSS_ENTROPY_FORWARD, 2);
    assertArrayEquals(new float[] {Float.NaN, 0}, loss.values());

    int classes = 37;
    Guarded wide = Guarded.filled(device, 2 * classes, -400);
    device.fill(wide.buffer, Guarded.GUARDS + 20, 1, 3);
    device.fill(wide.buffer, Guarded.GUARDS + classes + 36, 1, Double.POSITIVE_INFINITY);
    device.copyIn(new int[] {20, 1}, 0, target, 0, 2);
    add(wide).buffer(target, 0);
    add(lse, loss).i32(classes).i32(IGNORE).real(1).real(0);
    launch(Kernel.CROSS_ENTROPY_FORWARD, 2);
    assertArrayEquals(new float[] {3, Float.NaN}, lse.values());
    assertArrayEquals(new float[] {0, Float.NaN}, loss.values());

    device.fill(wide.buffer, Guarded.GUARDS, classes, -400);
    add(wide).buffer(target, 0);
    add(lse, loss).i32(classes).i32(IGNORE).real(1).real(0);
    launch(Kernel.CROSS_ENTROPY_FORWARD, 1);
    assertEquals(Math.log(classes) - 400, lse.values()[0], 1e-4);

    device.copyIn(new int[] {0, IGNORE}, 0, target, 0, 2);
    Guarded mean = nan(2);
    add(Guarded.of(device, 3, Float.NaN)).buffer(target, 0);
    add(mean).i32(2).i32(IGNORE);
    launch(Kernel.CROSS_ENTROPY_MEAN, 1);
    assertArrayEquals(new float[] {3, 1}, mean.values());

    device.copyIn(new int[] {IGNORE, IGNORE}, 0, target, 0, 2);
    add(loss).buffer(target, 0);
    add(mean).i32(2).i32(IGNORE);
    launch(Kernel.CROSS_ENTROPY_MEAN, 1);
    assertArrayEquals(new float[2], mean.values());
  }

  @ParameterizedTest
  @CsvSource({"1,false,0", "13,true,1", "30011,true,0", "30011,false,1"})
  void squaredError(int n, boolean weighted, double beta) {
    Guarded x = Guarded.random(device, n, random);
    Guarded target = Guarded.random(device, n, random);
    Guarded weights = Guarded.random(device, n, random);
    float[] v = x.values();
    float[] t = target.values();
    float[] w = weights.values();
    for (int i = 0; i < n; i++) {
      w[i] = weighted ? Math.max(0, w[i]) : 1;
    }
    device.copyIn(w, 0, weights.buffer, Guarded.GUARDS, n);
    double sum = 0;
    double total = 0;
    for (int i = 0; i < n; i++) {
      sum += w[i] * Math.pow((double) v[i] - t[i], 2);
      total += w[i];
    }
    Guarded mean = nan(2);
    add(x, target).buffer(weighted ? weights.buffer : null, Guarded.GUARDS);
    add(mean).i32(n);
    launch(Kernel.SQUARED_ERROR_MEAN, 1);
    assertNear(new double[] {sum / total, 1 / total}, mean.values(), NEAR, "mean");

    Guarded dX = beta == 0 ? nan(n) : Guarded.random(device, n, random);
    float[] before = dX.values();
    add(x, target).buffer(weighted ? weights.buffer : null, Guarded.GUARDS);
    add(mean, Guarded.of(device, -2), dX).real(beta);
    launch(Kernel.SQUARED_ERROR_BACKWARD, n);
    double[] expected = new double[n];
    for (int i = 0; i < n; i++) {
      expected[i] = -4 * w[i] * ((double) v[i] - t[i]) / total + (beta == 0 ? 0 : before[i]);
    }
    assertNear(expected, dX.values(), NEAR, "gradient");
  }

  @Test
  void squaredErrorLooksAtNoElementWithoutWeight() {
    int n = 35;
    Guarded x = Guarded.filled(device, n, 4);
    Guarded target = Guarded.filled(device, n, 2);
    Guarded weights = Guarded.filled(device, n, 0.5f);
    for (int i = 1; i < n; i += 3) {
      device.fill(x.buffer, Guarded.GUARDS + i, 1, Double.NaN);
      device.fill(weights.buffer, Guarded.GUARDS + i, 1, 0);
    }
    Guarded mean = nan(2);
    add(x, target, weights, mean).i32(n);
    launch(Kernel.SQUARED_ERROR_MEAN, 1);
    assertArrayEquals(new float[] {4, 1 / 11.5f}, mean.values());
  }

  @Test
  void squaredErrorWithoutWeightIsZero() {
    Guarded mean = nan(2);
    Guarded x = Guarded.of(device, Float.NaN);
    Guarded target = Guarded.of(device, 2);
    Guarded weight = Guarded.of(device, 0);
    add(x, target, weight, mean).i32(1);
    launch(Kernel.SQUARED_ERROR_MEAN, 1);
    assertArrayEquals(new float[2], mean.values());
    Guarded dX = nan(1);
    add(x, target, weight, mean, Guarded.of(device, 1), dX).real(0);
    launch(Kernel.SQUARED_ERROR_BACKWARD, 1);
    assertArrayEquals(new float[1], dX.values());
  }

  /** One element's weight, gradient and moments; the formulas of docs/equations.md. */
  private static void step(Kernel kernel, double[] e) {
    double lr = 0.1;
    double decay = 0.02;
    double g = e[1] + decay * e[0];
    switch (kernel) {
      case SGD -> e[0] -= lr * g;
      case MOMENTUM -> {
        e[2] = 0.9 * e[2] + g;
        e[0] -= lr * e[2];
      }
      case ADAGRAD -> {
        e[2] += g * g;
        e[0] -= lr * g / (Math.sqrt(e[2]) + 1e-3);
      }
      case RMSPROP -> {
        e[2] = 0.97 * e[2] + 0.03 * g * g;
        e[0] -= lr * g / (Math.sqrt(e[2]) + 1e-3);
      }
      default -> {
        e[0] -= lr * 0.05 * e[0];
        double gradient = e[1] + decay * e[0];
        e[2] = 0.9 * e[2] + 0.1 * gradient;
        e[3] = 0.999 * e[3] + 0.001 * gradient * gradient;
        e[0] -= lr * (e[2] / 0.19) / (Math.sqrt(e[3] / 0.002) + 1e-3);
      }
    }
  }

  private void addParameters(Kernel kernel) {
    switch (kernel) {
      case SGD -> args.real(0.1).real(0.02);
      case MOMENTUM -> args.real(0.1).real(0.9).real(0.02);
      case ADAGRAD -> args.real(0.1).real(1e-3).real(0.02);
      case RMSPROP -> args.real(0.1).real(0.97).real(1 - 0.97).real(1e-3).real(0.02);
      default ->
          args.real(0.1 / 0.19)
              .real(0.9)
              .real(1 - 0.9)
              .real(0.999)
              .real(1 - 0.999)
              .real(1 / 0.002)
              .real(1e-3)
              .real(0.02)
              .real(0.1 * 0.05);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"SGD", "MOMENTUM", "ADAGRAD", "RMSPROP", "ADAM"})
  void optimizer(Kernel kernel) {
    int moments = kernel == Kernel.SGD ? 0 : kernel == Kernel.ADAM ? 2 : 1;
    for (int n : new int[] {1, 19, 40_003}) {
      Guarded[] state = new Guarded[2 + moments];
      double[][] elements = new double[n][state.length];
      for (int s = 0; s < state.length; s++) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
          float signed = 2 * random.nextFloat() - 1;
          values[i] = s < 2 ? signed : signed * signed; // moments of squares are not negative
          elements[i][s] = values[i];
        }
        state[s] = Guarded.of(device, values);
      }
      add(state);
      addParameters(kernel);
      launch(kernel, n);
      for (double[] element : elements) {
        step(kernel, element);
      }
      for (int s = 0; s < state.length; s++) {
        int which = s;
        double[] expected = Arrays.stream(elements).mapToDouble(e -> e[which]).toArray();
        assertNear(expected, state[s].values(), 2 * NEAR, kernel + " buffer " + s);
      }
    }
  }
}
