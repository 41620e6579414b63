package io.unroll.reference;

import static io.unroll.reference.Sequence.requireLength;

/** Losses with their gradients, in float64, as in docs/equations.md. */
public final class ReferenceLosses {
  /**
   * A loss.
   *
   * @param value the loss
   * @param gradient its gradient, in the shape of the predictions
   */
  public record Loss(double value, double[] gradient) {}

  private ReferenceLosses() {}

  /** What a logit adds to the sum of its row; largest is that of the row. */
  public static double crossEntropyTerm(double logit, double largest) {
    return Math.exp(logit - largest);
  }

  /**
   * The gradient of a row's loss by a logit.
   *
   * @param lse the row's log of the sum of exponentials
   * @param wanted the probability that the target gives to the class
   */
  public static double crossEntropyGradient(double logit, double lse, double wanted) {
    return Math.exp(logit - lse) - wanted;
  }

  /** What an element adds to the sum; one of weight 0 is not looked at, so it may be NaN. */
  public static double squaredError(double x, double target, double weight) {
    return weight == 0 ? 0 : weight * (x - target) * (x - target);
  }

  /** The gradient of {@link #squaredError} by x. */
  public static double squaredErrorGradient(double x, double target, double weight) {
    return weight == 0 ? 0 : 2 * weight * (x - target);
  }

  /** As the other one without label smoothing. */
  public static Loss softmaxCrossEntropy(double[] logits, int[] targets, int classes, int ignore) {
    return softmaxCrossEntropy(logits, targets, classes, ignore, 0);
  }

  /**
   * Softmax and cross-entropy, the mean over the rows whose target is not {@code ignore}; 0 if
   * there is none.
   *
   * @param logits [rows, classes]; not changed
   * @param targets the right class of each row [rows], from 0 to classes-1, or ignore
   * @param classes at least 1
   * @param ignore marks a row that counts for nothing; PyTorch's default is -100
   * @param smoothing the share of the target that is spread evenly over all classes, from 0 to 1
   * @throws IllegalArgumentException if the sizes disagree or a target is no class
   */
  public static Loss softmaxCrossEntropy(
      double[] logits, int[] targets, int classes, int ignore, double smoothing) {
    double other = smoothing / classes;
    double right = 1 - smoothing + other;
    requireLength("logits [rows,classes]", logits, targets.length * classes);
    int count = 0;
    for (int target : targets) {
      count += target == ignore ? 0 : 1;
    }
    double sum = 0;
    double[] gradient = new double[logits.length];
    for (int r = 0; r < targets.length; r++) {
      if (targets[r] == ignore) {
        continue;
      }
      if (targets[r] < 0 || targets[r] >= classes) {
        throw new IllegalArgumentException(
            "targets["
                + r
                + "] must be from 0 to "
                + (classes - 1)
                + " or the ignored "
                + ignore
                + ", but is "
                + targets[r]);
      }
      double lse = logSumExp(logits, r * classes, classes);
      sum += lse;
      for (int c = 0; c < classes; c++) {
        double logit = logits[r * classes + c];
        double wanted = c == targets[r] ? right : other;
        sum -= wanted == 0 ? 0 : wanted * logit;
        gradient[r * classes + c] = crossEntropyGradient(logit, lse, wanted) / count;
      }
    }
    return new Loss(count == 0 ? 0 : sum / count, gradient);
  }

  /** log sum_c exp(v_c), with the largest v taken out so that nothing overflows. */
  static double logSumExp(double[] v, int at, int n) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < n; c++) {
      largest = Math.max(largest, v[at + c]);
    }
    double sum = 0;
    for (int c = 0; c < n; c++) {
      sum += crossEntropyTerm(v[at + c], largest);
    }
    return largest + Math.log(sum);
  }

  /**
   * Weighted mean squared error: sum w (x-target)^2 / sum w; 0 if the weights sum to 0.
   *
   * @param x predictions of any shape; not changed
   * @param target in the shape of x
   * @param weights in the shape of x, or null for ones
   * @throws IllegalArgumentException if the sizes disagree
   */
  public static Loss meanSquaredError(double[] x, double[] target, double[] weights) {
    requireLength("target", target, x.length);
    if (weights != null) {
      requireLength("weights", weights, x.length);
    }
    double sum = 0;
    double total = 0;
    for (int k = 0; k < x.length; k++) {
      double w = weights == null ? 1 : weights[k];
      sum += squaredError(x[k], target[k], w);
      total += w;
    }
    double[] gradient = new double[x.length];
    if (total == 0) {
      return new Loss(0, gradient);
    }
    for (int k = 0; k < x.length; k++) {
      double w = weights == null ? 1 : weights[k];
      gradient[k] = squaredErrorGradient(x[k], target[k], w) / total;
    }
    return new Loss(sum / total, gradient);
  }
}
