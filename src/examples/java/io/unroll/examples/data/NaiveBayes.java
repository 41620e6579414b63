package io.unroll.examples.data;

import io.unroll.train.Metrics;
import java.util.Arrays;
import java.util.List;

/**
 * Says a class from which words a text has, whatever their order: naive Bayes with counts from one
 * up. What a network reaches beyond it, it reaches by reading in order.
 */
public final class NaiveBayes {
  private final double[][] logs;

  /**
   * Counts.
   *
   * @param texts ids of words, each below words
   * @param classes of the texts, each below count
   * @param words size of the vocabulary
   * @param count how many classes there are
   */
  public NaiveBayes(List<int[]> texts, int[] classes, int words, int count) {
    logs = new double[count][words + 1];
    for (double[] row : logs) {
      Arrays.fill(row, 1);
    }
    for (int i = 0; i < classes.length; i++) {
      logs[classes[i]][words]++;
      for (int word : texts.get(i)) {
        logs[classes[i]][word]++;
      }
    }
    for (double[] row : logs) {
      double sum = 0;
      for (int word = 0; word < words; word++) {
        sum += row[word];
      }
      for (int word = 0; word < words; word++) {
        row[word] = Math.log(row[word] / sum);
      }
      row[words] = Math.log(row[words] / (classes.length + count));
    }
  }

  /** The share of texts whose most likely class is theirs. */
  public double accuracy(List<int[]> texts, int[] classes) {
    return Metrics.accuracy(texts.stream().mapToInt(this::classify).toArray(), classes);
  }

  private int classify(int[] text) {
    int best = 0;
    double highest = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < logs.length; c++) {
      double log = logs[c][logs[c].length - 1];
      for (int word : text) {
        log += logs[c][word];
      }
      if (log > highest) {
        highest = log;
        best = c;
      }
    }
    return best;
  }
}
