package io.unroll.io;

import io.unroll.Backend;
import io.unroll.Philox;
import io.unroll.nn.Embedding;
import io.unroll.nn.Indices;
import io.unroll.nn.Linear;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A small model of layers "embedding", "rnn" and "head", and the data that it is tried on; the same
 * weights and data on every backend.
 *
 * @param input what it reads
 * @param last whether the head reads the last state instead of every step
 * @param ragged whether rows have lengths
 * @param states whether first states are given
 */
record Network(RecurrentConfig config, Input input, boolean last, boolean ragged, boolean states) {
  enum Input {
    REAL,
    EMBEDDING,
    ONE_HOT
  }

  static final int STEPS = 6;
  static final int BATCH = 3;
  static final int SYMBOLS = 9;
  static final int CLASSES = 4;
  private static final long SEED = 20261124;

  /** Numbers in [-1, 1), another stream for every name. */
  static double[] random(String name, int count) {
    long stream = SEED * 1_000_003 + name.hashCode();
    return IntStream.range(0, count)
        .mapToDouble(i -> (float) (2.0 * Philox.uniform(stream, i) - 1))
        .toArray();
  }

  static int[] lengths() {
    return new int[] {4, STEPS, 1};
  }

  static int[] ids() {
    return IntStream.range(0, STEPS * BATCH)
        .map(i -> Math.floorMod(Philox.bits(SEED, i), SYMBOLS))
        .toArray();
  }

  double[] x() {
    return random("x", STEPS * BATCH * config.inputSize());
  }

  int[] stateShape() {
    return new int[] {config.slots(), BATCH, config.hiddenSize()};
  }

  double[] state(String name) {
    return random(name, Arrays.stream(stateShape()).reduce(1, (a, b) -> a * b));
  }

  /** The layers with weights that the names decide. */
  Layers build(Parameters parameters) {
    Embedding embedding =
        input == Input.EMBEDDING
            ? new Embedding(parameters, "embedding", SYMBOLS, config.inputSize())
            : null;
    Recurrent recurrent = new Recurrent(parameters, "rnn", config);
    int width = config.directions() * config.hiddenSize();
    Linear head = new Linear(parameters, "head", width, CLASSES);
    for (String name : parameters.names()) {
      parameters.set(name, random(name, (int) parameters.get(name).size()));
    }
    return new Layers(embedding, recurrent, head);
  }

  /** What {@link #build} made. */
  record Layers(Embedding embedding, Recurrent recurrent, Linear head) {}

  /** The results under the names that they have in ONNX. */
  Map<String, double[]> solve(String backendName) {
    try (Backend backend = Backend.open(backendName);
        Parameters parameters = new Parameters(backend, 1)) {
      return run(build(parameters), backend);
    }
  }

  Map<String, double[]> run(Layers layers, Backend backend) {
    try (Tape tape = new Tape(backend)) {
      tape.begin(Tape.Mode.EVALUATION);
      Indices lengths = ragged ? tape.indices(lengths(), BATCH) : null;
      List<Tensor> initial = null;
      if (states) {
        initial =
            config.cell().states().stream()
                .map(name -> tape.input(state(name), stateShape()))
                .toList();
      }
      Recurrent.Options options = new Recurrent.Options(lengths, null, initial, null);
      Recurrent.Output output =
          switch (input) {
            case REAL ->
                layers.recurrent.forward(
                    tape.input(x(), STEPS, BATCH, config.inputSize()), options);
            case EMBEDDING ->
                layers.recurrent.forward(
                    layers.embedding.forward(tape.indices(ids(), STEPS, BATCH)), options);
            case ONE_HOT -> layers.recurrent.forward(tape.indices(ids(), STEPS, BATCH), options);
          };
      Map<String, double[]> results = new LinkedHashMap<>();
      results.put("y", layers.head.forward(last ? output.last() : output.y()).toDoubles());
      for (int s = 0; s < config.cell().stateCount(); s++) {
        String name = "rnn." + config.cell().states().get(s) + "_n";
        results.put(name, output.finalStates().get(s).toDoubles());
      }
      return results;
    }
  }

  @Override
  public String toString() {
    return config.cell()
        + " "
        + config.layers()
        + "x"
        + config.directions()
        + " "
        + input
        + (last ? " last" : "")
        + (ragged ? " ragged" : "")
        + (states ? " states" : "");
  }
}
