package io.unroll.device.cpu;

import io.unroll.device.KernelArgs;
import java.util.Arrays;

/** Kernels that move rows; {@link io.unroll.device.Kernel} has their formulas. */
final class RowLoops {
  /** Rows whose cache lines a transposition uses up before it goes on: a line of floats. */
  private static final int BLOCK = 16;

  private RowLoops() {}

  static void gather(KernelArgs args, int from, int to, Scratch scratch) {
    float[] table = Args.reals(args, 0);
    int tableAt = Args.at(args, 0);
    int[] index = Args.integers(args, 1);
    int indexAt = Args.at(args, 1);
    float[] out = Args.reals(args, 2);
    int outAt = Args.at(args, 2);
    int n = Args.integer(args, 3);
    for (int i = from; i < to; ) {
      int row = i / n;
      int column = i - row * n;
      int count = Math.min(n - column, to - i);
      int source = index[indexAt + row];
      if (source < 0) {
        Arrays.fill(out, outAt + i, outAt + i + count, 0);
      } else {
        System.arraycopy(table, tableAt + source * n + column, out, outAt + i, count);
      }
      i += count;
    }
  }

  static void mask(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int[] mask = Args.integers(args, 1);
    float[] out = Args.reals(args, 2);
    int outAt = Args.at(args, 2);
    int n = Args.integer(args, 3);
    for (int i = from; i < to; ) {
      int row = i / n;
      int count = Math.min((row + 1) * n, to) - i;
      if (mask[Args.at(args, 1) + row] != 0) {
        Arrays.fill(out, outAt + i, outAt + i + count, 0);
      } else {
        System.arraycopy(x, Args.at(args, 0) + i, out, outAt + i, count);
      }
      i += count;
    }
  }

  static void scatterAdd(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    int xAt = Args.at(args, 0);
    int[] index = Args.integers(args, 1);
    int indexAt = Args.at(args, 1);
    float[] table = Args.reals(args, 2);
    int tableAt = Args.at(args, 2);
    int rows = Args.integer(args, 3);
    int n = Args.integer(args, 4);
    for (int r = 0; r < rows; r++) {
      int target = index[indexAt + r];
      assert target < Args.integer(args, 5) : "index " + target + " is past the table";
      if (target >= 0) {
        add(x, xAt + r * n + from, table, tableAt + target * n + from, to - from);
      }
    }
  }

  private static void add(float[] x, int xAt, float[] sum, int sumAt, int count) {
    for (int j = 0; j < count; j++) {
      sum[sumAt + j] += x[xAt + j];
    }
  }

  static void copy(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    float[] out = Args.reals(args, 1);
    int columns = Args.integer(args, 2);
    int ldX = Args.integer(args, 3);
    int ldOut = Args.integer(args, 4);
    float beta = Args.real(args, 5);
    for (int i = from; i < to; ) {
      int row = i / columns;
      int column = i - row * columns;
      int count = Math.min(columns - column, to - i);
      int source = Args.at(args, 0) + row * ldX + column;
      int target = Args.at(args, 1) + row * ldOut + column;
      if (beta == 0) {
        System.arraycopy(x, source, out, target, count);
      } else {
        addScaled(x, source, beta, out, target, count);
      }
      i += count;
    }
  }

  private static void addScaled(float[] x, int xAt, float beta, float[] out, int outAt, int count) {
    for (int j = 0; j < count; j++) {
      out[outAt + j] = x[xAt + j] + beta * out[outAt + j];
    }
  }

  static void transpose(KernelArgs args, int from, int to, Scratch scratch) {
    float[] x = Args.reals(args, 0);
    float[] out = Args.reals(args, 1);
    int outAt = Args.at(args, 1);
    int rows = Args.integer(args, 2);
    int columns = Args.integer(args, 3);
    float beta = Args.real(args, 4);
    for (int block = 0; block < rows; block += BLOCK) {
      int blockEnd = Math.min(block + BLOCK, rows);
      for (int column = from / rows; column * rows < to; column++) {
        int first = Math.max(from, column * rows + block);
        int end = Math.min(to, column * rows + blockEnd);
        int source = Args.at(args, 0) + (first - column * rows) * columns + column;
        for (int i = first; i < end; i++, source += columns) {
          out[outAt + i] = beta == 0 ? x[source] : x[source] + beta * out[outAt + i];
        }
      }
    }
  }
}
