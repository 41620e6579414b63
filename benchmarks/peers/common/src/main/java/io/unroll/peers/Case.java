package io.unroll.peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Recurrent layers to time. Seven parts, because a shape has four and they are spoken of one by
 * one.
 *
 * @param cell {@code rnn} (tanh), {@code gru} or {@code lstm}
 * @param train whether the gradients of x and of all weights are computed too
 */
public record Case(
    String cell,
    int steps,
    int batch,
    int inputSize,
    int hiddenSize,
    boolean train,
    Variant variant) {

  /**
   * What a case is besides its shape.
   *
   * @param bidirectional whether each layer runs from the end too
   * @param ragged whether rows have different lengths
   */
  public record Variant(int layers, boolean bidirectional, boolean ragged) {
    /** One layer in one direction over full rows. */
    public static final Variant PLAIN = new Variant(1, false, false);

    /**
     * @param words LAYERS, {@code one} or {@code both}, {@code full} or {@code ragged}; or none
     */
    public static Variant parse(String... words) {
      if (words.length == 0) {
        return PLAIN;
      }
      if (words.length != 3
          || !List.of("one", "both").contains(words[1])
          || !List.of("full", "ragged").contains(words[2])) {
        throw new IllegalArgumentException(
            "a variant is LAYERS:one|both:full|ragged, but is \"" + String.join(":", words) + "\"");
      }
      return new Variant(
          Integer.parseInt(words[0]), words[1].equals("both"), words[2].equals("ragged"));
    }
  }

  /**
   * @param shape T,B,I,H
   * @param mode {@code infer} or {@code train}
   */
  public static Case parse(String cell, String shape, String mode, Variant variant) {
    int[] sizes = Arrays.stream(shape.split(",")).mapToInt(Integer::parseInt).toArray();
    if (sizes.length != 4) {
      throw new IllegalArgumentException("a shape is T,B,I,H, but is \"" + shape + "\"");
    }
    if (!mode.equals("infer") && !mode.equals("train")) {
      throw new IllegalArgumentException("a mode is infer or train, but is \"" + mode + "\"");
    }
    return new Case(cell, sizes[0], sizes[1], sizes[2], sizes[3], mode.equals("train"), variant);
  }

  /** The small network whose results all programs must agree on, in training. */
  public static Case agreement(String cell, Variant variant) {
    return new Case(cell, 5, 3, 4, 6, true, variant);
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

  /** D, 1 or 2. */
  public int directions() {
    return variant.bidirectional() ? 2 : 1;
  }

  /** I of a layer: that of the case, or what the layer below puts out. */
  public int inputSize(int layer) {
    return layer == 0 ? inputSize : directions() * hiddenSize;
  }

  /** Steps of each row: T, or from T down to about T/2, the longest first. */
  public int[] lengths() {
    int[] lengths = new int[batch];
    for (int row = 0; row < batch; row++) {
      lengths[row] = variant.ragged() ? steps - row * (steps / 2) / batch : steps;
    }
    return lengths;
  }

  /** Elements of x. */
  public int inputs() {
    return steps * batch * inputSize;
  }

  /** Elements of y. */
  public int outputs() {
    return steps * batch * directions() * hiddenSize;
  }

  /**
   * Of all parameters in PyTorch's order: wIh [G*H,I], wHh [G*H,H], bIh [G*H] and bHh [G*H] of each
   * layer, and behind them those of its way from the end.
   */
  public List<int[]> parameterShapes() {
    List<int[]> shapes = new ArrayList<>();
    int rows = gates() * hiddenSize;
    for (int n = 0; n < variant.layers() * directions(); n++) {
      shapes.add(new int[] {rows, inputSize(n / directions())});
      shapes.add(new int[] {rows, hiddenSize});
      shapes.add(new int[] {rows});
      shapes.add(new int[] {rows});
    }
    return shapes;
  }

  /** Elements of the parameter with the index p. */
  public int parameterLength(int p) {
    return Arrays.stream(parameterShapes().get(p)).reduce(1, Math::multiplyExact);
  }

  /**
   * Floating-point operations of the matrix products: 2 N D (I+H) G H of each layer, N the steps of
   * all rows, and thrice in training.
   */
  public double operations() {
    double forward = 0;
    for (int layer = 0; layer < variant.layers(); layer++) {
      forward += 2.0 * (inputSize(layer) + hiddenSize) * gates() * hiddenSize;
    }
    forward *= Arrays.stream(lengths()).sum() * directions();
    return train ? 3 * forward : forward;
  }
}
