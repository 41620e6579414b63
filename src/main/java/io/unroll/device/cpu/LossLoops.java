package io.unroll.device.cpu;

import static io.unroll.device.cpu.PointwiseLoops.blend;

import io.unroll.device.KernelArgs;
import io.unroll.reference.ReferenceLosses;

/** Loops over the losses of the reference, in float64; {@link io.unroll.device.Kernel} has them. */
final class LossLoops {
  private LossLoops() {}

  static void crossEntropyForward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] logits = Args.reals(args, 0);
    int[] target = Args.integers(args, 1);
    int targetAt = Args.at(args, 1);
    float[] lse = Args.reals(args, 2);
    int lseAt = Args.at(args, 2);
    float[] loss = Args.reals(args, 3);
    int lossAt = Args.at(args, 3);
    int classes = Args.integer(args, 4);
    int ignore = Args.integer(args, 5);
    for (int r = from; r < to; r++) {
      int right = target[targetAt + r];
      int row = Args.at(args, 0) + r * classes;
      double log = right == ignore ? 0 : logSumExp(logits, row, classes);
      lse[lseAt + r] = (float) log;
      loss[lossAt + r] =
          right == ignore ? 0 : (float) (log - wantedLogit(args, logits, row, right));
    }
  }

  /** What the target's probabilities make of the logits of a row; right is its class. */
  private static double wantedLogit(KernelArgs args, float[] logits, int row, int right) {
    double others = 0;
    if (Args.real(args, 7) != 0) {
      for (int c = 0; c < Args.integer(args, 4); c++) {
        others += c == right ? 0 : logits[row + c];
      }
    }
    return (double) Args.real(args, 6) * logits[row + right] + Args.real(args, 7) * others;
  }

  /** Less the largest, so that nothing overflows. A NaN makes the largest NaN and so the result. */
  static double logSumExp(float[] x, int at, int count) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int c = 0; c < count; c++) {
      largest = Math.max(largest, x[at + c]);
    }
    double sum = 0;
    for (int c = 0; c < count; c++) {
      sum += ReferenceLosses.crossEntropyTerm(x[at + c], largest);
    }
    return largest + Math.log(sum);
  }

  static void crossEntropyMean(KernelArgs args, int from, int to, Scratch scratch) {
    float[] loss = Args.reals(args, 0);
    int lossAt = Args.at(args, 0);
    int[] target = Args.integers(args, 1);
    int targetAt = Args.at(args, 1);
    int rows = Args.integer(args, 3);
    int ignore = Args.integer(args, 4);
    double sum = 0;
    int count = 0;
    for (int r = 0; r < rows; r++) {
      if (target[targetAt + r] != ignore) {
        sum += loss[lossAt + r];
        count++;
      }
    }
    storeMean(args, 2, sum, count);
  }

  private static void storeMean(KernelArgs args, int i, double sum, double weight) {
    float[] out = Args.reals(args, i);
    int at = Args.at(args, i);
    out[at] = weight == 0 ? 0 : (float) (sum / weight);
    out[at + 1] = weight == 0 ? 0 : (float) (1 / weight);
  }

  static void crossEntropyBackward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] logits = Args.reals(args, 0);
    int logitsAt = Args.at(args, 0);
    int[] target = Args.integers(args, 1);
    int targetAt = Args.at(args, 1);
    float[] lse = Args.reals(args, 2);
    int lseAt = Args.at(args, 2);
    double scale = scale(args, 3, 4);
    float[] dLogits = Args.reals(args, 5);
    int dLogitsAt = Args.at(args, 5);
    int classes = Args.integer(args, 6);
    int ignore = Args.integer(args, 7);
    float probability = Args.real(args, 8);
    float other = Args.real(args, 9);
    float beta = Args.real(args, 10);
    for (int i = from; i < to; ) {
      int row = i / classes;
      int right = target[targetAt + row];
      double log = lse[lseAt + row];
      int end = Math.min(to, (row + 1) * classes);
      for (; i < end; i++) {
        float wanted = i - row * classes == right ? probability : other;
        double gradient = ReferenceLosses.crossEntropyGradient(logits[logitsAt + i], log, wanted);
        float value = right == ignore ? 0 : (float) (gradient * scale);
        dLogits[dLogitsAt + i] = blend(value, beta, dLogits[dLogitsAt + i]);
      }
    }
  }

  /** {@code mean[1] * dLoss[0]}. */
  private static double scale(KernelArgs args, int mean, int dLoss) {
    double weight = Args.reals(args, mean)[Args.at(args, mean) + 1];
    return weight * Args.reals(args, dLoss)[Args.at(args, dLoss)];
  }

  static void squaredErrorMean(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] target = Args.reals(args, 1);
    int targetAt = Args.at(args, 1);
    float[] weights = Args.reals(args, 2);
    int weightsAt = Args.at(args, 2);
    int n = Args.integer(args, 4);
    double sum = 0;
    double total = 0;
    for (int i = 0; i < n; i++) {
      double weight = weights == null ? 1 : weights[weightsAt + i];
      sum += ReferenceLosses.squaredError(x[xAt + i], target[targetAt + i], weight);
      total += weight;
    }
    storeMean(args, 3, sum, total);
  }

  static void squaredErrorBackward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] target = Args.reals(args, 1);
    int targetAt = Args.at(args, 1);
    float[] weights = Args.reals(args, 2);
    int weightsAt = Args.at(args, 2);
    double scale = scale(args, 3, 4);
    float[] dX = Args.reals(args, 5);
    int dXAt = Args.at(args, 5);
    float beta = Args.real(args, 6);
    for (int i = from; i < to; i++) {
      double weight = weights == null ? 1 : weights[weightsAt + i];
      double gradient =
          ReferenceLosses.squaredErrorGradient(x[xAt + i], target[targetAt + i], weight);
      float value = (float) (gradient * scale);
      dX[dXAt + i] = blend(value, beta, dX[dXAt + i]);
    }
  }
}
