package io.unroll.io;

import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.nn.RecurrentConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The weights of a Keras model in a safetensors file, under their paths in Keras such as {@code
 * sequential/gru/gru_cell/kernel}; docs/exchange.md has the three lines of Python that write it.
 *
 * <p>Kernels are transposed there, and the gates of a GRU lie in another order. Keras has one bias
 * where PyTorch has two, except for a GRU with reset_after; it becomes the first, the other is
 * zero.
 */
public final class KerasFile {
  private static final String KERNEL = "kernel";
  private static final String RECURRENT_KERNEL = "recurrent_kernel";
  private static final String BIAS = "bias";
  private static final String EMBEDDINGS = "embeddings";

  private final String path;
  private final Weights tensors;

  private KerasFile(String path, Weights tensors) {
    this.path = path;
    this.tensors = tensors;
  }

  /**
   * Opens a file.
   *
   * @throws FileFormatException if it is no safetensors file
   * @throws IOException if it cannot be read
   */
  public static KerasFile read(Path path) throws IOException {
    return new KerasFile(path.toString(), Weights.read(path));
  }

  /**
   * The layers that have weights, in the order of the file, which need not be that of the model. A
   * layer inside of Bidirectional counts as that.
   */
  public List<String> layers() {
    return tensors.names().stream()
        .filter(name -> name.contains("/"))
        .map(KerasFile::layer)
        .distinct()
        .toList();
  }

  /** Of {@link #layers}, those that a {@link io.unroll.nn.Recurrent} takes. */
  public List<String> recurrentLayers() {
    return layers(RECURRENT_KERNEL);
  }

  /** Of {@link #layers}, those that an {@link io.unroll.nn.Embedding} takes. */
  public List<String> embeddingLayers() {
    return layers(EMBEDDINGS);
  }

  /** Of {@link #layers}, those that a {@link io.unroll.nn.Linear} takes. */
  public List<String> linearLayers() {
    List<String> linear = new ArrayList<>(layers(KERNEL));
    linear.removeAll(recurrentLayers());
    return linear;
  }

  private List<String> layers(String last) {
    return tensors.names().stream()
        .filter(name -> name.endsWith("/" + last))
        .map(KerasFile::layer)
        .distinct()
        .toList();
  }

  /**
   * The cell of a layer, as the number of its gates tells it.
   *
   * @throws FileFormatException if it is a SimpleRNN, which may be tanh or relu, or there is none
   */
  public CellSpec cell(String layer) throws FileFormatException {
    String tensor = cells(layer).get(0) + RECURRENT_KERNEL;
    long[] shape = shape(tensor, 2);
    if (shape[1] == 3 * shape[0]) {
      return CellSpec.GRU;
    }
    if (shape[1] == 4 * shape[0]) {
      return CellSpec.LSTM;
    }
    throw wrong(
        "tensor \""
            + tensor
            + "\" is "
            + Arrays.toString(shape)
            + (shape[1] == shape[0]
                ? ", of a SimpleRNN, which may be tanh or relu"
                : ", which is neither GRU nor LSTM"),
        "Say which cell it is.");
  }

  private static String layer(String name) {
    List<String> parts = List.of(name.split("/"));
    for (int i = 0; i + 1 < parts.size(); i++) {
      String next = parts.get(i + 1);
      if (next.startsWith("forward_") || next.startsWith("backward_")) {
        return String.join("/", parts.subList(0, i + 1));
      }
    }
    boolean cell = parts.get(parts.size() - 2).endsWith("_cell");
    return String.join("/", parts.subList(0, parts.size() - (cell ? 2 : 1)));
  }

