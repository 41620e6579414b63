package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.Precision;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.reference.Arithmetic;
import io.unroll.reference.ReferenceNetwork;
import io.unroll.reference.Sequence;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Layers of recurrences: outputs, final states, and the gradients of sum(output*d_output) +
 * sum(h_n*d_h_n) + sum(c_n*d_c_n) with respect to the input, the first states and every parameter.
 */
final class RecurrentCheck implements GoldenCheck {
  private final RecurrentConfig config;
  private final boolean float64;
  private final int[] xShape;
  private final int[] stateShape;
  private final int[] lengths;
  private final Map<String, double[]> given = new LinkedHashMap<>();
  private final Map<String, int[]> shapes = new LinkedHashMap<>();
  private final Map<String, double[]> expected = new LinkedHashMap<>();

  private RecurrentCheck(TensorFile file) throws IOException {
    config = configOf(file);
    float64 = file.isFloat64();
    int slots = config.layers() * config.directions();
    xShape = file.shape("x", 3, "[T,B,I]");
    int steps = xShape[0];
    int batch = xShape[1];
    stateShape = new int[] {slots, batch, config.hiddenSize()};
    file.requireMetadataAgrees("T", String.valueOf(steps));
    file.requireMetadataAgrees("B", String.valueOf(batch));
    give(file, "x", steps, batch, config.inputSize());
    lengths = file.has("lengths") ? file.integers("lengths", 1, steps, steps, batch) : null;
    int[] outputShape = {steps, batch, config.directions() * config.hiddenSize()};
    expect(file, "output", outputShape);
    giveIfThere(file, "d_output", outputShape);
    for (String state : config.cell().states()) {
      giveIfThere(file, state + "_0", stateShape);
      expectIfThere(file, state + "_n", stateShape);
      giveIfThere(file, "d_" + state + "_n", stateShape);
      expectIfThere(file, "grad." + state + "_0", stateShape);
    }
    expectIfThere(file, "grad.x", xShape);
    for (Map.Entry<String, int[]> parameter : parameterShapes(config).entrySet()) {
      give(file, "param." + parameter.getKey(), parameter.getValue());
      expectIfThere(file, "grad." + parameter.getKey(), parameter.getValue());
    }
    file.requireAllRead("loss");
    requireStarts(file);
  }

  static GoldenCheck read(TensorFile file) throws IOException {
    return new RecurrentCheck(file);
  }

  private static RecurrentConfig configOf(TensorFile file) throws FileFormatException {
    CellSpec cell;
    try {
      cell = CellSpec.of(file.requireMetadata("cell"));
    } catch (IllegalArgumentException e) {
      throw file.wrong("in the metadata, " + e.getMessage(), "Correct the metadata.");
    }
    int layers = 0;
    while (file.has("param.weight_ih_l" + layers)) {
      layers++;
    }
    boolean bidirectional = file.has("param.weight_ih_l0_reverse");
    int hidden = file.shape("param.weight_hh_l0", 2, "[G*H,H]")[1];
    int input = file.shape("param.weight_ih_l0", 2, "[G*H,I]")[1];
    file.requireMetadataAgrees("hidden_size", String.valueOf(hidden));
    file.requireMetadataAgrees("input_size", String.valueOf(input));
    file.requireMetadataAgrees("num_layers", String.valueOf(layers));
    file.requireMetadataAgrees("bidirectional", String.valueOf(bidirectional));
    return RecurrentConfig.of(cell, input, hidden)
        .withLayers(layers)
        .withBidirectional(bidirectional);
  }

