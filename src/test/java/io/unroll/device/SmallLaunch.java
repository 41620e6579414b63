package io.unroll.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** One small launch of any kernel but those of cells, with the same numbers on every device. */
final class SmallLaunch implements AutoCloseable {
  private static final int ROWS = 5;
  private static final int TABLE = 4;
  private static final int IGNORE = -100;

  private final Device device;
  private final int n;
  private final double beta;
  private final Random random = new Random(17);
  private final List<Guarded> reals = new ArrayList<>();
  private final List<DeviceBuffer> integers = new ArrayList<>();
  private final KernelArgs args = new KernelArgs();

  /**
   * Queues nothing yet.
   *
   * @param n columns, classes or elements
   * @param beta 0 or 1, for kernels that have it
   */
  SmallLaunch(Device device, int n, double beta) {
    this.device = device;
    this.n = n;
    this.beta = beta;
  }

  /** Runs it; gives all that its buffers hold afterwards, and checks their guards. */
  float[] run(Kernel kernel) {
    long items = fill(kernel);
    device.launch(device.compile(kernel, null), items, args);
    List<Float> all = new ArrayList<>();
    for (Guarded buffer : reals) {
      for (float value : buffer.values()) {
        all.add(value);
      }
    }
    for (DeviceBuffer buffer : integers) {
      int[] values = new int[(int) buffer.length()];
      device.copyOut(buffer, 0, values, 0, values.length);
      for (int value : values) {
        all.add((float) value);
      }
    }
    float[] result = new float[all.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = all.get(i);
    }
    return result;
  }

  private SmallLaunch reals(int... lengths) {
    for (int length : lengths) {
      Guarded buffer = Guarded.random(device, length, random);
      reals.add(buffer);
      buffer.addTo(args);
    }
    return this;
  }

