package io.unroll.device.cpu;

import io.unroll.Philox;
import io.unroll.device.KernelArgs;
import io.unroll.reference.Cells;

/**
 * Kernels that treat each element by itself; {@link io.unroll.device.Kernel} has their formulas.
 */
final class PointwiseLoops {
  private PointwiseLoops() {}

  /** {@code value + beta*before}, where before must not be looked at if beta is 0. */
  static float blend(float value, float beta, float before) {
    return beta == 0 ? value : value + beta * before;
  }

  static void biasAdd(KernelArgs args, int from, int to, Scratch scratch) {
    float[] out = Args.reals(args, 0);
    int outAt = Args.at(args, 0);
    float[] bias = Args.reals(args, 1);
    int biasAt = Args.at(args, 1);
    int n = Args.integer(args, 2);
    for (int i = from; i < to; ) {
      int column = i % n;
      int count = Math.min(n - column, to - i);
      for (int j = 0; j < count; j++) {
        out[outAt + i + j] += bias[biasAt + column + j];
      }
      i += count;
    }
  }

  static void tanhForward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] y = Args.reals(args, 1);
    int yAt = Args.at(args, 1);
    for (int i = from; i < to; i++) {
      y[yAt + i] = (float) Math.tanh(x[xAt + i]);
    }
  }

  static void sigmoidForward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] y = Args.reals(args, 1);
    int yAt = Args.at(args, 1);
    for (int i = from; i < to; i++) {
      y[yAt + i] = (float) Cells.sigmoid(x[xAt + i]);
    }
  }

  static void reluForward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] y = Args.reals(args, 1);
    int yAt = Args.at(args, 1);
    for (int i = from; i < to; i++) {
      y[yAt + i] = Math.max(0, x[xAt + i]);
    }
  }

  static void tanhBackward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] y = Args.reals(args, 0);
    int yAt = Args.at(args, 0);
    float[] dY = Args.reals(args, 1);
    int dYAt = Args.at(args, 1);
    float[] dX = Args.reals(args, 2);
    int dXAt = Args.at(args, 2);
    float beta = Args.real(args, 3);
    for (int i = from; i < to; i++) {
      float v = y[yAt + i];
      dX[dXAt + i] = blend(dY[dYAt + i] * (1 - v * v), beta, dX[dXAt + i]);
    }
  }

  static void sigmoidBackward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] y = Args.reals(args, 0);
    int yAt = Args.at(args, 0);
    float[] dY = Args.reals(args, 1);
    int dYAt = Args.at(args, 1);
    float[] dX = Args.reals(args, 2);
    int dXAt = Args.at(args, 2);
    float beta = Args.real(args, 3);
    for (int i = from; i < to; i++) {
      float v = y[yAt + i];
      dX[dXAt + i] = blend(dY[dYAt + i] * v * (1 - v), beta, dX[dXAt + i]);
    }
  }

  static void reluBackward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] y = Args.reals(args, 0);
    int yAt = Args.at(args, 0);
    float[] dY = Args.reals(args, 1);
    int dYAt = Args.at(args, 1);
    float[] dX = Args.reals(args, 2);
    int dXAt = Args.at(args, 2);
    float beta = Args.real(args, 3);
    for (int i = from; i < to; i++) {
      dX[dXAt + i] = blend(y[yAt + i] <= 0 ? 0 : dY[dYAt + i], beta, dX[dXAt + i]);
    }
  }

  static void axpby(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] y = Args.reals(args, 1);
    int yAt = Args.at(args, 1);
    float a = Args.real(args, 2);
    float beta = Args.real(args, 3);
    for (int i = from; i < to; i++) {
      y[yAt + i] = blend(a * x[xAt + i], beta, y[yAt + i]);
    }
  }

  static void multiply(KernelArgs args, int from, int to, Scratch scratch) {
    float[] a = Args.reals(args, 0);
    int aAt = Args.at(args, 0);
    float[] b = Args.reals(args, 1);
    int bAt = Args.at(args, 1);
    float[] out = Args.reals(args, 2);
    int outAt = Args.at(args, 2);
    float beta = Args.real(args, 3);
    for (int i = from; i < to; i++) {
      out[outAt + i] = blend(a[aAt + i] * b[bAt + i], beta, out[outAt + i]);
    }
  }

  static void dropout(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float[] out = Args.reals(args, 1);
    int outAt = Args.at(args, 1);
    float p = Args.real(args, 2);
    float scale = Args.real(args, 3);
    long seed = args.i64At(4);
    long counter = args.i64At(5);
    float beta = Args.real(args, 6);
    for (int i = from; i < to; i++) {
      boolean kept = Philox.uniform(seed, counter + i) >= p;
      out[outAt + i] = blend(kept ? x[xAt + i] * scale : 0, beta, out[outAt + i]);
    }
  }

  static void scaleBy(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float factor = Args.reals(args, 1)[Args.at(args, 1)];
    for (int i = from; i < to; i++) {
      x[xAt + i] *= factor;
    }
  }

  static void clamp(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    float limit = Args.real(args, 1);
    for (int i = from; i < to; i++) {
      x[xAt + i] = Math.min(Math.max(x[xAt + i], -limit), limit);
    }
  }
}
