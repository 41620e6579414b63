package io.unroll.device.cpu;

import io.unroll.device.KernelArgs;

/** Optimizers; {@link io.unroll.device.Kernel} has their formulas. */
final class OptimizerLoops {
  private OptimizerLoops() {}

  static void sgd(KernelArgs args, int from, int to, Scratch scratch) {
    float[] w = Args.reals(args, 0);
    int wAt = Args.at(args, 0);
    float[] g = Args.reals(args, 1);
    int gAt = Args.at(args, 1);
    float rate = Args.real(args, 2);
    float decay = Args.real(args, 3);
    for (int i = from; i < to; i++) {
      w[wAt + i] -= rate * (g[gAt + i] + decay * w[wAt + i]);
    }
  }

  static void momentum(KernelArgs args, int from, int to, Scratch scratch) {
    float[] w = Args.reals(args, 0);
    int wAt = Args.at(args, 0);
    float[] g = Args.reals(args, 1);
    int gAt = Args.at(args, 1);
    float[] m = Args.reals(args, 2);
    int mAt = Args.at(args, 2);
    float rate = Args.real(args, 3);
    float mu = Args.real(args, 4);
    float decay = Args.real(args, 5);
    for (int i = from; i < to; i++) {
      float moment = mu * m[mAt + i] + (g[gAt + i] + decay * w[wAt + i]);
      m[mAt + i] = moment;
      w[wAt + i] -= rate * moment;
    }
  }

  static void adagrad(KernelArgs args, int from, int to, Scratch scratch) {
    float[] w = Args.reals(args, 0);
    int wAt = Args.at(args, 0);
    float[] g = Args.reals(args, 1);
    int gAt = Args.at(args, 1);
    float[] a = Args.reals(args, 2);
    int aAt = Args.at(args, 2);
    float rate = Args.real(args, 3);
    float eps = Args.real(args, 4);
    float decay = Args.real(args, 5);
    for (int i = from; i < to; i++) {
      float gradient = g[gAt + i] + decay * w[wAt + i];
      float squares = a[aAt + i] + gradient * gradient;
      a[aAt + i] = squares;
      w[wAt + i] -= rate * gradient / ((float) Math.sqrt(squares) + eps);
    }
  }

  static void rmsprop(KernelArgs args, int from, int to, Scratch scratch) {
    float[] w = Args.reals(args, 0);
    int wAt = Args.at(args, 0);
    float[] g = Args.reals(args, 1);
    int gAt = Args.at(args, 1);
    float[] a = Args.reals(args, 2);
    int aAt = Args.at(args, 2);
    float rate = Args.real(args, 3);
    float alpha = Args.real(args, 4);
    float rest = Args.real(args, 5);
    float eps = Args.real(args, 6);
    float decay = Args.real(args, 7);
    for (int i = from; i < to; i++) {
      float gradient = g[gAt + i] + decay * w[wAt + i];
      float squares = alpha * a[aAt + i] + rest * gradient * gradient;
      a[aAt + i] = squares;
      w[wAt + i] -= rate * gradient / ((float) Math.sqrt(squares) + eps);
    }
  }

  static void adam(KernelArgs args, int from, int to, Scratch scratch) {
    float[] w = Args.reals(args, 0);
    int wAt = Args.at(args, 0);
    float[] g = Args.reals(args, 1);
    int gAt = Args.at(args, 1);
    float[] m = Args.reals(args, 2);
    int mAt = Args.at(args, 2);
    float[] v = Args.reals(args, 3);
    int vAt = Args.at(args, 3);
    float step = Args.real(args, 4);
    float b1 = Args.real(args, 5);
    float rest1 = Args.real(args, 6);
    float b2 = Args.real(args, 7);
    float rest2 = Args.real(args, 8);
    float correction2 = Args.real(args, 9);
    float eps = Args.real(args, 10);
    float decay = Args.real(args, 11);
    float shrink = Args.real(args, 12);
    for (int i = from; i < to; i++) {
      float weight = w[wAt + i] - shrink * w[wAt + i];
      float gradient = g[gAt + i] + decay * weight;
      float moment = b1 * m[mAt + i] + rest1 * gradient;
      float squares = b2 * v[vAt + i] + rest2 * gradient * gradient;
      m[mAt + i] = moment;
      v[vAt + i] = squares;
      w[wAt + i] = weight - step * moment / ((float) Math.sqrt(squares * correction2) + eps);
    }
  }
}
