package io.unroll.train;

import io.unroll.ShapeException;
import io.unroll.data.SequenceBatch;
import java.util.Arrays;
import java.util.List;

/** How far what a model told is from what was wanted. {@link Bleu} is the one for translations. */
public final class Metrics {
  private Metrics() {}

  /**
   * The share of classes that are right; those of {@link SequenceBatch#IGNORE} do not count.
   *
   * @return in [0, 1]; NaN if nothing counts
   * @throws ShapeException if the lengths differ
   */
  public static double accuracy(int[] predicted, int[] wanted) {
    requireEqual("classes", predicted.length, wanted.length);
    int right = 0;
    int counted = 0;
    for (int i = 0; i < wanted.length; i++) {
      if (wanted[i] != SequenceBatch.IGNORE) {
        right += predicted[i] == wanted[i] ? 1 : 0;
        counted++;
      }
    }
    return (double) right / counted;
  }

  /**
   * The least number of insertions, deletions and substitutions that make one sequence the other:
   * Levenshtein, 1966.
   */
  public static int editDistance(int[] one, int[] other) {
    int[] row = new int[other.length + 1];
    Arrays.setAll(row, j -> j);
    for (int i = 1; i <= one.length; i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length];
  }

  /**
   * All edits that the predicted sequences need over all tokens wanted: the label, word or
   * character error rate. Above 1 if too much was predicted.
   *
   * @return NaN if no token is wanted and none predicted
   * @throws ShapeException if the lists have different lengths
   */
  public static double tokenErrorRate(List<int[]> predicted, List<int[]> wanted) {
    requireEqual("sequences", predicted.size(), wanted.size());
    double edits = 0;
    long tokens = 0;
    for (int i = 0; i < wanted.size(); i++) {
      edits += editDistance(predicted.get(i), wanted.get(i));
      tokens += wanted.get(i).length;
    }
    return edits / tokens;
  }

  /**
   * The share of sequences that are not exactly right; 1 minus it is the exact match.
   *
   * @return in [0, 1]; NaN if there are none
   * @throws ShapeException if the lists have different lengths
   */
  public static double sequenceErrorRate(List<int[]> predicted, List<int[]> wanted) {
    requireEqual("sequences", predicted.size(), wanted.size());
    double wrong = 0;
    for (int i = 0; i < wanted.size(); i++) {
      wrong += Arrays.equals(predicted.get(i), wanted.get(i)) ? 0 : 1;
    }
    return wrong / wanted.size();
  }

  /**
   * Among how many tokens, all as likely, a model seems to choose.
   *
   * @param nats mean cross-entropy of a token
   * @return at least 1
   */
  public static double perplexity(double nats) {
    return Math.exp(nats);
  }

  /**
   * The mean of the absolute errors of numbers; NaN in what is wanted does not count.
   *
   * @return in the unit of the numbers; NaN if nothing counts or a counted prediction is NaN
   * @throws ShapeException if the lengths differ
   */
  public static double meanAbsoluteError(float[] predicted, float[] wanted) {
    requireEqual("numbers", predicted.length, wanted.length);
    double sum = 0;
    int counted = 0;
    for (int i = 0; i < wanted.length; i++) {
      if (!Float.isNaN(wanted[i])) {
        sum += Math.abs((double) predicted[i] - wanted[i]);
        counted++;
      }
    }
    return sum / counted;
  }

  private static void requireEqual(String what, int predicted, int wanted) {
    if (predicted != wanted) {
      throw new ShapeException(
          "there are " + predicted + " " + what + " predicted, but " + wanted + " wanted");
    }
  }
}
