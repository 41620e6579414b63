package io.unroll.cli;

import io.unroll.CellSpec;
import io.unroll.io.KerasFile;
import io.unroll.io.OnnxFile;
import io.unroll.io.Safetensors;
import io.unroll.io.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A character model from another program, with the names of Unroll's.
 *
 * @param tensors its weights; those of a state_dict under their own names
 * @param cell its cell, or null if nothing but the weights tells it
 * @param symbols its characters in the order of their ids, or null if the file does not say
 */
record ForeignModel(Weights tensors, CellSpec cell, String symbols) {
  private static final String CELL = "model.cell";
  private static final String SYMBOLS = "model.symbols";

  /**
   * @param cell as the user says, or null
   * @param recurrent the recurrent nodes or layers, or none for the usual ones
   */
  static ForeignModel read(Path file, CellSpec cell, List<String> recurrent) throws IOException {
    String[] stack = recurrent.toArray(String[]::new);
    if (file.toString().endsWith(".onnx")) {
      return onnx(file, OnnxFile.read(file), cell, stack);
    }
    Set<String> names;
    Map<String, String> metadata;
    try (Safetensors tensors = Safetensors.read(file)) {
      names = tensors.names();
      metadata = tensors.metadata();
    }
    if (names.stream().anyMatch(name -> name.endsWith("/recurrent_kernel"))) {
      return keras(file, KerasFile.read(file), cell, stack);
    }
    if (stack.length > 0) {
      throw new InputException(
          "--recurrent is for ONNX and Keras, but " + file + " is a state_dict; leave it out");
    }
    CellSpec stated =
        cell == null && metadata.containsKey(CELL) ? CellSpec.of(metadata.get(CELL)) : cell;
    return new ForeignModel(Weights.read(file), stated, metadata.get(SYMBOLS));
  }

  private static ForeignModel onnx(Path path, OnnxFile file, CellSpec cell, String... stack)
      throws IOException {
    CellSpec found = file.config(stack).cell();
    if (cell != null && !cell.equals(found)) {
      throw new InputException("--cell is " + cell + ", but " + path + " holds " + found);
    }
    Weights weights =
        file.recurrent("rnn", stack)
            .and(file.linear("head", only(path, "linear node", file.linearNodes())));
    if (!file.embeddingNodes().isEmpty()) {
      String table = only(path, "embedding node", file.embeddingNodes());
      weights = weights.and(file.embedding("embedding", table));
    }
    return new ForeignModel(weights, found, file.metadata().get(SYMBOLS));
  }

  private static ForeignModel keras(Path path, KerasFile file, CellSpec cell, String... stack)
      throws IOException {
    String[] layers =
        stack.length > 0
            ? stack
            : new String[] {only(path, "recurrent layer", file.recurrentLayers())};
    CellSpec found = cell == null ? file.cell(layers[0]) : cell;
    Weights weights =
        file.recurrent("rnn", found, layers)
            .and(file.linear("head", only(path, "Dense layer", file.linearLayers())));
    if (!file.embeddingLayers().isEmpty()) {
      String table = only(path, "Embedding layer", file.embeddingLayers());
      weights = weights.and(file.embedding("embedding", table));
    }
    return new ForeignModel(weights, found, null);
  }

  private static String only(Path path, String what, List<String> found) {
    if (found.size() != 1) {
      throw new InputException(
          path
              + " must have one "
              + what
              + ", but has "
              + (found.isEmpty() ? "none" : found)
              + "; a character model is an embedding, recurrent layers (several of Keras: give"
              + " --recurrent) and a linear layer");
    }
    return found.get(0);
  }

  /**
   * The weights under Unroll's names.
   *
   * @param renames beginnings of names, and what takes their place
   */
  Weights weights(Map<String, String> renames) throws IOException {
    Weights result = tensors;
    for (Map.Entry<String, String> rename : renames.entrySet()) {
      result = result.renamed(rename.getKey(), rename.getValue());
    }
    return result;
  }
}
