package io.unroll.device.reference;

import static io.unroll.device.reference.ReferenceDevice.ints;
import static io.unroll.device.reference.ReferenceDevice.reals;
import static io.unroll.device.reference.ReferenceKernels.at;
import static io.unroll.device.reference.ReferenceKernels.put;
import static io.unroll.reference.ReferenceLosses.crossEntropyGradient;
import static io.unroll.reference.ReferenceLosses.crossEntropyTerm;
import static io.unroll.reference.ReferenceLosses.squaredError;
import static io.unroll.reference.ReferenceLosses.squaredErrorGradient;

import io.unroll.device.KernelArgs;

/** The loss kernels of {@link io.unroll.device.Kernel} in float64. */
final class ReferenceLosses {
  private ReferenceLosses() {}

  static void crossEntropyForward(KernelArgs args, int items) {
    double[] logits = reals(args.bufferAt(0));
    int[] target = ints(args.bufferAt(1));
    double[] lse = reals(args.bufferAt(2));
    double[] loss = reals(args.bufferAt(3));
    int classes = args.i32At(4);
    for (int r = 0; r < items; r++) {
      int wanted = target[at(args, 1) + r];
      boolean ignored = wanted == args.i32At(5);
      int row = at(args, 0) + r * classes;
      double all = ignored ? 0 : logSumExp(logits, row, classes);
      lse[at(args, 2) + r] = all;
      loss[at(args, 3) + r] = ignored ? 0 : all - wantedLogit(args, logits, row, wanted);
    }
  }

  /** sum_c q[c] logits[c] of a row, where the target is class wanted. */
  private static double wantedLogit(KernelArgs args, double[] logits, int row, int wanted) {
    double sum = args.realAt(6) * logits[row + wanted];
    for (int c = 0; c < args.i32At(4); c++) {
      sum += c == wanted || args.realAt(7) == 0 ? 0 : args.realAt(7) * logits[row + c];
    }
    return sum;
  }

  static double logSumExp(double[] x, int from, int count) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < count; c++) {
      largest = Math.max(largest, x[from + c]);
    }
    double sum = 0;
    for (int c = 0; c < count; c++) {
      sum += crossEntropyTerm(x[from + c], largest);
    }
    return largest + Math.log(sum);
  }

  static void crossEntropyMean(KernelArgs args, int items) {
    double[] loss = reals(args.bufferAt(0));
    int[] target = ints(args.bufferAt(1));
    double sum = 0;
    int count = 0;
    for (int r = 0; r < args.i32At(3); r++) {
      if (target[at(args, 1) + r] != args.i32At(4)) {
        sum += loss[at(args, 0) + r];
        count++;
      }
    }
    mean(args, 2, sum, count);
  }

  private static void mean(KernelArgs args, int out, double sum, double weight) {
    double[] mean = reals(args.bufferAt(out));
    mean[at(args, out)] = weight == 0 ? 0 : sum / weight;
    mean[at(args, out) + 1] = weight == 0 ? 0 : 1 / weight;
  }

  static void crossEntropyBackward(KernelArgs args, int items) {
    double[] logits = reals(args.bufferAt(0));
    int[] target = ints(args.bufferAt(1));
    double[] lse = reals(args.bufferAt(2));
    double scale = reals(args.bufferAt(3))[at(args, 3) + 1] * reals(args.bufferAt(4))[at(args, 4)];
    double[] dLogits = reals(args.bufferAt(5));
    int classes = args.i32At(6);
    for (int i = 0; i < items; i++) {
      int r = i / classes;
      int wanted = target[at(args, 1) + r];
      double probability = args.realAt(i % classes == wanted ? 8 : 9);
      double gradient =
          crossEntropyGradient(logits[at(args, 0) + i], lse[at(args, 2) + r], probability);
      double value = wanted == args.i32At(7) ? 0 : gradient * scale;
      put(dLogits, at(args, 5) + i, value, args.realAt(10));
    }
  }

  static void squaredErrorMean(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] target = reals(args.bufferAt(1));
    double sum = 0;
    double weight = 0;
    for (int i = 0; i < args.i32At(4); i++) {
      double w = weight(args, i);
      sum += squaredError(x[at(args, 0) + i], target[at(args, 1) + i], w);
      weight += w;
    }
    mean(args, 3, sum, weight);
  }

  static void squaredErrorBackward(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] target = reals(args.bufferAt(1));
    double scale = reals(args.bufferAt(3))[at(args, 3) + 1] * reals(args.bufferAt(4))[at(args, 4)];
    double[] dX = reals(args.bufferAt(5));
    for (int i = 0; i < items; i++) {
      double w = weight(args, i);
      double gradient = squaredErrorGradient(x[at(args, 0) + i], target[at(args, 1) + i], w);
      put(dX, at(args, 5) + i, gradient * scale, args.realAt(6));
    }
  }

  private static double weight(KernelArgs args, int i) {
    return args.bufferAt(2) == null ? 1 : reals(args.bufferAt(2))[at(args, 2) + i];
  }
}
