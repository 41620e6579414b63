package io.unroll.io;

import io.unroll.FileFormatException;
import io.unroll.io.OnnxParser.Attribute;
import io.unroll.io.OnnxParser.Node;
import io.unroll.nn.RecurrentConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The weights of an ONNX model: those of its nodes RNN, GRU and LSTM as stacks for {@link
 * io.unroll.nn.Recurrent}, of its matrix products for {@link io.unroll.nn.Linear}, and of its
 * tables for {@link io.unroll.nn.Embedding}. What the graph does between them is not looked at:
 * docs/exchange.md
 *
 * <p>A node that has no name goes by that of its first output.
 */
public final class OnnxFile {
  private static final Set<String> RECURRENT = Set.of("RNN", "GRU", "LSTM");

  private final String path;
  private final OnnxParser model;
  private final Map<String, Node> byOutput = new HashMap<>();

  private OnnxFile(Path path, OnnxParser model) {
    this.path = path.toString();
    this.model = model;
    for (Node node : model.nodes()) {
      node.outputs().forEach(output -> byOutput.put(output, node));
    }
  }

  /**
   * Opens a model, with its weights inside or in a second file beside it.
   *
   * @throws FileFormatException if it is no ONNX model
   * @throws IOException if it cannot be read
   */
  public static OnnxFile read(Path path) throws IOException {
    return new OnnxFile(path, OnnxParser.parse(path));
  }

