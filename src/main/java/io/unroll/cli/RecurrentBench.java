package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.Philox;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.util.List;

/**
 * A {@link Recurrent} at one shape. What is timed begins with the input on the device: copies to it
 * and zeroing the gradients stand outside.
 */
final class RecurrentBench implements Workload {
  private static final long SEED = 1;

  private final Backend backend;
  private final Shape shape;
  private final boolean train;
  private final int[] lengths; // null if all rows are full
  private final Parameters parameters;
  private final Tape tape;
  private final Recurrent network;
  private final float[] x;
  private final float[] dY;
  private final int[] inputShape;
  private final int[] outputShape;
  private Tensor input;
  private Tensor output;
  private Tensor start;
  private Recurrent.Options options;

  RecurrentBench(Backend backend, BenchCase what) {
    this.backend = backend;
    this.shape = what.shape();
    this.train = what.mode() == BenchCase.Mode.TRAIN;
    this.lengths = what.ragged() ? what.lengths() : null;
    this.parameters = new Parameters(backend, SEED);
    this.tape = new Tape(backend);
    RecurrentConfig config = RecurrentConfig.of(what.cell(), shape.inputSize(), shape.hiddenSize());
    this.network =
        new Recurrent(
            parameters,
            "",
            config.withLayers(what.layers()).withBidirectional(what.bidirectional()));
    this.inputShape = new int[] {shape.steps(), shape.batch(), shape.inputSize()};
    this.outputShape =
        new int[] {shape.steps(), shape.batch(), what.directions() * shape.hiddenSize()};
    this.x = uniform(inputShape);
    this.dY = uniform(outputShape);
  }

  private static float[] uniform(int[] shape) {
    float[] values =
        new float[Math.multiplyExact(Math.multiplyExact(shape[0], shape[1]), shape[2])];
    for (int i = 0; i < values.length; i++) {
      values[i] = 2 * Philox.uniform(SEED, i) - 1;
    }
    return values;
  }

  @Override
  public void prepare() {
    tape.begin(train ? Tape.Mode.TRAINING : Tape.Mode.EVALUATION);
    input = tape.input(x, inputShape);
    options =
        Recurrent.Options.lengths(lengths == null ? null : tape.indices(lengths, lengths.length));
    if (train) {
      input.withGradient();
      start = tape.input(dY, outputShape);
      parameters.zeroGradients();
    }
  }

  @Override
  public void work() {
    output = network.forward(input, options).y();
    if (train) {
      tape.backward(List.of(output), List.of(start));
    }
  }

  @Override
  public void requireFinite() {
    requireFinite("output", output.toFloats());
    if (train) {
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

  @Override
  public void close() {
    tape.close();
    parameters.close();
  }
}
