package io.unroll.peers;

import java.util.Arrays;

/**
 * A character model in training: layers on one-hot characters, a linear layer, softmax
 * cross-entropy over all T*B characters, gradients clipped to the global norm, Adam; states are
 * carried from step to step. The classic one has one tanh layer, gradients clipped element by
 * element and Adagrad.
 *
 * @param cell {@code rnn} (tanh), {@code gru} or {@code lstm}
 */
public record CharModel(
    String cell, int layers, int steps, int batch, int symbols, int hiddenSize) {
  public static final double LEARNING_RATE = 2e-3;
  public static final double CLIP_NORM = 5;
  public static final double CLASSIC_LEARNING_RATE = 0.1;
  public static final double CLASSIC_CLIP = 5;

  /** Batches in the text before it begins again. */
  public static final int BATCHES = 8;

  /**
   * @param shape T,B,V,H
   */
  public static CharModel parse(String cell, String layers, String shape) {
    int[] sizes = Arrays.stream(shape.split(",")).mapToInt(Integer::parseInt).toArray();
    if (sizes.length != 4) {
      throw new IllegalArgumentException("a shape is T,B,V,H, but is \"" + shape + "\"");
    }
    return new CharModel(cell, Integer.parseInt(layers), sizes[0], sizes[1], sizes[2], sizes[3]);
  }

  /** V=80, one tanh layer of 100, T=25, B=1. */
  public static CharModel classic() {
    return new CharModel("rnn", 1, 25, 1, 80, 100);
  }

  /** Characters in a batch. */
  public int characters() {
    return steps * batch;
  }

  /** A text of all batches, in which some characters are more frequent than others. */
  public int[] text() {
    float[] drawn = Data.uniform(BATCHES * characters() + 1, 3, 1);
    int[] ids = new int[drawn.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Math.min(symbols - 1, (int) (drawn[i] * drawn[i] * symbols));
    }
    return ids;
  }

  /**
   * The text in batches, each [T,B] from first to last character of a stream; stream b goes on
   * where it was in the batch before.
   *
   * @param ahead 0 for the inputs, 1 for the targets
   */
  public long[][] batches(int ahead) {
    int[] text = text();
    long[][] cut = new long[BATCHES][characters()];
    for (int n = 0; n < BATCHES; n++) {
      for (int t = 0; t < steps; t++) {
        for (int b = 0; b < batch; b++) {
          cut[n][t * batch + b] = text[(b * BATCHES + n) * steps + t + ahead];
        }
      }
    }
    return cut;
  }
}