  /** The metadata_props of the file. */
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(model.metadata());
  }

  /** The nodes RNN, GRU and LSTM, in the order of the graph. */
  public List<String> recurrentNodes() {
    return model.nodes().stream()
        .filter(node -> isStandard(node) && RECURRENT.contains(node.operator()))
        .map(Node::name)
        .toList();
  }

  /** The nodes Gemm and MatMul with a constant matrix, in the order of the graph. */
  public List<String> linearNodes() {
    return model.nodes().stream()
        .filter(node -> isStandard(node) && Set.of("Gemm", "MatMul").contains(node.operator()))
        .filter(node -> isMatrix(constant(node.input(1))))
        .map(Node::name)
        .toList();
  }

  /** The nodes Gather with a constant matrix, in the order of the graph. */
  public List<String> embeddingNodes() {
    return model.nodes().stream()
        .filter(node -> isStandard(node) && node.operator().equals("Gather"))
        .filter(node -> isMatrix(constant(node.input(0))))
        .map(Node::name)
        .toList();
  }

  private static boolean isStandard(Node node) {
    return node.domain().isEmpty() || node.domain().equals("ai.onnx");
  }

  private static boolean isMatrix(OnnxTensor tensor) {
    return tensor != null && tensor.isReal() && tensor.shape().length == 2;
  }

  /**
   * What a {@link io.unroll.nn.Recurrent} must be that takes nodes as its layers.
   *
   * @param nodes as {@link #recurrentNodes} names them, the lowest layer first; none for all
   * @throws FileFormatException if there is no such node, it computes what no cell of Unroll does,
   *     or they do not stand on each other; the message names the node
   */
  public RecurrentConfig config(String... nodes) throws FileFormatException {
    List<OnnxLayer> layers = layers(nodes);
    OnnxLayer first = layers.get(0);
    RecurrentConfig config =
        RecurrentConfig.of(first.cell(), first.inputSize(), first.hiddenSize())
            .withLayers(layers.size())
            .withBidirectional(first.directions() == 2);
    for (int layer = 1; layer < layers.size(); layer++) {
      OnnxLayer next = layers.get(layer);
      int inputSize = config.inputSize(layer * config.directions());
      if (!next.cell().equals(first.cell())
          || next.hiddenSize() != first.hiddenSize()
          || next.directions() != first.directions()
          || next.inputSize() != inputSize) {
        throw new FileFormatException(
            path,
            next + " is no further layer of " + first,
            "Take these nodes as stacks of their own.");
      }
    }
    return config;
  }

  /**
   * The weights of nodes as one stack.
   *
   * @param name goes before the names of the parameters, with a dot; empty for none
   * @param nodes as in {@link #config}
   * @throws FileFormatException as {@link #config}, or if weights are no constants of the graph
   */
  public Weights recurrent(String name, String... nodes) throws IOException {
    RecurrentConfig config = config(nodes);
    List<OnnxLayer> layers = layers(nodes);
    Weights result = Weights.empty(path);
    for (int slot = 0; slot < config.slots(); slot++) {
      OnnxLayer layer = layers.get(slot / config.directions());
      result = layer.addTo(result, name.isEmpty() ? "" : name + ".", config, slot);
    }
    return result;
  }

  private List<OnnxLayer> layers(String... nodes) throws FileFormatException {
    List<String> all = recurrentNodes();
    if (all.isEmpty()) {
      throw new FileFormatException(
          path,
          "has no node RNN, GRU or LSTM",
          "If PyTorch took the loop apart, export with torch.onnx.export(..., dynamo=False).");
    }
    OnnxLayer[] layers = new OnnxLayer[nodes.length == 0 ? all.size() : nodes.length];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = new OnnxLayer(this, node(nodes.length == 0 ? all.get(i) : nodes[i], all));
    }
    return List.of(layers);
  }

  /**
   * The weights of a node Gemm or MatMul, and of the Add behind it, for a {@link
   * io.unroll.nn.Linear}; a bias of zeros if there is no Add.
   *
   * @param node as {@link #linearNodes} names it
   * @throws FileFormatException if there is no such node, or a Gemm scales
   */
  public Weights linear(String name, String node) throws IOException {
    Node found = node(node, linearNodes());
    OnnxTensor matrix = constant(found.input(1));
    long[] shape = matrix.shape();
    double[] values = matrix.doubles(what(found));
    boolean gemm = found.operator().equals("Gemm");
    boolean stored = gemm && integer(found, "transB", 0) != 0;
    if (gemm) {
      requirePlain(found);
    }
    int outputs = Math.toIntExact(shape[stored ? 0 : 1]);
    int inputs = Math.toIntExact(shape[stored ? 1 : 0]);
    double[] weight = stored ? values : GateOrder.transpose(values, inputs, outputs);
    OnnxTensor bias = gemm ? constant(found.input(2)) : addedTo(found, outputs);
    return Weights.empty(path)
        .with(name + ".weight", weight, outputs, inputs)
        .with(name + ".bias", bias(found, bias, outputs), outputs);
  }

  private double[] bias(Node node, OnnxTensor bias, int outputs) throws IOException {
    if (bias == null) {
      if (!node.operator().equals("MatMul") && !node.input(2).isEmpty()) {
        throw notConstant(node, "C", node.input(2));
      }
      return new double[outputs];
    }
    double[] values = bias.doubles(what(node));
    if (values.length != outputs) {
      throw new FileFormatException(
          path,
          what(node)
              + ": tensor "
              + Quoting.quoted(bias.name())
              + " must have "
              + outputs
              + " elements, but is "
              + Arrays.toString(bias.shape()),
          "Export the layer with a bias for each of its outputs.");
    }
    return values;
  }

  private void requirePlain(Node gemm) throws FileFormatException {
    for (String factor : List.of("alpha", "beta")) {
      Attribute attribute = gemm.attributes().get(factor);
      if (attribute != null && attribute.real() != 1) {
        throw new FileFormatException(
            path,
            what(gemm) + " has " + factor + " = " + attribute.real() + ", but a Linear has 1",
            "Multiply the weights by it before the export.");
      }
    }
  }

  /** The constant that an Add puts to a product, or null. */
  private OnnxTensor addedTo(Node product, int size) {
    for (Node node : model.nodes()) {
      if (node.operator().equals("Add") && node.inputs().contains(product.outputs().get(0))) {
        int other = node.inputs().indexOf(product.outputs().get(0)) == 0 ? 1 : 0;
        OnnxTensor bias = constant(node.input(other));
        if (bias != null && Arrays.equals(bias.shape(), new long[] {size})) {
          return bias;
        }
      }
    }
    return null;
  }

  /**
   * The table of a node Gather for an {@link io.unroll.nn.Embedding}.
   *
   * @param node as {@link #embeddingNodes} names it
   * @throws FileFormatException if there is no such node, or it does not choose rows
   */
  public Weights embedding(String name, String node) throws IOException {
    Node found = node(node, embeddingNodes());
    if (integer(found, "axis", 0) != 0) {
      throw new FileFormatException(
          path,
          what(found) + " has axis = " + integer(found, "axis", 0) + ", but an Embedding has 0",
          "Give a node that chooses rows of a table.");
    }
    OnnxTensor table = constant(found.input(0));
    return Weights.empty(path).with(name + ".weight", table.doubles(what(found)), table.shape());
  }

  private Node node(String name, List<String> allowed) throws FileFormatException {
    if (!allowed.contains(name)) {
      throw new FileFormatException(
          path,
          "has no such node " + Quoting.quoted(name) + "; there are " + allowed,
          "Give one of them.");
    }
    List<Node> found = model.nodes().stream().filter(node -> node.name().equals(name)).toList();
    if (found.size() > 1) {
      throw new FileFormatException(
          path,
          "has " + found.size() + " nodes " + Quoting.quoted(name),
          "Give each node a name of its own.");
    }
    return found.get(0);
  }

  String path() {
    return path;
  }

  /** A node in messages. */
  static String what(Node node) {
    return "node " + Quoting.quoted(node.name()) + " (" + node.operator() + ")";
  }

  static long integer(Node node, String attribute, long otherwise) {
    Attribute found = node.attributes().get(attribute);
    return found == null ? otherwise : found.integer();
  }

  /** An initializer, or what a node Constant holds, also behind Identity; null if it is neither. */
  OnnxTensor constant(String name) {
    String at = name;
    Set<String> seen = new HashSet<>();
    while (seen.add(at)) {
      if (model.initializers().containsKey(at)) {
        return model.initializers().get(at);
      }
      Node node = byOutput.get(at);
      if (node != null && node.operator().equals("Constant")) {
        Attribute value = node.attributes().get("value");
        return value == null ? null : value.tensor();
      }
      if (node != null && node.operator().equals("Identity")) {
        at = node.input(0);
      }
    }
    return null;
  }

  FileFormatException notConstant(Node node, String role, String tensor) {
    Node source = byOutput.get(tensor);
    return new FileFormatException(
        path,
        what(node)
            + ": its "
            + role
            + " "
            + Quoting.quoted(tensor)
            + (source == null ? " is an input of the graph" : " is computed by " + what(source))
            + ", but must be a constant",
        "Export with constant folding, the default of torch.onnx.export.");
  }
}
