package io.unroll.reference;

import java.util.Arrays;

/**
 * Connectionist temporal classification in float64: the probability that a sequence of frames reads
 * as a shorter sequence of labels, whatever the alignment. Graves et al., "Connectionist temporal
 * classification", ICML 2006; docs/equations.md has the recursion. Class 0 is the blank.
 */
public final class ReferenceCtc {
  private static final int BLANK = 0;

  private final Arithmetic arithmetic;

  private ReferenceCtc(Arithmetic arithmetic) {
    this.arithmetic = arithmetic;
  }

  /** {@link #loss(Sequence, int[][], Arithmetic)} without rounding. */
  public static ReferenceLosses.Loss loss(Sequence logits, int[][] labels) {
    return loss(logits, labels, Arithmetic.FLOAT64);
  }

  /**
   * The sum over the batch of -log p(labels | frames), with its gradient.
   *
   * @param logits unnormalised [T,B,C], time-major, with the number of valid frames of each row;
   *     not changed
   * @param labels of each row [B][], without blanks, each from 1 to C-1; a row may have none
   * @param arithmetic rounds what is known of each state of each frame
   * @return the loss and the gradient [T,B,C], zero past a row's length; a row of probability 0, as
   *     with fewer frames than its labels need, has an infinite loss and no gradient but NaN. No
   *     frames read as no labels, with probability 1
   * @throws IllegalArgumentException if the number of rows differs or a label is no class
   */
  public static ReferenceLosses.Loss loss(Sequence logits, int[][] labels, Arithmetic arithmetic) {
    if (labels.length != logits.batch()) {
      throw new IllegalArgumentException(
          "there must be labels for B = " + logits.batch() + " rows, but are " + labels.length);
    }
    ReferenceCtc ctc = new ReferenceCtc(arithmetic);
    double[] gradient = new double[logits.x().length];
    double sum = 0;
    for (int b = 0; b < labels.length; b++) {
      sum += ctc.row(logits, b, withBlanks(labels[b], logits.features()), gradient);
    }
    return new ReferenceLosses.Loss(sum, gradient);
  }

  /** blank, label, blank, label, ..., blank. */
  private static int[] withBlanks(int[] labels, int classes) {
    int[] symbols = new int[2 * labels.length + 1];
    Arrays.fill(symbols, BLANK);
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 1 || labels[i] >= classes) {
        throw new IllegalArgumentException(
            "a label must be from 1 to " + (classes - 1) + ", but is " + labels[i]);
      }
      symbols[2 * i + 1] = labels[i];
    }
    return symbols;
  }

  /** One row's loss; writes its gradient. */
  private double row(Sequence logits, int b, int[] symbols, double[] gradient) {
    int steps = logits.length(b);
    if (steps == 0) {
      return symbols.length == 1 ? 0 : Double.POSITIVE_INFINITY;
    }
    double[][] logP = new double[steps][];
    for (int t = 0; t < steps; t++) {
      logP[t] = logSoftmax(logits, t, b);
    }
    double[][] alpha = alpha(logP, symbols);
    double[][] beta = beta(logP, symbols);
    double all = Double.NEGATIVE_INFINITY;
    for (int s = Math.max(0, symbols.length - 2); s < symbols.length; s++) {
      all = logAdd(all, alpha[steps - 1][s]);
    }
    for (int t = 0; t < steps; t++) {
      int at = (t * logits.batch() + b) * logits.features();
      for (int c = 0; c < logP[t].length; c++) {
        gradient[at + c] = all == Double.NEGATIVE_INFINITY ? Double.NaN : Math.exp(logP[t][c]);
      }
      for (int s = 0; s < symbols.length; s++) {
        gradient[at + symbols[s]] -= Math.exp(alpha[t][s] + beta[t][s] - all);
      }
    }
    return -all;
  }

  /** alpha[t][s]: log probability of having read symbols 0 to s after frame t, which emits s. */
  private double[][] alpha(double[][] logP, int[] symbols) {
    double[][] alpha = new double[logP.length][symbols.length];
    for (int t = 0; t < logP.length; t++) {
      for (int s = 0; s < symbols.length; s++) {
        double from = Double.NEGATIVE_INFINITY;
        for (int p = Math.max(0, s - 2); p <= s; p++) {
          if (mayFollow(symbols, p, s)) {
            from = t == 0 ? from : logAdd(from, alpha[t - 1][p]);
          }
        }
        from = t == 0 && s < 2 ? 0 : from;
        alpha[t][s] = arithmetic.add(from, logP[t][symbols[s]]);
      }
    }
    return alpha;
  }

  /** beta[t][s]: log probability of reading the rest after frame t, which emits s. */
  private double[][] beta(double[][] logP, int[] symbols) {
    double[][] beta = new double[logP.length][symbols.length];
    for (int t = logP.length - 1; t >= 0; t--) {
      for (int s = 0; s < symbols.length; s++) {
        boolean atEnd = t == logP.length - 1 && s >= symbols.length - 2;
        double rest = atEnd ? 0 : Double.NEGATIVE_INFINITY;
        for (int n = s; t < logP.length - 1 && n < Math.min(symbols.length, s + 3); n++) {
          if (mayFollow(symbols, s, n)) {
            rest = logAdd(rest, arithmetic.add(beta[t + 1][n], logP[t + 1][symbols[n]]));
          }
        }
        beta[t][s] = arithmetic.round(rest);
      }
    }
    return beta;
  }

  /** Stay, go on by one, or leave out a blank between two labels that differ. */
  private static boolean mayFollow(int[] symbols, int from, int to) {
    return to - from < 2 || (symbols[to] != BLANK && symbols[to] != symbols[from]);
  }

  private double[] logSoftmax(Sequence logits, int t, int b) {
    int at = (t * logits.batch() + b) * logits.features();
    double[] v = Arrays.copyOfRange(logits.x(), at, at + logits.features());
    double lse = ReferenceLosses.logSumExp(v, 0, v.length);
    return Arrays.stream(v).map(x -> arithmetic.round(x - lse)).toArray();
  }

  /** The logarithm of e^a + e^b. */
  public static double logAdd(double a, double b) {
    double larger = Math.max(a, b);
    return larger == Double.NEGATIVE_INFINITY
        ? larger
        : larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
  }
}