  private static Map<String, int[]> parameterShapes(RecurrentConfig config) {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    int rows = config.cell().gateCount() * config.hiddenSize();
    for (int layer = 0; layer < config.layers(); layer++) {
      int inputs = layer == 0 ? config.inputSize() : config.directions() * config.hiddenSize();
      for (int d = 0; d < config.directions(); d++) {
        String suffix = "_l" + layer + (d == 1 ? "_reverse" : "");
        shapes.put("weight_ih" + suffix, new int[] {rows, inputs});
        shapes.put("weight_hh" + suffix, new int[] {rows, config.hiddenSize()});
        shapes.put("bias_ih" + suffix, new int[] {rows});
        shapes.put("bias_hh" + suffix, new int[] {rows});
        int own = config.cell().unitWeightCount() * config.hiddenSize();
        if (own > 0) {
          shapes.put("weight_unit" + suffix, new int[] {own});
        }
      }
    }
    return shapes;
  }

  private void give(TensorFile file, String name, int... shape) throws IOException {
    given.put(name, file.reals(name, shape));
    shapes.put(name, shape);
  }

  private void giveIfThere(TensorFile file, String name, int... shape) throws IOException {
    if (file.has(name)) {
      give(file, name, shape);
    }
  }

  private void expect(TensorFile file, String name, int... shape) throws IOException {
    expected.put(name, file.reals(name, shape));
    shapes.put(name, shape);
  }

  private void expectIfThere(TensorFile file, String name, int... shape) throws IOException {
    if (file.has(name)) {
      expect(file, name, shape);
    }
  }

  /** Gradients need a start, first states come together, and their gradients need them. */
  private void requireStarts(TensorFile file) throws FileFormatException {
    String cure = "Add what is missing; \"unroll verify --help\" shows a program that does.";
    if (hasGradients() && given.keySet().stream().noneMatch(name -> name.startsWith("d_"))) {
      throw file.wrong("it has gradients (grad.*) but no d_output, d_h_n or d_c_n", cure);
    }
    List<String> states = config.cell().states();
    for (String state : states) {
      if (given.containsKey(state + "_0") != given.containsKey(states.get(0) + "_0")) {
        throw file.wrong("of the first states of " + states + " only some are there", cure);
      }
      if (!hasInitial() && expected.containsKey("grad." + state + "_0")) {
        throw file.wrong("it has grad." + state + "_0 but no " + state + "_0", cure);
      }
    }
  }

  private boolean hasGradients() {
    return expected.keySet().stream().anyMatch(name -> name.startsWith("grad."));
  }

  private boolean hasInitial() {
    return given.containsKey(config.cell().states().get(0) + "_0");
  }

  @Override
  public String title() {
    return config.cell()
        + (config.bidirectional() ? ", both directions" : "")
        + ", layers "
        + config.layers()
        + ", T="
        + xShape[0]
        + " B="
        + xShape[1]
        + " I="
        + config.inputSize()
        + " H="
        + config.hiddenSize()
        + (lengths == null ? "" : ", ragged");
  }

  @Override
  public List<Verdict> run(Backend backend) {
    Map<String, double[]> found = compute(backend);
    Map<String, double[]> plainErrors = Map.of();
    if (!float64 || backend.precision() != Precision.FP64) {
      boolean exact = backend.precision() == Precision.FP64;
      plainErrors = plainErrors(exact ? Arithmetic.FLOAT32 : Arithmetic.of(backend.precision()));
    }
    List<Verdict> verdicts = new ArrayList<>();
    for (String name : expected.keySet()) {
      verdicts.add(
          Verdict.of(
              name, shapes.get(name), expected.get(name), plainErrors.get(name), found.get(name)));
    }
    return verdicts;
  }

