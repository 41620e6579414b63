package io.unroll.train;

import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.data.Vocabulary;
import io.unroll.io.Weights;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Tells from the shapes of weights which {@link CharRnn} they belong to. */
final class CharRnnWeights {
  private static final String EMBEDDING = "embedding.weight";
  private static final String HEAD = "head.weight";

  private CharRnnWeights() {}

  /**
   * The sizes of the model.
   *
   * @param cell the cell, or null if the number of gates tells it
   * @throws FileFormatException if the shapes do not; the message names the tensor
   */
  static CharRnn.Config config(Weights weights, CellSpec cell) throws FileFormatException {
    long[] shape = weights.shape("rnn.weight_hh_l0");
    if (shape.length != 2 || shape[1] < 1 || shape[0] % shape[1] != 0) {
      throw weights.wrong(
          "tensor \"rnn.weight_hh_l0\" must be [G*H,H], but is " + Arrays.toString(shape),
          "Give the weights of a recurrent layer.");
    }
    if (weights.names().contains("rnn.weight_hh_l0_reverse")) {
      throw weights.wrong(
          "has tensor \"rnn.weight_hh_l0_reverse\", but what predicts the next character reads"
              + " forward only",
          "Train it in one direction.");
    }
    int hidden = Math.toIntExact(shape[1]);
    int layers = 1;
    while (weights.names().contains("rnn.weight_hh_l" + layers)) {
      layers++;
    }
    int embedding = 0;
    if (weights.names().contains(EMBEDDING)) {
      long[] table = weights.shape(EMBEDDING);
      embedding = Math.toIntExact(table[table.length - 1]);
    }
    CellSpec found = cell == null ? cell(weights, shape[0] / shape[1]) : cell;
    return new CharRnn.Config(found, hidden, layers, embedding, 0);
  }

  private static CellSpec cell(Weights weights, long gates) throws FileFormatException {
    boolean peepholes = weights.names().contains("rnn.weight_unit_l0");
    return CellSpec.all().stream()
        .filter(cell -> cell.gateCount() == gates && gates > 1)
        .filter(cell -> peepholes == (cell.unitWeightCount() > 0))
        .findFirst()
        .orElseThrow(
            () ->
                weights.wrong(
                    "tensor \"rnn.weight_hh_l0\" has "
                        + gates
                        + (gates == 1 ? " gate, as tanh and relu have" : " gates"),
                    "Say which cell it is."));
  }

  /**
   * The weights for our numbering of the characters.
   *
   * @param symbols in the order of the numbers that the weights were trained with
   * @throws FileFormatException if they are not as many as the weights know
   */
  static Weights sorted(Weights weights, String symbols, Vocabulary vocabulary)
      throws FileFormatException {
    int[] theirs = symbols.codePoints().toArray();
    int[] order = new int[theirs.length];
    for (int old = 0; old < theirs.length; old++) {
      order[vocabulary.encode(Character.toString(theirs[old]))[0]] = old;
    }
    if (Arrays.equals(order, IntStream.range(0, order.length).toArray())) {
      return weights;
    }
    boolean table = weights.names().contains(EMBEDDING);
    return weights
        .reordered(table ? EMBEDDING : "rnn.weight_ih_l0", table ? 0 : 1, order)
        .reordered(HEAD, 0, order)
        .reordered("head.bias", 0, order);
  }

  /** The characters as a vocabulary, each once. */
  static Vocabulary vocabulary(String symbols) {
    Vocabulary vocabulary = Vocabulary.of(symbols);
    int given = symbols.codePointCount(0, symbols.length());
    if (vocabulary.size() != given) {
      throw new IllegalArgumentException(
          "the symbols must be each character once, but "
              + given
              + " have "
              + vocabulary.size()
              + " distinct ones; give them in the order of their numbers");
    }
    return vocabulary;
  }
}
