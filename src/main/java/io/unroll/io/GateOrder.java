package io.unroll.io;

import java.util.Arrays;
import java.util.List;

/**
 * The orders in which others store the gates of a cell, under Unroll's names of the gates. Weights
 * and biases hold one block of rows for each gate.
 */
final class GateOrder {
  /** Of ONNX's operator RNN, and of Keras' SimpleRNN. */
  static final List<String> PLAIN = List.of("h");

  /** Of GRU in ONNX and Keras, where n is called h. */
  static final List<String> GRU = List.of("z", "r", "n");

  /** Of ONNX's operator LSTM, where g is called c. */
  static final List<String> ONNX_LSTM = List.of("i", "o", "f", "g");

  /** Of the peepholes of ONNX's operator LSTM. */
  static final List<String> ONNX_PEEPHOLES = List.of("i", "o", "f");

  /** Of Keras' LSTM, where g is called c: the same as Unroll's. */
  static final List<String> KERAS_LSTM = List.of("i", "f", "g", "o");

  private GateOrder() {}

  /**
   * Puts the blocks into another order.
   *
   * @param blocks equally long blocks, one for each name of from
   * @param from the names of the blocks
   * @param to the same names in the order wanted
   */
  static double[] reorder(double[] blocks, List<String> from, List<String> to) {
    assert from.size() == to.size() && blocks.length % from.size() == 0;
    int length = blocks.length / from.size();
    double[] result = new double[blocks.length];
    for (int block = 0; block < to.size(); block++) {
      int source = from.indexOf(to.get(block));
      System.arraycopy(blocks, source * length, result, block * length, length);
    }
    return result;
  }

  /** The transpose of a matrix [rows, columns], row-major. */
  static double[] transpose(double[] matrix, int rows, int columns) {
    double[] result = new double[matrix.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        result[j * rows + i] = matrix[i * columns + j];
      }
    }
    return result;
  }

  /** Part number index of an array that consists of so many. */
  static double[] part(double[] all, int index, int count) {
    int length = all.length / count;
    return Arrays.copyOfRange(all, index * length, (index + 1) * length);
  }
}