  private Map<String, double[]> compute(Backend backend) {
    try (Parameters parameters = new Parameters(backend, 0);
        Tape tape = new Tape(backend)) {
      Recurrent network = new Recurrent(parameters, "", config);
      for (String name : parameters.names()) {
        parameters.set(name, given.get("param." + name));
      }
      tape.begin(Tape.Mode.TRAINING);
      Tensor x = tape.input(given.get("x"), xShape).withGradient();
      List<Tensor> initial = new ArrayList<>();
      for (String state : config.cell().states()) {
        if (hasInitial()) {
          initial.add(tape.input(given.get(state + "_0"), stateShape).withGradient());
        }
      }
      Recurrent.Output output =
          network.forward(
              x,
              new Recurrent.Options(
                  lengths == null ? null : tape.indices(lengths, lengths.length),
                  null,
                  initial,
                  null));
      Map<String, Tensor> results = new LinkedHashMap<>();
      results.put("output", output.y());
      for (int s = 0; s < config.cell().stateCount(); s++) {
        results.put(config.cell().states().get(s) + "_n", output.finalStates().get(s));
      }
      Map<String, double[]> found = new LinkedHashMap<>();
      results.forEach((name, tensor) -> found.put(name, tensor.toDoubles()));
      if (hasGradients()) {
        backward(tape, results);
        found.put("grad.x", x.gradientToDoubles());
        for (int s = 0; s < initial.size(); s++) {
          String name = "grad." + config.cell().states().get(s) + "_0";
          found.put(name, initial.get(s).gradientToDoubles());
        }
        for (String name : parameters.names()) {
          found.put("grad." + name, parameters.get(name).gradientToDoubles());
        }
      }
      return found;
    }
  }

  private void backward(Tape tape, Map<String, Tensor> results) {
    List<Tensor> reached = new ArrayList<>();
    List<Tensor> starts = new ArrayList<>();
    results.forEach(
        (name, tensor) -> {
          if (given.containsKey("d_" + name)) {
            reached.add(tensor);
            starts.add(tape.input(given.get("d_" + name), tensor.shape()));
          }
        });
    tape.backward(reached, starts);
  }

  /**
   * How far plain arithmetic is off the exact one on this input. The file's own results are not the
   * yardstick: an error in them would widen the tolerance by as much.
   */
  private Map<String, double[]> plainErrors(Arithmetic arithmetic) {
    Map<String, double[]> errors = computePlainly(arithmetic);
    Map<String, double[]> exact = computePlainly(Arithmetic.FLOAT64);
    errors.forEach((name, plain) -> Arrays.setAll(plain, i -> plain[i] - exact.get(name)[i]));
    return errors;
  }

  private Map<String, double[]> computePlainly(Arithmetic arithmetic) {
    ReferenceNetwork network =
        new ReferenceNetwork(
            config.cell(),
            config.inputSize(),
            config.hiddenSize(),
            config.layers(),
            config.bidirectional(),
            arithmetic);
    Map<String, double[]> parameters = new LinkedHashMap<>();
    for (String name : parameterShapes(config).keySet()) {
      parameters.put(name, given.get("param." + name));
    }
    Sequence input =
        new Sequence(xShape[0], xShape[1], config.inputSize(), given.get("x"), lengths);
    double[][] initial = hasInitial() ? states("", "_0") : null;
    ReferenceNetwork.Forward forward = network.forward(input, initial, parameters);
    ReferenceNetwork.Gradients backward =
        network.backward(forward, given.get("d_output"), states("d_", "_n"));
    Map<String, double[]> plain = new LinkedHashMap<>();
    plain.put("output", forward.output());
    plain.put("grad.x", backward.dx());
    for (int s = 0; s < config.cell().stateCount(); s++) {
      String state = config.cell().states().get(s);
      plain.put(state + "_n", forward.finalStates()[s]);
      plain.put("grad." + state + "_0", backward.dInitialStates()[s]);
    }
    backward.dParameters().forEach((name, values) -> plain.put("grad." + name, values));
    return plain;
  }

  /** For each state the given tensor of that prefix and suffix, or zeros. */
  private double[][] states(String prefix, String suffix) {
    int size = Arrays.stream(stateShape).reduce(1, (a, b) -> a * b);
    return config.cell().states().stream()
        .map(state -> given.getOrDefault(prefix + state + suffix, new double[size]))
        .toArray(double[][]::new);
  }
}
