package io.unroll.benchmarks;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.Philox;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Milliseconds of recurrent layers over a whole sequence. What is timed begins with the input on
 * the device and ends when the device is idle again; copies to it and zeroing the gradients stand
 * outside. The yardstick is {@code unroll bench}, which prints the same as GFLOP/s.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class RecurrentBenchmark {
  private static final long SEED = 1;

  /** Layers with their input [T,B,I] and the gradient of their output [T,B,D*H], on the host. */
  @State(Scope.Thread)
  public static class Layer {
    /** The name of a cell. */
    @Param({"tanh", "relu", "gru", "lstm"})
    public String cell;

    /** TxBxIxH; JMH takes a comma as the end of a value. */
    @Param({"64x1x128x128", "128x32x128x128", "64x32x512x512", "50x50x64x128"})
    public String shape;

    /** Layers on top of each other. */
    @Param("1")
    public int layers;

    /** {@code one} or {@code both}: each layer also from the end. */
    @Param("one")
    public String direction;

    /** {@code full}, or {@code ragged}: rows of T down to about T/2 steps, as grid.txt has it. */
    @Param("full")
    public String lengths;

    /** What {@link Backend#open(String)} takes. */
    @Param("cpu")
    public String backend;

    private Backend device;
    private Parameters parameters;
    private Tape tape;
    private Recurrent recurrent;
    private int steps;
    private int batch;
    private int inputSize;
    private int hiddenSize;
    private int[] rowSteps; // null if all rows are full
    private float[] x;
    private float[] dY;

    /** Builds it and checks the results of one training step. */
    @Setup
    public void build() {
      String[] sizes = shape.split("x");
      steps = Integer.parseInt(sizes[0]);
      batch = Integer.parseInt(sizes[1]);
      inputSize = Integer.parseInt(sizes[2]);
      hiddenSize = Integer.parseInt(sizes[3]);
      boolean both = isSecond(direction, "one", "both");
      rowSteps = isSecond(lengths, "full", "ragged") ? ragged(steps, batch) : null;
      x = uniform(steps * batch * inputSize);
      dY = uniform(steps * batch * hiddenSize * (both ? 2 : 1));
      device = Backend.open(backend);
      parameters = new Parameters(device, SEED);
      tape = new Tape(device);
      CellSpec spec = CellSpec.of(cell);
      RecurrentConfig config = RecurrentConfig.of(spec, inputSize, hiddenSize);
      recurrent = new Recurrent(parameters, "", config.withLayers(layers).withBidirectional(both));
      requireFinite();
    }

    private static boolean isSecond(String value, String first, String second) {
      if (!value.equals(first) && !value.equals(second)) {
        throw new IllegalArgumentException(value + " is neither " + first + " nor " + second);
      }
      return value.equals(second);
    }

    private static int[] ragged(int steps, int batch) {
      return IntStream.range(0, batch).map(row -> steps - row * (steps / 2) / batch).toArray();
    }

    private static float[] uniform(int length) {
      float[] values = new float[length];
      for (int i = 0; i < length; i++) {
        values[i] = 2 * Philox.uniform(SEED, i) - 1;
      }
      return values;
    }

    private void requireFinite() {
      TrainingInput input = new TrainingInput();
      input.copy(this);
      Tensor y = new RecurrentBenchmark().train(input);
      requireFinite("output", y.toFloats());
      requireFinite("gradient of the input", input.x.gradientToFloats());
      for (String name : parameters.names()) {
        requireFinite("gradient of " + name, parameters.get(name).gradientToFloats());
      }
    }

    private static void requireFinite(String what, float[] values) {
      for (float value : values) {
        if (!Float.isFinite(value)) {
          throw new IllegalStateException("the " + what + " holds " + value);
        }
      }
    }

    private Tensor input() {
      return tape.input(x, steps, batch, inputSize);
    }

    private Tensor outputGradient() {
      return tape.input(dY, steps, batch, dY.length / steps / batch);
    }

    private Recurrent.Options options() {
      return Recurrent.Options.lengths(rowSteps == null ? null : tape.indices(rowSteps, batch));
    }

    /** Frees the device. */
    @TearDown
    public void close() {
      tape.close();
      parameters.close();
      device.close();
    }
  }

  // A new step before every invocation: JMH advises against this level only where an invocation is
  // shorter than its clock resolves well, and even one row of 64 steps takes tenths of a
  // millisecond. The inputs lead to their layer, because JMH gives a method that takes both
  // another layer.

  /** A step of a model in use. */
  @State(Scope.Thread)
  public static class EvaluationInput {
    private Layer layer;
    private Recurrent.Options options;
    private Tensor x;

    /** Begins the step and copies its input. */
    @Setup(Level.Invocation)
    public void copy(Layer layer) {
      this.layer = layer;
      layer.tape.begin(Tape.Mode.EVALUATION);
      x = layer.input();
      options = layer.options();
      layer.device.synchronize();
    }
  }

  /** A step of training, all gradients zero. */
  @State(Scope.Thread)
  public static class TrainingInput {
    private Layer layer;
    private Recurrent.Options options;
    private Tensor x;
    private List<Tensor> dY;

    /** Begins the step and copies its input. */
    @Setup(Level.Invocation)
    public void copy(Layer layer) {
      this.layer = layer;
      layer.tape.begin(Tape.Mode.TRAINING);
      x = layer.input().withGradient();
      options = layer.options();
      dY = List.of(layer.outputGradient());
      layer.parameters.zeroGradients();
      layer.device.synchronize();
    }
  }

  /** The outputs alone; nothing is kept for a backward pass. */
  @Benchmark
  public Tensor forward(EvaluationInput input) {
    Layer layer = input.layer;
    Tensor y = layer.recurrent.forward(input.x, input.options).y();
    layer.device.synchronize();
    return y;
  }

  /**
   * Forward, then backward from a fixed gradient of the output to the gradients of the input, of
   * every weight and of every bias. There is no loss and no update of the weights.
   */
  @Benchmark
  public Tensor train(TrainingInput input) {
    Layer layer = input.layer;
    Tensor y = layer.recurrent.forward(input.x, input.options).y();
    layer.tape.backward(List.of(y), input.dY);
    layer.device.synchronize();
    return y;
  }
}
