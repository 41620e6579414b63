package io.unroll.examples.data;

/**
 * Counts which symbol follows which two, and predicts by the counts: the language model of before
 * there were networks. What was never seen behind two symbols is taken from what follows one, and
 * so on, in the way of Witten and Bell, "The zero-frequency problem", IEEE Transactions on
 * Information Theory 37(4), 1991.
 */
public final class Trigrams {
  private static final int LONGEST = 3;

  private final int symbols;

  /** counts[n][context * symbols + s]: how often s followed that context of n symbols. */
  private final int[][] counts = new int[LONGEST][];

  /**
   * Counts a text.
   *
   * @param text ids below symbols
   * @param symbols V; it takes V^3 integers
   */
  public Trigrams(int[] text, int symbols) {
    this.symbols = symbols;
    int size = 1;
    for (int n = 0; n < LONGEST; n++) {
      size = Math.multiplyExact(size, symbols);
      counts[n] = new int[size];
      for (int i = n; i < text.length; i++) {
        counts[n][context(text, i, n) * symbols + text[i]]++;
      }
    }
  }

  private int context(int[] text, int at, int length) {
    int context = 0;
    for (int i = at - length; i < at; i++) {
      context = context * symbols + text[i];
    }
    return context;
  }

  /** Bits that a symbol of another text costs, the mean over all but the first two. */
  public double bits(int[] text) {
    double sum = 0;
    for (int i = LONGEST - 1; i < text.length; i++) {
      sum -= Math.log(probability(text, i)) / Math.log(2);
    }
    return sum / (text.length - LONGEST + 1);
  }

  private double probability(int[] text, int at) {
    double probability = 1.0 / symbols;
    for (int n = 0; n < LONGEST; n++) {
      int from = context(text, at, n) * symbols;
      int seen = 0;
      int kinds = 0;
      for (int s = 0; s < symbols; s++) {
        seen += counts[n][from + s];
        kinds += counts[n][from + s] > 0 ? 1 : 0;
      }
      if (seen > 0) {
        probability = (counts[n][from + text[at]] + kinds * probability) / (seen + kinds);
      }
    }
    return probability;
  }
}
