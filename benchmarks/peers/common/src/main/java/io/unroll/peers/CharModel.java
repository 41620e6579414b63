package io.unroll.peers;

/**
 * The two character models. The large one has two layers; its loss is softmax cross-entropy over
 * all T*B characters, its gradients are clipped to the global norm, its optimizer is Adam; states
 * are carried from step to step. The classic one has one tanh layer, gradients clipped element by
 * element and Adagrad.
 */
public final class CharModel {
  /** Of the large model. */
  public static final int SYMBOLS = 96;

  public static final int LAYERS = 2;
  public static final int HIDDEN_SIZE = 512;
  public static final int STEPS = 64;
  public static final int BATCH = 64;
  public static final double LEARNING_RATE = 2e-3;
  public static final double CLIP_NORM = 5;

  /** Of the classic model. */
  public static final int CLASSIC_SYMBOLS = 80;

  public static final int CLASSIC_HIDDEN_SIZE = 100;
  public static final int CLASSIC_STEPS = 25;
  public static final double CLASSIC_LEARNING_RATE = 0.1;
  public static final double CLASSIC_CLIP = 5;

  /** Batches in the text before it begins again. */
  public static final int BATCHES = 8;

  private CharModel() {}

  /**
   * A text in which some characters are more frequent than others.
   *
   * @param symbols ids are in [0, symbols)
   */
  public static int[] text(int length, int symbols) {
    float[] drawn = Data.uniform(length, 3, 1);
    int[] ids = new int[length];
    for (int i = 0; i < length; i++) {
      ids[i] = Math.min(symbols - 1, (int) (drawn[i] * drawn[i] * symbols));
    }
    return ids;
  }
}
