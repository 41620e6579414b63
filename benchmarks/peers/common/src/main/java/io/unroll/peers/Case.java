package io.unroll.peers;

import java.util.Arrays;

/**
 * One recurrent layer to time.
 *
 * @param cell {@code rnn} (tanh), {@code gru} or {@code lstm}
 * @param train whether the gradients of x and of all weights are computed too
 */
public record Case(
    String cell, int steps, int batch, int inputSize, int hiddenSize, boolean train) {

  /**
   * @param shape T,B,I,H
   * @param mode {@code infer} or {@code train}
   */
  public static Case parse(String cell, String shape, String mode) {
    int[] sizes = Arrays.stream(shape.split(",")).mapToInt(Integer::parseInt).toArray();
    if (sizes.length != 4) {
      throw new IllegalArgumentException("a shape is T,B,I,H, but is \"" + shape + "\"");
    }
    if (!mode.equals("infer") && !mode.equals("train")) {
      throw new IllegalArgumentException("a mode is infer or train, but is \"" + mode + "\"");
    }
    return new Case(cell, sizes[0], sizes[1], sizes[2], sizes[3], mode.equals("train"));
  }

  /** The small layer whose results all programs must agree on. */
  public static Case agreement(String cell, boolean train) {
    return new Case(cell, 5, 3, 4, 6, train);
  }

  /** G, the number of gates. */
  public int gates() {
    return switch (cell) {
      case "rnn" -> 1;
      case "gru" -> 3;
      case "lstm" -> 4;
      default -> throw new IllegalArgumentException("unknown cell \"" + cell + "\"");
    };
  }

  /** Elements of x. */
  public int inputs() {
    return steps * batch * inputSize;
  }

  /** Elements of y. */
  public int outputs() {
    return steps * batch * hiddenSize;
  }

  /** Floating-point operations of the matrix products: 2 T B (I+H) G H, and thrice in training. */
  public double operations() {
    double forward = 2.0 * steps * batch * (inputSize + hiddenSize) * gates() * hiddenSize;
    return train ? 3 * forward : forward;
  }
}
