package io.unroll.device.reference;

import static io.unroll.device.reference.ReferenceDevice.ints;
import static io.unroll.device.reference.ReferenceDevice.reals;
import static io.unroll.device.reference.ReferenceKernels.at;

import io.unroll.Philox;
import io.unroll.device.KernelArgs;
import java.util.Arrays;

/** {@link io.unroll.device.Kernel#SAMPLE} in float64. */
final class ReferenceSampling {
  private ReferenceSampling() {}

  static void sample(KernelArgs args, int items) {
    int classes = args.i32At(2);
    for (int r = 0; r < items; r++) {
      int from = at(args, 0) + r * classes;
      double[] row = Arrays.copyOfRange(reals(args.bufferAt(0)), from, from + classes);
      float uniform = Philox.uniform(args.i64At(5), args.i64At(6) + r);
      ints(args.bufferAt(1))[at(args, 1) + r] = draw(row, args.i32At(3), args.realAt(4), uniform);
    }
  }

  private static int draw(double[] logits, int topK, double inverseTemperature, float uniform) {
    int best = 0;
    for (int c = 0; c < logits.length; c++) {
      if (Double.isNaN(logits[c])) {
        return -1;
      }
      best = logits[c] > logits[best] ? c : best;
    }
    if (inverseTemperature == 0) {
      return best;
    }
    double[] sums = new double[logits.length];
    double sum = 0;
    double least = least(logits, topK);
    for (int c = 0; c < sums.length; c++) {
      if (logits[c] >= least) {
        sum += Math.exp((logits[c] - logits[best]) * inverseTemperature);
      }
      sums[c] = sum;
    }
    for (int c = 0; c < sums.length; c++) {
      if (sums[c] > uniform * sum) {
        return c;
      }
    }
    return best;
  }

  /** The smallest logit that may be drawn. */
  private static double least(double[] logits, int topK) {
    if (topK == 0 || topK >= logits.length) {
      return Double.NEGATIVE_INFINITY;
    }
    double[] sorted = logits.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length - topK];
  }
}
