package io.unroll.io;

import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.io.OnnxParser.Attribute;
import io.unroll.io.OnnxParser.Node;
import io.unroll.nn.RecurrentConfig;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A node RNN, GRU or LSTM as a layer of a stack. */
final class OnnxLayer {
  private static final int PEEPHOLES = 7;

  private final OnnxFile file;
  private final Node node;
  private final CellSpec cell;
  private final int directions;
  private final int inputSize;
  private final int hiddenSize;

  /**
   * @throws FileFormatException if the node computes what no cell of Unroll does
   */
  OnnxLayer(OnnxFile file, Node node) throws FileFormatException {
    this.file = file;
    this.node = node;
    this.directions = readDirections();
    this.cell = readCell();
    refuse("clip");
    refuse("input_forget");
    if (cell.equals(CellSpec.GRU) && OnnxFile.integer(node, "linear_before_reset", 0) == 0) {
      throw wrong(
          "has linear_before_reset = 0 and resets before the product; Unroll's GRU, as PyTorch's"
              + " and cuDNN's, resets after it",
          "Train it with linear_before_reset = 1; in Keras that is reset_after=True.");
    }
    long[] shape = tensor(1, "W").shape();
    if (shape.length != 3) {
      throw wrongShape(1, "W", "[D,G*H,I]");
    }
    this.inputSize = (int) shape[2];
    this.hiddenSize = (int) (shape[1] / cell.gateCount());
    long rows = (long) cell.gateCount() * hiddenSize;
    requireShape(1, "W", directions, rows, inputSize);
    requireShape(2, "R", directions, rows, hiddenSize);
    if (!node.input(3).isEmpty()) {
      requireShape(3, "B", directions, 2 * rows);
    }
    if (hasPeepholes()) {
      requireShape(PEEPHOLES, "P", directions, 3L * hiddenSize);
    }
  }

  CellSpec cell() {
    return cell;
  }

  int directions() {
    return directions;
  }

  int inputSize() {
    return inputSize;
  }

  int hiddenSize() {
    return hiddenSize;
  }

  private boolean hasPeepholes() {
    return node.operator().equals("LSTM") && !node.input(PEEPHOLES).isEmpty();
  }

  private int readDirections() throws FileFormatException {
    Attribute attribute = node.attributes().get("direction");
    String direction = attribute == null ? "forward" : attribute.text();
    if (!List.of("forward", "bidirectional").contains(direction)) {
      throw wrong(
          "has the direction "
              + Quoting.quoted(String.valueOf(direction))
              + ", but a stack of Unroll runs forward or in both",
          "Turn the sequence round and export it forward.");
    }
    return direction.equals("forward") ? 1 : 2;
  }

  private CellSpec readCell() throws FileFormatException {
    Attribute attribute = node.attributes().get("activations");
    List<String> found = attribute == null ? List.of() : attribute.texts();
    if (node.operator().equals("RNN")) {
      if (isNamed(found, List.of("Relu")) && !found.isEmpty()) {
        return CellSpec.RELU;
      }
      requireActivations(found, List.of("Tanh"));
      return CellSpec.TANH;
    }
    if (node.operator().equals("GRU")) {
      requireActivations(found, List.of("Sigmoid", "Tanh"));
      return CellSpec.GRU;
    }
    requireActivations(found, List.of("Sigmoid", "Tanh", "Tanh"));
    return hasPeepholes() ? CellSpec.LSTM_PEEPHOLE : CellSpec.LSTM;
  }

  private void requireActivations(List<String> found, List<String> wanted)
      throws FileFormatException {
    if (!isNamed(found, wanted)) {
      throw wrong(
          "has the activations " + found + ", but Unroll's cell has " + wanted,
          "Train it with those; an RNN may have Relu.");
    }
  }

  /** Whether the activations of each direction are these; none are ONNX's own, which are Tanh. */
  private boolean isNamed(List<String> found, List<String> wanted) {
    List<String> all =
        Collections.nCopies(directions, wanted).stream().flatMap(List::stream).toList();
    return found.isEmpty() || found.equals(all);
  }

  private void refuse(String name) throws FileFormatException {
    Attribute attribute = node.attributes().get(name);
    if (attribute != null && (attribute.integer() != 0 || attribute.real() != 0)) {
      throw wrong("has " + name + ", which no cell of Unroll has", "Train it without.");
    }
  }

  /** Adds what one direction has, in Unroll's names and order of gates. */
  Weights addTo(Weights weights, String prefix, RecurrentConfig config, int slot)
      throws IOException {
    int direction = slot % directions;
    long rows = (long) cell.gateCount() * hiddenSize;
    double[] biases =
        node.input(3).isEmpty()
            ? new double[(int) (2 * rows)]
            : GateOrder.part(values(3, "B"), direction, directions);
    Weights result =
        weights
            .with(
                prefix + config.parameterName("weight_ih", slot),
                gates(GateOrder.part(values(1, "W"), direction, directions)),
                rows,
                inputSize)
            .with(
                prefix + config.parameterName("weight_hh", slot),
                gates(GateOrder.part(values(2, "R"), direction, directions)),
                rows,
                hiddenSize)
            .with(
                prefix + config.parameterName("bias_ih", slot),
                gates(GateOrder.part(biases, 0, 2)),
                rows)
            .with(
                prefix + config.parameterName("bias_hh", slot),
                gates(GateOrder.part(biases, 1, 2)),
                rows);
    if (!hasPeepholes()) {
      return result;
    }
    double[] peepholes = GateOrder.part(values(PEEPHOLES, "P"), direction, directions);
    return result.with(
        prefix + config.parameterName("weight_unit", slot),
        GateOrder.reorder(peepholes, GateOrder.ONNX_PEEPHOLES, cell.unitWeights()),
        3L * hiddenSize);
  }

  private double[] gates(double[] blocks) {
    return GateOrder.reorder(blocks, OnnxStack.order(cell), cell.gates());
  }

  private double[] values(int input, String name) throws IOException {
    return tensor(input, name).doubles(OnnxFile.what(node) + ": its " + name);
  }

  private OnnxTensor tensor(int input, String name) throws FileFormatException {
    OnnxTensor tensor = file.constant(node.input(input));
    if (tensor == null) {
      throw file.notConstant(node, name, node.input(input));
    }
    return tensor;
  }

  private void requireShape(int input, String name, long... wanted) throws FileFormatException {
    boolean positive = Arrays.stream(wanted).allMatch(size -> size > 0);
    if (!positive || !Arrays.equals(tensor(input, name).shape(), wanted)) {
      throw wrongShape(input, name, Arrays.toString(wanted));
    }
  }

  private FileFormatException wrongShape(int input, String name, String wanted)
      throws FileFormatException {
    return wrong(
        "needs its "
            + name
            + " "
            + Quoting.quoted(node.input(input))
            + " to be "
            + wanted
            + ", but it is "
            + Arrays.toString(tensor(input, name).shape()),
        "Export the model again.");
  }

  private FileFormatException wrong(String problem, String cure) {
    return new FileFormatException(file.path(), OnnxFile.what(node) + " " + problem, cure);
  }

  @Override
  public String toString() {
    return OnnxFile.what(node)
        + ", "
        + cell
        + " with I="
        + inputSize
        + ", H="
        + hiddenSize
        + ", "
        + (directions == 2 ? "both directions" : "forward");
  }
}