  /**
   * What a {@link io.unroll.nn.Recurrent} must be that takes layers.
   *
   * @param cell tanh or relu for SimpleRNN, whose weights do not tell; gru or lstm
   * @param layers as {@link #layers} names them, the lowest first; the last parts of a path do
   * @throws FileFormatException if a layer is missing, is of another cell, or does not fit the one
   *     below; the message names the tensor
   */
  public RecurrentConfig config(CellSpec cell, String... layers) throws FileFormatException {
    requireKnown(cell);
    if (layers.length == 0) {
      throw new IllegalArgumentException("give at least one layer; there are " + layers());
    }
    List<String> first = cells(layers[0]);
    long[] shape = shape(first.get(0) + KERNEL, 2);
    int hidden = Math.toIntExact(shape(first.get(0) + RECURRENT_KERNEL, 2)[0]);
    RecurrentConfig config =
        RecurrentConfig.of(cell, Math.toIntExact(shape[0]), hidden)
            .withLayers(layers.length)
            .withBidirectional(first.size() == 2);
    for (int layer = 0; layer < layers.length; layer++) {
      List<String> directions = cells(layers[layer]);
      if (directions.size() != config.directions()) {
        throw wrong(
            "layer \"" + layers[layer] + "\" runs in another number of directions than the first",
            "Take these layers as stacks of their own.");
      }
      for (int d = 0; d < directions.size(); d++) {
        int slot = layer * config.directions() + d;
        int width = cell.gateCount() * hidden;
        requireShape(directions.get(d) + KERNEL, config.inputSize(slot), width);
        requireShape(directions.get(d) + RECURRENT_KERNEL, hidden, width);
      }
    }
    return config;
  }

  /**
   * The weights of layers as one stack.
   *
   * @param name goes before the names of the parameters, with a dot; empty for none
   * @param cell as in {@link #config}
   * @param layers as in {@link #config}
   * @throws FileFormatException as {@link #config}, or if a GRU has reset_after=False, whose
   *     arithmetic is another
   */
  public Weights recurrent(String name, CellSpec cell, String... layers)
      throws FileFormatException {
    RecurrentConfig config = config(cell, layers);
    String prefix = name.isEmpty() ? "" : name + ".";
    Weights result = Weights.empty(path);
    for (int slot = 0; slot < config.slots(); slot++) {
      int layer = slot / config.directions();
      String place = cells(layers[layer]).get(slot % config.directions());
      long rows = (long) cell.gateCount() * config.hiddenSize();
      result =
          result
              .with(
                  prefix + config.parameterName("weight_ih", slot),
                  kernel(place + KERNEL, cell),
                  rows,
                  config.inputSize(slot))
              .with(
                  prefix + config.parameterName("weight_hh", slot),
                  kernel(place + RECURRENT_KERNEL, cell),
                  rows,
                  config.hiddenSize());
      double[] biases = biases(place + BIAS, cell, (int) rows);
      result =
          result
              .with(
                  prefix + config.parameterName("bias_ih", slot),
                  GateOrder.reorder(GateOrder.part(biases, 0, 2), order(cell), cell.gates()),
                  rows)
              .with(
                  prefix + config.parameterName("bias_hh", slot),
                  GateOrder.reorder(GateOrder.part(biases, 1, 2), order(cell), cell.gates()),
                  rows);
    }
    return result;
  }

  /**
   * The weights of a Dense layer for a {@link io.unroll.nn.Linear}.
   *
   * @throws FileFormatException if there is no such layer, or its kernel is no matrix
   */
  public Weights linear(String name, String layer) throws FileFormatException {
    String place = place(layer, KERNEL);
    long[] shape = shape(place + KERNEL, 2);
    double[] bias = new double[(int) shape[1]];
    if (has(place + BIAS)) {
      requireShape(place + BIAS, bias.length);
      bias = tensors.values(place + BIAS);
    }
    return Weights.empty(path)
        .with(name + ".weight", transposed(place + KERNEL), shape[1], shape[0])
        .with(name + ".bias", bias, bias.length);
  }

  /**
   * The table of an Embedding layer for a {@link io.unroll.nn.Embedding}.
   *
   * @throws FileFormatException if there is no such layer
   */
  public Weights embedding(String name, String layer) throws FileFormatException {
    String tensor = place(layer, EMBEDDINGS) + EMBEDDINGS;
    long[] shape = shape(tensor, 2);
    return Weights.empty(path).with(name + ".weight", tensors.values(tensor), shape);
  }

  private double[] kernel(String tensor, CellSpec cell) throws FileFormatException {
    return GateOrder.reorder(transposed(tensor), order(cell), cell.gates());
  }

