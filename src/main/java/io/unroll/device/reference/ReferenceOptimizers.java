package io.unroll.device.reference;

import static io.unroll.device.reference.ReferenceDevice.reals;
import static io.unroll.device.reference.ReferenceKernels.at;

import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;

/** The optimizer and clipping kernels of {@link Kernel} in float64. */
final class ReferenceOptimizers {
  /** The new value of w[i]; reads and writes the optimizer's states. */
  private interface Rule {
    double update(KernelArgs args, int i, double w, double g);
  }

  private ReferenceOptimizers() {}

  static ReferenceKernels.Body of(Kernel kernel) {
    Rule rule =
        switch (kernel) {
          case SGD -> (a, i, w, g) -> w - a.realAt(2) * (g + a.realAt(3) * w);
          case MOMENTUM -> ReferenceOptimizers::momentum;
          case ADAGRAD -> ReferenceOptimizers::adagrad;
          case RMSPROP -> ReferenceOptimizers::rmsprop;
          case ADAM -> ReferenceOptimizers::adam;
          default -> throw new IllegalArgumentException(kernel + " is not an optimizer");
        };
    return (args, items) -> {
      double[] w = reals(args.bufferAt(0));
      double[] g = reals(args.bufferAt(1));
      for (int i = 0; i < items; i++) {
        int at = at(args, 0) + i;
        w[at] = rule.update(args, i, w[at], g[at(args, 1) + i]);
      }
    };
  }

  private static double momentum(KernelArgs args, int i, double w, double g) {
    double m = args.realAt(4) * state(args, 2, i) + (g + args.realAt(5) * w);
    return w - args.realAt(3) * keep(args, 2, i, m);
  }

  private static double adagrad(KernelArgs args, int i, double w, double g) {
    double decayed = g + args.realAt(5) * w;
    double a = keep(args, 2, i, state(args, 2, i) + decayed * decayed);
    return w - args.realAt(3) * decayed / (Math.sqrt(a) + args.realAt(4));
  }

  private static double rmsprop(KernelArgs args, int i, double w, double g) {
    double alpha = args.realAt(4);
    double rest = args.realAt(5);
    double decayed = g + args.realAt(7) * w;
    double a = keep(args, 2, i, alpha * state(args, 2, i) + rest * decayed * decayed);
    return w - args.realAt(3) * decayed / (Math.sqrt(a) + args.realAt(6));
  }

  private static double adam(KernelArgs args, int i, double w, double g) {
    double step = args.realAt(4);
    double b1 = args.realAt(5);
    double rest1 = args.realAt(6);
    double b2 = args.realAt(7);
    double rest2 = args.realAt(8);
    double correction2 = args.realAt(9);
    double eps = args.realAt(10);
    double shrunk = w - args.realAt(12) * w;
    double decayed = g + args.realAt(11) * shrunk;
    double m = keep(args, 2, i, b1 * state(args, 2, i) + rest1 * decayed);
    double v = keep(args, 3, i, b2 * state(args, 3, i) + rest2 * decayed * decayed);
    return shrunk - step * m / (Math.sqrt(v * correction2) + eps);
  }

  private static double state(KernelArgs args, int buffer, int i) {
    return reals(args.bufferAt(buffer))[at(args, buffer) + i];
  }

  private static double keep(KernelArgs args, int buffer, int i, double value) {
    reals(args.bufferAt(buffer))[at(args, buffer) + i] = value;
    return value;
  }

  static void squareSum(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    int n = (int) args.i64At(2);
    int parts = args.i32At(3);
    int part = (n + parts - 1) / parts;
    for (int i = 0; i < items; i++) {
      double sum = 0;
      for (int j = i * part; j < Math.min(n, (i + 1) * part); j++) {
        sum += x[at(args, 0) + j] * x[at(args, 0) + j];
      }
      reals(args.bufferAt(1))[at(args, 1) + i] = sum;
    }
  }

  static void clipFactor(KernelArgs args, int items) {
    double sum = 0;
    for (int i = 0; i < args.i32At(2); i++) {
      sum += state(args, 0, i);
    }
    double norm = Math.sqrt(sum);
    keep(args, 1, 0, norm);
    keep(args, 1, 1, Math.min(1, args.realAt(3) / (norm + 1e-6)));
  }

  static void scaleBy(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    for (int i = 0; i < items; i++) {
      x[at(args, 0) + i] *= state(args, 1, 0);
    }
  }

  static void clamp(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double limit = args.realAt(1);
    for (int i = 0; i < items; i++) {
      int at = at(args, 0) + i;
      x[at] = Math.min(Math.max(x[at], -limit), limit);
    }
  }
}
