package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.Philox;
import io.unroll.device.DeviceProfiler;
import io.unroll.device.DeviceProfiler.KernelTime;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Times a {@link Recurrent} at one shape. What is timed begins with the input on the device and
 * ends when the device is idle again: copies to it and zeroing the gradients stand outside.
 */
final class RecurrentBench implements AutoCloseable {
  /** What is timed. */
  enum Mode {
    /** The outputs alone; nothing is kept for a backward pass. */
    FORWARD,
    /**
     * Forward, then backward from a fixed gradient of the output to the gradients of the input, of
     * every weight and of every bias. There is no loss and no update of the weights.
     */
    TRAIN
  }

  /** The least number of runs, however long they take. */
  static final int MIN_RUNS = 5;

  private static final long SEED = 1;
  private static final double NANOS = 1e9;

  private final Backend backend;
  private final Shape shape;
  private final Mode mode;
  private final Parameters parameters;
  private final Tape tape;
  private final Recurrent network;
  private final float[] x;
  private final float[] dY;
  private Tensor input;
  private Tensor output;
  private double seconds;

  RecurrentBench(Backend backend, BenchCase what) {
    this.backend = backend;
    this.shape = what.shape();
    this.mode = what.mode();
    this.parameters = new Parameters(backend, SEED);
    this.tape = new Tape(backend);
    RecurrentConfig config = RecurrentConfig.of(what.cell(), shape.inputSize(), shape.hiddenSize());
    this.network = new Recurrent(parameters, "", config.withLayers(what.layers()));
    this.x = uniform(shape.inputSize());
    this.dY = uniform(shape.hiddenSize());
  }

  private float[] uniform(int width) {
    int length = Math.multiplyExact(Math.multiplyExact(shape.steps(), shape.batch()), width);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = 2 * Philox.uniform(SEED, i) - 1;
    }
    return values;
  }

  /**
   * Warms up for half the time and at least {@value #MIN_RUNS} runs, checks the results, then
   * times.
   *
   * @param atLeast seconds of timed runs in all
   * @return milliseconds of each run, ascending; at least {@value #MIN_RUNS}
   * @throws WorkFailedException if a result is NaN or infinite
   */
  double[] measure(double atLeast) {
    repeat(atLeast / 2);
    requireFinite();
    return repeat(atLeast).stream().mapToDouble(s -> s * 1e3).sorted().toArray();
  }

  /**
   * Times single kernels over some runs; to be called after {@link #measure}, so that all are warm.
   */
  List<KernelTime> profile(DeviceProfiler profiler, int runs) {
    profiler.start();
    for (int i = 0; i < runs; i++) {
      runOnce();
    }
    return profiler.stop();
  }

  private List<Double> repeat(double atLeast) {
    List<Double> times = new ArrayList<>();
    for (double total = 0; times.size() < MIN_RUNS || total < atLeast; total += seconds) {
      runOnce();
      times.add(seconds);
    }
    return times;
  }

  private void runOnce() {
    boolean train = mode == Mode.TRAIN;
    tape.begin(train ? Tape.Mode.TRAINING : Tape.Mode.EVALUATION);
    input = tape.input(x, shape.steps(), shape.batch(), shape.inputSize());
    Tensor start = null;
    if (train) {
      input.withGradient();
      start = tape.input(dY, shape.steps(), shape.batch(), shape.hiddenSize());
      parameters.zeroGradients();
    }
    backend.synchronize();
    long begun = System.nanoTime();
    output = network.forward(input).y();
    if (train) {
      tape.backward(List.of(output), List.of(start));
    }
    backend.synchronize();
    seconds = (System.nanoTime() - begun) / NANOS;
  }

  private void requireFinite() {
    requireFinite("output", output.toFloats());
    if (mode == Mode.TRAIN) {
      requireFinite("gradient of the input", input.gradientToFloats());
      for (String name : parameters.names()) {
        requireFinite("gradient of " + name, parameters.get(name).gradientToFloats());
      }
    }
  }

  private void requireFinite(String what, float[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new WorkFailedException(
            "the "
                + what
                + " holds "
                + values[i]
                + " at flat index "
                + i
                + " on "
                + backend.description()
                + "; the times would mean nothing. Compare the device with \"unroll verify\"");
      }
    }
  }

  /**
   * The value below which a share of sorted values lies, interpolated linearly.
   *
   * @param share from 0 to 1
   */
  static double quantile(double[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  @Override
  public void close() {
    tape.close();
    parameters.close();
  }
}
