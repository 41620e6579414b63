package io.unroll.device.cpu;

import io.unroll.Philox;
import io.unroll.device.KernelArgs;

/** Draws classes; {@link io.unroll.device.Kernel} has the rule. */
final class SamplingLoops {
  private SamplingLoops() {}

  static void sample(KernelArgs args, int from, int to, Scratch scratch) {
    float[] logits = Args.reals(args, 0);
    int[] out = Args.integers(args, 1);
    int outAt = Args.at(args, 1);
    int classes = Args.integer(args, 2);
    int topK = Args.integer(args, 3);
    float inverseTemperature = Args.real(args, 4);
    long seed = args.i64At(5);
    long position = args.i64At(6);
    for (int r = from; r < to; r++) {
      int row = Args.at(args, 0) + r * classes;
      int best = firstLargest(logits, row, classes);
      if (best >= 0 && inverseTemperature != 0) {
        int least = leastOrder(logits, row, classes, topK);
        float largest = logits[row + best];
        double sum = 0;
        for (int c = 0; c < classes; c++) {
          sum += weight(logits[row + c], largest, least, inverseTemperature);
        }
        double bound = Philox.uniform(seed, position + r) * sum;
        double running = 0;
        for (int c = 0; c < classes && !(running > bound); c++) {
          running += weight(logits[row + c], largest, least, inverseTemperature);
          best = running > bound ? c : best;
        }
      }
      out[outAt + r] = best;
    }
  }

  /** -1 if there is a NaN. */
  private static int firstLargest(float[] x, int at, int count) {
    int best = 0;
    for (int c = 0; c < count; c++) {
      if (Float.isNaN(x[at + c])) {
        return -1;
      }
      best = x[at + c] > x[at + best] ? c : best;
    }
    return best;
  }

  private static double weight(float logit, float largest, int least, float inverseTemperature) {
    return order(logit) >= least ? Math.exp(((double) logit - largest) * inverseTemperature) : 0;
  }

  /** An integer that is the larger the larger the logit, and the same for -0 and 0. */
  private static int order(float logit) {
    int bits = Float.floatToRawIntBits(logit == 0 ? 0 : logit);
    return bits ^ (bits >> 31 >>> 1);
  }

  /** The order of the k-th largest, found bit by bit; of none if all may be drawn. */
  private static int leastOrder(float[] x, int at, int count, int k) {
    if (k == 0 || k >= count) {
      return Integer.MIN_VALUE;
    }
    int unsigned = 0;
    for (int bit = Integer.MIN_VALUE; bit != 0; bit >>>= 1) {
      int candidate = (unsigned | bit) ^ Integer.MIN_VALUE;
      int atLeast = 0;
      for (int c = 0; c < count; c++) {
        atLeast += order(x[at + c]) >= candidate ? 1 : 0;
      }
      unsigned |= atLeast >= k ? bit : 0;
    }
    return unsigned ^ Integer.MIN_VALUE;
  }
}
