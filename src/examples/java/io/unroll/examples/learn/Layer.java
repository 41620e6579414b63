package io.unroll.examples.learn;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.examples.Examples;
import io.unroll.nn.GradientCheck;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Ops;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.util.Arrays;
import java.util.Random;

/** docs/learn.md, chapters 4 and 5: the network of {@link Unrolled} as a layer, and other cells. */
final class Layer implements AutoCloseable {
  // learn layer begin
  final Parameters parameters;
  final Tape tape;
  final Recurrent recurrent;
  final Linear out;

  Layer(Backend backend, CellSpec cell, int inputSize, int hiddenSize) {
    parameters = new Parameters(backend, 1);
    tape = new Tape(backend);
    recurrent = new Recurrent(parameters, "rnn", RecurrentConfig.of(cell, inputSize, hiddenSize));
    out = new Linear(parameters, "out", hiddenSize, 1);
  }

  /** The answer to each row of x, [T,B,I], after its last step: [B,1]. */
  Tensor answer(Tensor x) {
    return out.forward(recurrent.forward(x).last());
  }

  // learn layer end

  // learn weights begin
  /** Takes the weights of the loops. */
  void set(Unrolled loops) {
    parameters.set("rnn.weight_ih_l0", flat(loops.wIh));
    parameters.set("rnn.weight_hh_l0", flat(loops.wHh));
    parameters.set("rnn.bias_ih_l0", loops.bias);
    parameters.set("rnn.bias_hh_l0", new double[loops.hiddenSize]);
    parameters.set("out.weight", loops.wOut);
    parameters.set("out.bias", new double[1]);
  }

  // learn weights end

  static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }

  // learn gradient begin
  /** The gradients of half the squared error, backwards through the tape. */
  void backward(double[][] x, double target) {
    parameters.zeroGradients();
    tape.begin(Tape.Mode.TRAINING);
    Tensor input = tape.input(flat(x), x.length, 1, x[0].length); // [T,B,I], time first
    Tensor expected = tape.input(new double[] {target}, 1, 1);
    tape.backward(Ops.scale(Losses.meanSquaredError(answer(input), expected), 0.5));
  }

  // learn gradient end

  // learn gradientcheck begin
  /** The largest relative error of any gradient; about 1e-8 if all are right. */
  double largestError(double[][] x) {
    return GradientCheck.run(
            tape,
            parameters,
            t -> {
              Tensor input = t.input(flat(x), x.length, 1, x[0].length);
              return Losses.meanSquaredError(answer(input), t.input(new double[] {1}, 1, 1));
            },
            1e-5)
        .error();
  }

  // learn gradientcheck end

  // learn gate begin
  /** Opens an LSTM's forget gates so far that a state lasts for about so many steps. */
  void remember(int steps) {
    int hidden = recurrent.config().hiddenSize();
    double[] bias = parameters.get("rnn.bias_hh_l0").toDoubles(); // gates i, f, g, o
    Arrays.fill(bias, hidden, 2 * hidden, Math.log(steps));
    parameters.set("rnn.bias_hh_l0", bias);
  }

  // learn gate end

  // learn memory begin
  /** Learns to say after so many steps what came first, 1 or -1; returns the losses. */
  double[] learn(int steps, int updates) {
    int batch = 32;
    Random random = new Random(1);
    try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(0.005))) {
      return Examples.train(
          trainer.clipNorm(1),
          (t, update) -> {
            float[] x = new float[steps * batch]; // [T,B,1]: the first steps of all rows first
            for (int i = 0; i < x.length; i++) {
              x[i] = i < batch ? (random.nextBoolean() ? 1 : -1) : random.nextFloat() - 0.5f;
            }
            Tensor first = t.input(Arrays.copyOf(x, batch), batch, 1);
            return Losses.meanSquaredError(answer(t.input(x, steps, batch, 1)), first);
          },
          updates);
    }
  }

  // learn memory end

  @Override
  public void close() {
    tape.close();
    parameters.close();
  }
}