  private double[] transposed(String tensor) throws FileFormatException {
    long[] shape = shape(tensor, 2);
    return GateOrder.transpose(tensors.values(tensor), (int) shape[0], (int) shape[1]);
  }

  /** Both biases, one after the other, in Keras' order of gates. */
  private double[] biases(String tensor, CellSpec cell, int rows) throws FileFormatException {
    boolean gru = cell.equals(CellSpec.GRU);
    if (!has(tensor)) {
      if (gru) {
        throw wrong(
            "has no tensor \"" + tensor + "\", whose shape tells reset_after of a GRU",
            "If it was built with reset_after=True, add zeros [2, " + rows + "] under that name.");
      }
      return new double[2 * rows];
    }
    long[] shape = tensors.shape(tensor);
    if (!gru) {
      requireShape(tensor, rows);
      return Arrays.copyOf(tensors.values(tensor), 2 * rows);
    }
    if (shape.length == 1) {
      throw wrong(
          "tensor \""
              + tensor
              + "\" is "
              + Arrays.toString(shape)
              + ", so this GRU has reset_after=False and resets before the product; Unroll's, as"
              + " PyTorch's and cuDNN's, resets after it, with a bias [2, "
              + rows
              + "]",
          "Train it with reset_after=True, Keras' default.");
    }
    requireShape(tensor, 2, rows);
    return tensors.values(tensor);
  }

  /** Where the cells of a layer are, with a slash behind; of Bidirectional forward first. */
  private List<String> cells(String layer) throws FileFormatException {
    List<String> forward = places(layer, RECURRENT_KERNEL, "forward_");
    List<String> backward = places(layer, RECURRENT_KERNEL, "backward_");
    if (forward.size() == 1 && backward.size() == 1) {
      return List.of(forward.get(0), backward.get(0));
    }
    return List.of(place(layer, RECURRENT_KERNEL));
  }

  private String place(String layer, String last) throws FileFormatException {
    List<String> found = places(layer, last, "");
    if (found.size() != 1) {
      throw wrong(
          (found.isEmpty() ? "has no" : "has more than one")
              + " tensor \""
              + layer
              + "/.../"
              + last
              + "\"; it has the layers "
              + layers(),
          "Give the path of one layer.");
    }
    return found.get(0);
  }

  /** Folders below a layer in which a tensor of that name is. */
  private List<String> places(String layer, String last, String direction) {
    List<String> found = new ArrayList<>();
    for (String name : tensors.names()) {
      if (name.endsWith("/" + last)
          && ("/" + name).contains("/" + layer + "/")
          && name.contains("/" + direction)) {
        found.add(name.substring(0, name.length() - last.length()));
      }
    }
    return found;
  }

  private boolean has(String tensor) {
    return tensors.names().contains(tensor);
  }

  private long[] shape(String tensor, int rank) throws FileFormatException {
    long[] shape = tensors.shape(tensor);
    if (shape.length != rank) {
      throw wrong(
          "tensor \"" + tensor + "\" must have " + rank + " axes, but is " + Arrays.toString(shape),
          "Write the weights as Keras has them.");
    }
    return shape;
  }

  private void requireShape(String tensor, long... wanted) throws FileFormatException {
    long[] found = tensors.shape(tensor);
    if (!Arrays.equals(found, wanted)) {
      throw wrong(
          "tensor \""
              + tensor
              + "\" must be "
              + Arrays.toString(wanted)
              + ", but is "
              + Arrays.toString(found),
          "Give the cell of these layers, and layers that stand on each other.");
    }
  }

  private static void requireKnown(CellSpec cell) {
    if (cell.equals(CellSpec.LSTM_PEEPHOLE)) {
      throw new IllegalArgumentException(
          "Keras has no cell lstm_peephole; choose tanh, relu, gru or lstm");
    }
  }

  private static List<String> order(CellSpec cell) {
    return switch (cell.gateCount()) {
      case 1 -> GateOrder.PLAIN;
      case 3 -> GateOrder.GRU;
      default -> GateOrder.KERAS_LSTM;
    };
  }

  private FileFormatException wrong(String problem, String cure) {
    return new FileFormatException(path, problem, cure);
  }
}
