package io.unroll.device.cpu;

import static io.unroll.device.cpu.PointwiseLoops.blend;

import io.unroll.device.KernelArgs;
import java.util.Arrays;

/** Kernels of attention, sums in float64; {@link io.unroll.device.Kernel} has their formulas. */
final class AttentionLoops {
  private AttentionLoops() {}

  /** How many columns of a row count; argument i is the lengths, none if all do. */
  private static int columns(KernelArgs args, int i, int row, int columns, int batch) {
    int[] lengths = Args.integers(args, i);
    return lengths == null ? columns : lengths[Args.at(args, i) + row % batch];
  }

  static void softmaxForward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    float[] y = Args.reals(args, 2);
    int columns = Args.integer(args, 3);
    int batch = Args.integer(args, 4);
    double scale = Args.real(args, 5);
    for (int r = from; r < to; r++) {
      int count = columns(args, 1, r, columns, batch);
      int in = Args.at(args, 0) + r * columns;
      int out = Args.at(args, 2) + r * columns;
      double largest = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < count; c++) {
        largest = Math.max(largest, scale * x[in + c]);
      }
      double sum = 0;
      for (int c = 0; c < count; c++) {
        sum += Math.exp(scale * x[in + c] - largest);
      }
      for (int c = 0; c < count; c++) {
        y[out + c] = (float) (Math.exp(scale * x[in + c] - largest) / sum);
      }
      Arrays.fill(y, out + count, out + columns, 0);
    }
  }

  static void softmaxBackward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] y = Args.reals(args, 0);
    float[] dY = Args.reals(args, 1);
    float[] dX = Args.reals(args, 3);
    int columns = Args.integer(args, 4);
    int batch = Args.integer(args, 5);
    double scale = Args.real(args, 6);
    float beta = Args.real(args, 7);
    for (int r = from; r < to; r++) {
      int count = columns(args, 2, r, columns, batch);
      int yAt = Args.at(args, 0) + r * columns;
      int dYAt = Args.at(args, 1) + r * columns;
      int dXAt = Args.at(args, 3) + r * columns;
      double dot = 0;
      for (int c = 0; c < count; c++) {
        dot += (double) y[yAt + c] * dY[dYAt + c];
      }
      for (int c = 0; c < columns; c++) {
        double value = c < count ? scale * y[yAt + c] * (dY[dYAt + c] - dot) : 0;
        dX[dXAt + c] = blend((float) value, beta, dX[dXAt + c]);
      }
    }
  }

  static void additiveScoreForward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    float[] other = Args.reals(args, 1);
    float[] v = Args.reals(args, 2);
    int weightsAt = Args.at(args, 2);
    float[] score = Args.reals(args, 3);
    int batch = Args.integer(args, 4);
    int m = Args.integer(args, 5);
    int size = Args.integer(args, 6);
    for (int i = from; i < to; i++) {
      int row = i / m;
      int query = Args.at(args, 0) + row * size;
      int key = Args.at(args, 1) + ((i - row * m) * batch + row % batch) * size;
      double sum = 0;
      for (int a = 0; a < size; a++) {
        sum += v[weightsAt + a] * Math.tanh(x[query + a] + other[key + a]);
      }
      score[Args.at(args, 3) + i] = (float) sum;
    }
  }

  static void additiveScoreBackward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    float[] other = Args.reals(args, 1);
    float[] dScore = Args.reals(args, 3);
    float[] dX = Args.reals(args, 4);
    float[] dV = Args.reals(args, 5);
    int batch = Args.integer(args, 6);
    int n = Args.integer(args, 7);
    int m = Args.integer(args, 8);
    int size = Args.integer(args, 9);
    boolean turned = Args.integer(args, 10) != 0;
    float beta = Args.real(args, 11);
    for (int item = from; item < to; item++) {
      int row = item / size;
      int a = item - row * size;
      int b = row % batch;
      int at = Args.at(args, 3) + (turned ? b * n + row / batch : row * m);
      double sumX = 0;
      double sumV = 0;
      for (int j = 0; j < m; j++) {
        double d = dScore[at + (turned ? j * batch * n : j)];
        float key = other[Args.at(args, 1) + (j * batch + b) * size + a];
        double unit = Math.tanh(x[Args.at(args, 0) + item] + key);
        sumX += d * (1 - unit * unit);
        sumV += d * unit;
      }
      float value = (float) (Args.reals(args, 2)[Args.at(args, 2) + a] * sumX);
      int place = Args.at(args, 4) + item;
      dX[place] = blend(value, beta, dX[place]);
      if (dV != null) {
        dV[Args.at(args, 5) + item] = (float) sumV;
      }
    }
  }
}
