package io.unroll.device.reference;

import static io.unroll.device.reference.ReferenceDevice.ints;
import static io.unroll.device.reference.ReferenceDevice.reals;
import static io.unroll.device.reference.ReferenceKernels.at;
import static io.unroll.device.reference.ReferenceKernels.put;

import io.unroll.device.KernelArgs;

/** The kernels of attention of {@link io.unroll.device.Kernel} in float64. */
final class AttentionKernels {
  private AttentionKernels() {}

  /** How many columns of a row count; argument i is the lengths. */
  private static int columns(KernelArgs args, int i, int row, int columns, int batch) {
    return args.bufferAt(i) == null ? columns : ints(args.bufferAt(i))[at(args, i) + row % batch];
  }

  static void softmaxForward(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] y = reals(args.bufferAt(2));
    int columns = args.i32At(3);
    double scale = args.realAt(5);
    for (int r = 0; r < items; r++) {
      int from = at(args, 0) + r * columns;
      int to = at(args, 2) + r * columns;
      int count = columns(args, 1, r, columns, args.i32At(4));
      double largest = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < count; c++) {
        largest = Math.max(largest, scale * x[from + c]);
      }
      double sum = 0;
      for (int c = 0; c < count; c++) {
        sum += Math.exp(scale * x[from + c] - largest);
      }
      for (int c = 0; c < columns; c++) {
        y[to + c] = c < count ? Math.exp(scale * x[from + c] - largest) / sum : 0;
      }
    }
  }

  static void softmaxBackward(KernelArgs args, int items) {
    double[] y = reals(args.bufferAt(0));
    double[] dY = reals(args.bufferAt(1));
    double[] dX = reals(args.bufferAt(3));
    int columns = args.i32At(4);
    for (int r = 0; r < items; r++) {
      int row = r * columns;
      int count = columns(args, 2, r, columns, args.i32At(5));
      double dot = 0;
      for (int c = 0; c < count; c++) {
        dot += y[at(args, 0) + row + c] * dY[at(args, 1) + row + c];
      }
      for (int c = 0; c < columns; c++) {
        double value = c < count ? y[at(args, 0) + row + c] * (dY[at(args, 1) + row + c] - dot) : 0;
        put(dX, at(args, 3) + row + c, args.realAt(6) * value, args.realAt(7));
      }
    }
  }

  static void additiveScoreForward(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] other = reals(args.bufferAt(1));
    double[] v = reals(args.bufferAt(2));
    double[] score = reals(args.bufferAt(3));
    int batch = args.i32At(4);
    int size = args.i32At(6);
    for (int item = 0; item < items; item++) {
      int row = item / args.i32At(5);
      int column = item % args.i32At(5) * batch + row % batch;
      double sum = 0;
      for (int a = 0; a < size; a++) {
        double unit = x[at(args, 0) + row * size + a] + other[at(args, 1) + column * size + a];
        sum += v[at(args, 2) + a] * Math.tanh(unit);
      }
      score[at(args, 3) + item] = sum;
    }
  }

  static void additiveScoreBackward(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] other = reals(args.bufferAt(1));
    double[] dScore = reals(args.bufferAt(3));
    int batch = args.i32At(6);
    int n = args.i32At(7);
    int m = args.i32At(8);
    int size = args.i32At(9);
    boolean turned = args.i32At(10) != 0;
    for (int item = 0; item < items; item++) {
      int i = item / size / batch;
      int b = item / size % batch;
      int a = item % size;
      double sumX = 0;
      double sumV = 0;
      for (int j = 0; j < m; j++) {
        int place = turned ? (j * batch + b) * n + i : (i * batch + b) * m + j;
        double d = dScore[at(args, 3) + place];
        double key = other[at(args, 1) + (j * batch + b) * size + a];
        double unit = Math.tanh(x[at(args, 0) + item] + key);
        sumX += d * (1 - unit * unit);
        sumV += d * unit;
      }
      double weight = reals(args.bufferAt(2))[at(args, 2) + a];
      put(reals(args.bufferAt(4)), at(args, 4) + item, weight * sumX, args.realAt(11));
      if (args.bufferAt(5) != null) {
        reals(args.bufferAt(5))[at(args, 5) + item] = sumV;
      }
    }
  }
}
