package io.unroll.io;

import io.unroll.CellSpec;
import io.unroll.ShapeException;
import io.unroll.nn.Parameters;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a model as ONNX, opset {@value #OPSET}, float32: call a method for each layer, in the
 * order in which data flow through them, then {@link #writeTo}. Steps and rows of the batch are
 * left to each run.
 *
 * <pre>{@code
 * OnnxExport.of(parameters).recurrent("gru", gru.config()).last().linear("head").writeTo(path);
 * }</pre>
 *
 * <p>The input is {@code x} float[T,B,I], or {@code ids} int64[T,B] if the first layer is {@link
 * #embedding} or {@link #oneHot}; then {@code lengths} int32[B] and {@code NAME.h_0}, {@code
 * NAME.c_0} float[L*D,B,H] as asked for. The outputs are {@code y} and {@code NAME.h_n}, {@code
 * NAME.c_n} of each stack. Dropout is left out, as in evaluation. Semantics: {@code Recurrent};
 * docs/exchange.md
 */
public final class OnnxExport {
  /** The version of ONNX's operators that the file asks for. */
  public static final int OPSET = 14;

  /** Of the file format; the one that came with this opset. */
  private static final int IR_VERSION = 7;

  private static final String LENGTHS = "lengths";

  private final Parameters parameters;
  private final OnnxGraph graph = new OnnxGraph();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private boolean lengths;
  private boolean states;
  private int nodes;

  /** What flows at this place, null before the first layer. */
  private String value;

  /** The axes of value; the last is its width, the others are named. */
  private List<Object> axes = List.of();

  /** The last h of the top layer [D,B,H], null until there is a stack. */
  private String top;

  private OnnxExport(Parameters parameters) {
    this.parameters = parameters;
  }

  /**
   * Begins a model.
   *
   * @param parameters where the layers have theirs; read as the layers are named
   */
  public static OnnxExport of(Parameters parameters) {
    return new OnnxExport(parameters);
  }

  /** Whether ONNX has an operator for a cell. */
  public static boolean supports(CellSpec cell) {
    return OnnxStack.operator(cell) != null;
  }

  /** Adds a string to the metadata_props of the file. */
  public OnnxExport metadata(String key, String text) {
    metadata.put(key, text);
    return this;
  }

  /** Lets the recurrent layers that follow take rows of different length, each in [1, T]. */
  public OnnxExport withLengths() {
    if (!lengths) {
      graph.input(LENGTHS, OnnxGraph.INT32, "B");
    }
    lengths = true;
    return this;
  }

  /** Lets the recurrent layers that follow take first states; without, they are zero. */
  public OnnxExport withStates() {
    states = true;
    return this;
  }

  /**
   * A row of a table for each index.
   *
   * @param name of the {@code Embedding}
   * @throws IllegalStateException if it is not the first layer
   */
  public OnnxExport embedding(String name) {
    beginWithIds(name);
    Tensor weight = parameters.get(name + ".weight");
    graph.constant(name + ".weight", weight.toDoubles(), weight.dim(0), weight.dim(1));
    String rows = next(name);
    graph.node("Gather", name, List.of(name + ".weight", value), List.of(rows));
    return flow(rows, "T", "B", weight.dim(1));
  }

  /**
   * The one-hot vector of each index, what {@code Recurrent.forward(Indices)} reads.
   *
   * @param size elements of the vector
   * @throws IllegalStateException if it is not the first layer
   */
  public OnnxExport oneHot(int size) {
    beginWithIds("one_hot");
    graph.constant("one_hot.depth", new long[] {size}, 1);
    graph.constant("one_hot.values", new double[] {0, 1}, 2);
    String rows = next("one_hot");
    graph.node(
        "OneHot", "one_hot", List.of(value, "one_hot.depth", "one_hot.values"), List.of(rows));
    return flow(rows, "T", "B", size);
  }

  private void beginWithIds(String layer) {
    if (value != null) {
      throw new IllegalStateException(
          "\"" + layer + "\" reads indices, so it must be the first layer, but follows another");
    }
    graph.input("ids", OnnxGraph.INT64, "T", "B");
    value = "ids";
  }

  /**
   * A stack of recurrent layers; what flows on is [T,B,D*H], zero past a row's length.
   *
   * @param name of the {@code Recurrent}
   * @param config of it
   * @throws ShapeException if its input is no sequence of that width
   * @throws IllegalArgumentException if there are no such parameters, or ONNX has no such cell
   */
  public OnnxExport recurrent(String name, RecurrentConfig config) {
    if (value == null) {
      graph.input("x", OnnxGraph.FLOAT, "T", "B", config.inputSize());
      flow("x", "T", "B", config.inputSize());
    }
    requireWidth(name, config.inputSize());
    if (axes.size() != 3) {
      throw new ShapeException(
          "the layer \"" + name + "\" needs [T,B,I], but " + value + " is " + axes);
    }
    String prefix = name.isEmpty() ? "" : name + ".";
    OnnxStack stack = new OnnxStack(graph, parameters, prefix, config);
    String y = value;
    for (int layer = 0; layer < config.layers(); layer++) {
      y = stack.layer(layer, y, lengths ? LENGTHS : "", states);
    }
    top = stack.top();
    stack.finalStates();
    return flow(y, "T", "B", config.directions() * config.hiddenSize());
  }

  /**
   * Goes on with the last h of the top layer of the stack before, [B,D*H].
   *
   * @throws IllegalStateException if there was none
   */
  public OnnxExport last() {
    if (top == null) {
      throw new IllegalStateException("last() needs a recurrent layer before it");
    }
    String rows = next("last");
    graph.node(
        "Transpose",
        rows + ".rows",
        List.of(top),
        List.of(rows + ".rows"),
        OnnxGraph.attribute("perm", new long[] {1, 0, 2}));
    graph.constant(rows + ".shape", new long[] {0, -1}, 2);
    graph.node("Reshape", rows, List.of(rows + ".rows", rows + ".shape"), List.of(rows));
    return flow(rows, "B", axes.get(axes.size() - 1));
  }

  /**
   * y = x W^T + b over the last axis.
   *
   * @param name of the {@code Linear}
   * @throws ShapeException if its input has another width
   * @throws IllegalArgumentException if there are no such parameters
   */
  public OnnxExport linear(String name) {
    Tensor weight = parameters.get(name + ".weight");
    int outputSize = weight.dim(0);
    int inputSize = weight.dim(1);
    if (value == null) {
      graph.input("x", OnnxGraph.FLOAT, "T", "B", inputSize);
      flow("x", "T", "B", inputSize);
    }
    requireWidth(name, inputSize);
    double[] transposed = GateOrder.transpose(weight.toDoubles(), outputSize, inputSize);
    graph.constant(name + ".weight", transposed, inputSize, outputSize);
    graph.constant(name + ".bias", parameters.get(name + ".bias").toDoubles(), outputSize);
    String product = next(name);
    String sum = next(name);
    graph.node("MatMul", name, List.of(value, name + ".weight"), List.of(product));
    graph.node("Add", name + ".add", List.of(product, name + ".bias"), List.of(sum));
    Object[] out = axes.toArray();
    out[out.length - 1] = outputSize;
    return flow(sum, out);
  }

  /**
   * Writes the file; the output of the last layer becomes {@code y}.
   *
   * @throws IllegalStateException if no layer was named
   * @throws IOException if it cannot be written; an older file stays
   */
  public void writeTo(Path path) throws IOException {
    if (value == null) {
      throw new IllegalStateException("there is nothing to write: name the layers first");
    }
    graph.node("Identity", "y", List.of(value), List.of("y"));
    graph.output("y", OnnxGraph.FLOAT, axes.toArray());
    ProtobufWriter model =
        new ProtobufWriter()
            .integer(1, IR_VERSION)
            .text(2, "Unroll")
            .message(7, graph.finished())
            .message(8, new ProtobufWriter().text(1, "").integer(2, OPSET));
    metadata.forEach(
        (key, text) -> model.message(14, new ProtobufWriter().text(1, key).text(2, text)));
    AtomicFile.write(path, out -> out.write(model.toBytes()));
  }

  private OnnxExport flow(String name, Object... shape) {
    value = name;
    axes = List.of(shape);
    return this;
  }

  private String next(String layer) {
    return layer + "." + nodes++;
  }

  private void requireWidth(String name, int inputSize) {
    if (!axes.get(axes.size() - 1).equals(inputSize)) {
      throw new ShapeException(
          "the layer \"" + name + "\" needs [.., " + inputSize + "], but " + value + " is " + axes);
    }
  }
}
