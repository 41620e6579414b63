package io.unroll.device.cpu;

import io.unroll.device.KernelArgs;
import java.util.Arrays;

/**
 * Kernels that add up, in float64 and in an order that does not depend on the threads; {@link
 * io.unroll.device.Kernel} has their formulas.
 */
final class ReductionLoops {
  private ReductionLoops() {}

  static void columnSum(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] out = Args.reals(args, 1);
    int outAt = Args.at(args, 1);
    int rows = Args.integer(args, 2);
    int n = Args.integer(args, 3);
    float beta = Args.real(args, 4);
    double[] sums = scratch.sums;
    for (int first = from; first < to; first += Scratch.SUMS) {
      int count = Math.min(Scratch.SUMS, to - first);
      Arrays.fill(sums, 0, count, 0);
      for (int r = 0; r < rows; r++) {
        addTo(sums, x, xAt + r * n + first, count);
      }
      for (int j = 0; j < count; j++) {
        int i = outAt + first + j;
        out[i] = (float) (beta == 0 ? sums[j] : sums[j] + beta * out[i]);
      }
    }
  }

  private static void addTo(double[] sums, float[] x, int at, int count) {
    for (int j = 0; j < count; j++) {
      sums[j] += x[at + j];
    }
  }

  static void squareSum(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] partial = Args.reals(args, 1);
    int partialAt = Args.at(args, 1);
    long n = Args.integer(args, 2);
    long length = (n + Args.integer(args, 3) - 1) / Args.integer(args, 3);
    for (int part = from; part < to; part++) {
      int first = (int) Math.min(n, part * length);
      int end = (int) Math.min(n, (part + 1) * length);
      partial[partialAt + part] = (float) squares(x, xAt + first, end - first);
    }
  }

  private static double squares(float[] x, int at, int count) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      s0 += (double) x[at + i] * x[at + i];
      s1 += (double) x[at + i + 1] * x[at + i + 1];
      s2 += (double) x[at + i + 2] * x[at + i + 2];
      s3 += (double) x[at + i + 3] * x[at + i + 3];
    }
    for (; i < count; i++) {
      s0 += (double) x[at + i] * x[at + i];
    }
    return (s0 + s1) + (s2 + s3);
  }

  static void clipFactor(KernelArgs args, int from, int to, Scratch scratch) {
    float[] partial = Args.reals(args, 0);
    int partialAt = Args.at(args, 0);
    float[] out = Args.reals(args, 1);
    int outAt = Args.at(args, 1);
    int parts = Args.integer(args, 2);
    double sum = 0;
    for (int i = 0; i < parts; i++) {
      sum += partial[partialAt + i];
    }
    double norm = Math.sqrt(sum);
    out[outAt] = (float) norm;
    out[outAt + 1] = (float) Math.min(1, args.realAt(3) / (norm + 1e-6));
  }
}
