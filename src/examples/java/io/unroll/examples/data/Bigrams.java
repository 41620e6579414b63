package io.unroll.examples.data;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Predicts a word from the one before it by counting pairs: Witten and Bell, "The zero-frequency
 * problem", IEEE Transactions on Information Theory 37(4), 1991.
 */
public final class Bigrams {
  private final long[] words;
  private final long[] before;
  private final long[] kindsAfter;
  private final Map<Long, Integer> pairs = new HashMap<>();
  private long total;

  /**
   * Counts.
   *
   * @param sentences ids of words, each below size; the first is not predicted
   */
  public Bigrams(List<int[]> sentences, int size) {
    words = new long[size];
    before = new long[size];
    kindsAfter = new long[size];
    for (int[] sentence : sentences) {
      for (int i = 1; i < sentence.length; i++) {
        words[sentence[i]]++;
        before[sentence[i - 1]]++;
        total++;
        if (pairs.merge(key(sentence[i - 1], sentence[i]), 1, Integer::sum) == 1) {
          kindsAfter[sentence[i - 1]]++;
        }
      }
    }
  }

  private long key(int first, int second) {
    return (long) first * words.length + second;
  }

  private double probability(int first, int second) {
    double alone = (words[second] + 1.0) / (total + words.length);
    double kinds = Math.max(1, kindsAfter[first]);
    return (pairs.getOrDefault(key(first, second), 0) + kinds * alone) / (before[first] + kinds);
  }

  /** The mean surprise of the words of sentences but the first, in nats. */
  public double loss(List<int[]> sentences) {
    double sum = 0;
    long count = 0;
    for (int[] sentence : sentences) {
      for (int i = 1; i < sentence.length; i++) {
        sum -= Math.log(probability(sentence[i - 1], sentence[i]));
        count++;
      }
    }
    return sum / count;
  }
}