  /** As {@link #reals}, but none is negative: a moment of squares, a sum of squares, a weight. */
  private SmallLaunch squares(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextFloat();
    }
    Guarded buffer = Guarded.of(device, values);
    reals.add(buffer);
    buffer.addTo(args);
    return this;
  }

  private SmallLaunch integers(int least, int most) {
    return integers(random.ints(ROWS, least, most + 1).toArray());
  }

  private SmallLaunch integers(int[] values) {
    DeviceBuffer buffer = device.allocate(ElementType.INT, values.length, "integers");
    device.copyIn(values, 0, buffer, 0, values.length);
    integers.add(buffer);
    args.buffer(buffer, 0);
    return this;
  }

  private SmallLaunch i32(int... values) {
    for (int value : values) {
      args.i32(value);
    }
    return this;
  }

  private SmallLaunch real(double... values) {
    for (double value : values) {
      args.real(value);
    }
    return this;
  }

  private SmallLaunch i64(long... values) {
    for (long value : values) {
      args.i64(value);
    }
    return this;
  }

  /** Adds the arguments of a kernel whose items are n elements or one sum; gives the items. */
  private long elements(Kernel kernel) {
    switch (kernel) {
      case TANH_FORWARD, SIGMOID_FORWARD, RELU_FORWARD -> reals(n, n);
      case TANH_BACKWARD, SIGMOID_BACKWARD, RELU_BACKWARD, MULTIPLY -> reals(n, n, n).real(beta);
      case AXPBY -> reals(n, n).real(0.3, beta);
      case DROPOUT -> reals(n, n).real(0.4, 1 / 0.6).i64(7, 3).real(beta);
      case SCALE_BY -> reals(n, 1);
      case CLAMP -> reals(n).real(0.4);
      case SGD -> reals(n, n).real(0.1, 0.02);
      case MOMENTUM -> reals(n, n, n).real(0.1, 0.9, 0.02);
      case ADAGRAD -> reals(n, n).squares(n).real(0.1, 1e-3, 0.02);
      case RMSPROP -> reals(n, n).squares(n).real(0.1, 0.97, 0.03, 1e-3, 0.02);
      case ADAM ->
          reals(n, n, n).squares(n).real(0.5, 0.9, 0.1, 0.999, 0.001, 500, 1e-3, 0.02, 0.99);
      case SQUARED_ERROR_BACKWARD -> {
        reals(n, n);
        args.buffer(null, 0);
        reals(2, 1, n).real(beta);
      }
      default -> throw new AssertionError("no arguments are known for " + kernel);
    }
    return n;
  }

  /** Adds the arguments; gives the items. */
  private long fill(Kernel kernel) {
    int all = ROWS * n;
    return switch (kernel) {
      case COLUMN_SUM -> items(n, reals(all, n).i32(ROWS, n).real(beta));
      case SCATTER_ADD_ROWS ->
          items(n, reals(all).integers(-1, TABLE - 1).reals(TABLE * n).i32(ROWS, n, TABLE));
      case BIAS_ADD -> items(all, reals(all, n).i32(n));
      case GATHER_ROWS -> items(all, reals(TABLE * n).integers(-1, TABLE - 1).reals(all).i32(n));
      case MASK_ROWS -> items(all, reals(all).integers(0, 1).reals(all).i32(n));
      case COPY_ROWS ->
          items(all, reals(ROWS * (n + 2), ROWS * (n + 1)).i32(n, n + 2, n + 1).real(beta));
      case TRANSPOSE -> items(all, reals(all, all).i32(ROWS, n).real(beta));
      case SQUARE_SUM -> items(ROWS, reals(n, ROWS).i64(n).i32(ROWS));
      case CROSS_ENTROPY_FORWARD ->
          items(ROWS, smoothed(reals(all).integers(0, n - 1).reals(ROWS, ROWS)));
      case CROSS_ENTROPY_MEAN ->
          items(1, reals(ROWS).integers(0, n - 1).reals(2).i32(ROWS, IGNORE));
      case CROSS_ENTROPY_BACKWARD ->
          items(all, smoothed(reals(all).integers(0, n - 1).reals(ROWS, 2, 1, all)).real(beta));
      case SAMPLE ->
          items(ROWS, reals(all).integers(-2, -1).i32(n, n % 4).real(n % 5).i64(7, 1L << 33));
      case CTC_EMISSIONS, CTC_PATHS, CTC_BACKWARD -> ctc(kernel);
      case SQUARED_ERROR_MEAN -> items(1, reals(n, n).squares(n).reals(2).i32(n));
      case CLIP_FACTOR -> items(1, squares(n).reals(2).i32(n).real(0.5));
      case SOFTMAX_FORWARD ->
          items(ROWS, reals(all).integers(0, n).reals(all).i32(n, ROWS).real(3));
      case SOFTMAX_BACKWARD ->
          items(ROWS, reals(all, all).integers(0, n).reals(all).i32(n, ROWS).real(3, beta));
      case ADDITIVE_SCORE_FORWARD ->
          items(ROWS * TABLE, reals(all, TABLE * n, n, ROWS * TABLE).i32(1, TABLE, n));
      case ADDITIVE_SCORE_BACKWARD ->
          items(
              all,
              reals(all, TABLE * n, n, ROWS * TABLE, all, all)
                  .i32(1, ROWS, TABLE, n, n % 2)
                  .real(beta));
      default -> elements(kernel);
    };
  }

  /**
   * Adds the arguments of a kernel of CTC: two rows, one of n labels that no 9 frames can read as,
   * one of a single label. Class 0 is the blank.
   */
  private long ctc(Kernel kernel) {
    int steps = kernel == Kernel.CTC_PATHS ? 9 : 2;
    int frames = 2 * steps;
    int classes = n + 2;
    int[] symbols = new int[2 * (n + 2)];
    for (int k = 1; k <= n; k++) {
      symbols[k] = 1 + random.nextInt(n + 1);
    }
    symbols[n + 3] = 1;
    int states = 2 * n + 3;
    reals(frames * (kernel == Kernel.CTC_PATHS ? n + 1 : classes)).integers(symbols);
    if (kernel != Kernel.CTC_EMISSIONS) {
      integers(new int[] {n, 1});
    }
    integers(new int[] {steps, steps - 1});
    return switch (kernel) {
      case CTC_EMISSIONS -> items(frames, reals(frames, frames * (n + 1)).i32(2, classes, n));
      case CTC_PATHS ->
          items(4, squares(2).reals(2 * frames * states, 2, 2).i32(steps, 2, n, (int) beta));
      default ->
          items(
              frames,
              reals(frames, frames * (n + 1), 2 * frames * states, 2, 1, frames * classes)
                  .i32(steps, 2, classes, n)
                  .real(beta));
    };
  }

  /** Classes, the ignored one, and targets of which a tenth is spread over all classes. */
  private SmallLaunch smoothed(SmallLaunch buffers) {
    double other = 0.1 / n;
    return buffers.i32(n, IGNORE).real(0.9 + other, other);
  }

  /** So many, after the arguments were added. */
  private static long items(long count, SmallLaunch added) {
    assert added.args.count() > 0;
    return count;
  }

  @Override
  public void close() {
    reals.forEach(Guarded::close);
    integers.forEach(DeviceBuffer::close);
  }
}
