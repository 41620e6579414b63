package io.unroll.io;

import io.unroll.CellSpec;
import io.unroll.nn.Parameters;
import io.unroll.nn.RecurrentConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Puts a stack of recurrent layers into a graph: a node RNN, GRU or LSTM for each layer. */
final class OnnxStack {
  private static final List<String> STATES = List.of("h", "c");

  private final OnnxGraph graph;
  private final Parameters parameters;
  private final String prefix;
  private final RecurrentConfig config;
  private final CellSpec cell;
  private String top;

  /**
   * @param prefix before the names of the parameters, with its dot
   * @throws IllegalArgumentException if ONNX has no operator for the cell
   */
  OnnxStack(OnnxGraph graph, Parameters parameters, String prefix, RecurrentConfig config) {
    this.graph = graph;
    this.parameters = parameters;
    this.prefix = prefix;
    this.config = config;
    this.cell = config.cell();
    if (operator(cell) == null) {
      throw new IllegalArgumentException(
          "ONNX has no operator for the cell "
              + cell
              + "; it has those for tanh, relu, gru, lstm and lstm_peephole");
    }
  }

  /**
   * Adds a layer.
   *
   * @param x what it reads, [T,B,I]
   * @param lengths an input int32[B], or empty for none
   * @param states whether the graph shall have inputs for first states
   * @return what the layer puts out, [T,B,D*H]
   */
  String layer(int layer, String x, String lengths, boolean states) {
    if (layer == 0 && states) {
      STATES.subList(0, cell.stateCount()).forEach(this::firstStates);
    }
    String node = prefix + "l" + layer;
    top = node + ".h_n";
    List<String> inputs = new ArrayList<>(List.of(x));
    inputs.addAll(weights(layer));
    inputs.add(lengths);
    for (String state : STATES.subList(0, cell.stateCount())) {
      inputs.add(states ? node + "." + state + "_0" : "");
    }
    if (hasPeepholes()) {
      inputs.add(peepholes(layer));
    }
    List<String> outputs = new ArrayList<>(List.of(node + ".steps"));
    for (String state : STATES.subList(0, cell.stateCount())) {
      outputs.add(node + "." + state + "_n");
    }
    graph.node(operator(cell), node, inputs, outputs, attributes());
    graph.node(
        "Transpose",
        node + ".transpose",
        List.of(node + ".steps"),
        List.of(node + ".transposed"),
        OnnxGraph.attribute("perm", new long[] {0, 2, 1, 3}));
    graph.constant(node + ".shape", new long[] {0, 0, -1}, 3);
    graph.node(
        "Reshape",
        node + ".join",
        List.of(node + ".transposed", node + ".shape"),
        List.of(node + ".y"));
    return node + ".y";
  }

  /** The last h of the latest layer, [D,B,H]. */
  String top() {
    return top;
  }

  /** Makes the last states of all layers outputs of the graph. */
  void finalStates() {
    for (String state : STATES.subList(0, cell.stateCount())) {
      String name = prefix + state + "_n";
      graph.node(
          "Concat", name, layers(state + "_n"), List.of(name), OnnxGraph.attribute("axis", 0));
      graph.output(name, OnnxGraph.FLOAT, config.slots(), "B", config.hiddenSize());
    }
  }

  private void firstStates(String state) {
    String name = prefix + state + "_0";
    graph.input(name, OnnxGraph.FLOAT, config.slots(), "B", config.hiddenSize());
    graph.node(
        "Split",
        name + ".split",
        List.of(name),
        layers(state + "_0"),
        OnnxGraph.attribute("axis", 0));
  }

  private List<String> layers(String what) {
    List<String> all = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      all.add(prefix + "l" + layer + "." + what);
    }
    return all;
  }

  /** W [D,G*H,I], R [D,G*H,H] and B [D,2*G*H] as constants of the graph. */
  private List<String> weights(int layer) {
    int hidden = config.hiddenSize();
    int directions = config.directions();
    long rows = (long) cell.gateCount() * hidden;
    int inputSize = config.inputSize(layer * directions);
    String node = prefix + "l" + layer;
    constant(node + ".W", layer, List.of("weight_ih"), directions, rows, inputSize);
    constant(node + ".R", layer, List.of("weight_hh"), directions, rows, hidden);
    constant(node + ".B", layer, List.of("bias_ih", "bias_hh"), directions, 2 * rows);
    return List.of(node + ".W", node + ".R", node + ".B");
  }

  private void constant(String name, int layer, List<String> parts, long... shape) {
    List<double[]> all = new ArrayList<>();
    for (int d = 0; d < config.directions(); d++) {
      for (String part : parts) {
        double[] values = values(part, layer * config.directions() + d);
        all.add(GateOrder.reorder(values, cell.gates(), order(cell)));
      }
    }
    graph.constant(name, joined(all), shape);
  }

  private String peepholes(int layer) {
    List<double[]> all = new ArrayList<>();
    for (int d = 0; d < config.directions(); d++) {
      double[] values = values("weight_unit", layer * config.directions() + d);
      all.add(GateOrder.reorder(values, cell.unitWeights(), GateOrder.ONNX_PEEPHOLES));
    }
    String name = prefix + "l" + layer + ".P";
    graph.constant(name, joined(all), config.directions(), 3L * config.hiddenSize());
    return name;
  }

  private double[] values(String what, int slot) {
    return parameters.get(prefix + config.parameterName(what, slot)).toDoubles();
  }

  private static double[] joined(List<double[]> parts) {
    return parts.stream().flatMapToDouble(Arrays::stream).toArray();
  }

  private boolean hasPeepholes() {
    return cell.equals(CellSpec.LSTM_PEEPHOLE);
  }

  /** ONNX's operator for a cell, or null if it has none. */
  static String operator(CellSpec cell) {
    if (cell.equals(CellSpec.TANH) || cell.equals(CellSpec.RELU)) {
      return "RNN";
    }
    if (cell.equals(CellSpec.GRU)) {
      return "GRU";
    }
    return cell.equals(CellSpec.LSTM) || cell.equals(CellSpec.LSTM_PEEPHOLE) ? "LSTM" : null;
  }

  private ProtobufWriter[] attributes() {
    List<ProtobufWriter> all = new ArrayList<>();
    all.add(OnnxGraph.attribute("hidden_size", config.hiddenSize()));
    all.add(OnnxGraph.attribute("direction", config.bidirectional() ? "bidirectional" : "forward"));
    if (cell.gateCount() == 1) {
      String activation = cell.equals(CellSpec.RELU) ? "Relu" : "Tanh";
      all.add(
          OnnxGraph.attribute("activations", Collections.nCopies(config.directions(), activation)));
    }
    if (cell.equals(CellSpec.GRU)) {
      all.add(OnnxGraph.attribute("linear_before_reset", 1));
    }
    return all.toArray(ProtobufWriter[]::new);
  }

  /** The order of the gates in ONNX. */
  static List<String> order(CellSpec cell) {
    return switch (cell.gateCount()) {
      case 1 -> GateOrder.PLAIN;
      case 3 -> GateOrder.GRU;
      default -> GateOrder.ONNX_LSTM;
    };
  }
}
