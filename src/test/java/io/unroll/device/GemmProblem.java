package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.reference.Arithmetic;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/** One product with operands in rows longer than needed, and its answer in float64. */
final class GemmProblem {
  /** What lies between rows. */
  static final float PADDING = -3.5e9f;

  final boolean transposeA;
  final boolean transposeB;
  final int m;
  final int n;
  final int k;
  final int lda;
  final int ldb;
  final int ldc;
  final float[] a;
  final float[] b;
  final float[] c;

  GemmProblem(int flags, int m, int n, int k, int pad) {
    transposeA = (flags & 1) != 0;
    transposeB = (flags & 2) != 0;
    this.m = m;
    this.n = n;
    this.k = k;
    lda = (transposeA ? m : k) + pad;
    ldb = (transposeB ? k : n) + 2 * pad;
    ldc = n + 3 * pad;
    Random random = new Random(31L * m + 7L * n + k + flags);
    a = matrix(transposeA ? k : m, transposeA ? m : k, lda, random);
    b = matrix(transposeB ? n : k, transposeB ? k : n, ldb, random);
    c = matrix(m, n, ldc, random);
  }

  private static float[] matrix(int rows, int columns, int ld, Random random) {
    float[] values = new float[rows * ld];
    Arrays.fill(values, PADDING);
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < columns; j++) {
        values[r * ld + j] = 2 * random.nextFloat() - 1;
      }
    }
    return values;
  }

  int aAt(int i, int q) {
    return transposeA ? q * lda + i : i * lda + q;
  }

  int bAt(int q, int j) {
    return transposeB ? j * ldb + q : q * ldb + j;
  }

  float[] run(Device device, double beta) {
    try (Guarded ga = Guarded.of(device, a);
        Guarded gb = Guarded.of(device, b);
        Guarded gc = Guarded.of(device, c)) {
      int at = Guarded.GUARDS;
      multiply(device, ga.buffer, at, gb.buffer, at, beta, gc.buffer, at);
      assertArrayEquals(a, ga.values(), "A was changed");
      assertArrayEquals(b, gb.values(), "B was changed");
      return gc.values();
    }
  }

  /** As the device's own list of parameters, without the sizes that the problem knows. */
  void multiply(
      Device device,
      DeviceBuffer left,
      int leftAt,
      DeviceBuffer right,
      int rightAt,
      double beta,
      DeviceBuffer result,
      int resultAt) {
    device.gemm(
        transposeA,
        transposeB,
        m,
        n,
        k,
        left,
        leftAt,
        lda,
        right,
        rightAt,
        ldb,
        beta,
        result,
        resultAt,
        ldc);
  }

  /** In float32 sums of operands that are rounded as an arithmetic does. */
  void check(Arithmetic arithmetic, float[] found, double beta) {
    double[] left = operands(arithmetic, a);
    double[] right = operands(arithmetic, b);
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < ldc; j++) {
        if (j >= n) {
          if (i * ldc + j < found.length) {
            assertEquals(PADDING, found[i * ldc + j], this + " wrote between rows");
          }
          continue;
        }
        double sum = beta == 0 ? 0 : c[i * ldc + j];
        double size = Math.abs(sum);
        for (int q = 0; q < k; q++) {
          double product = left[aAt(i, q)] * right[bAt(q, j)];
          sum += product;
          size += Math.abs(product);
        }
        // The bound of a float32 sum in any order.
        double bound = (k + 2) * 0x1p-24 * size;
        float value = found[i * ldc + j];
        String where = this + " beta " + beta + " at " + i + "," + j;
        assertTrue(Math.abs(value - sum) <= bound, where + ": " + value + " instead of " + sum);
      }
    }
  }

  private static double[] operands(Arithmetic arithmetic, float[] values) {
    return IntStream.range(0, values.length)
        .mapToDouble(i -> arithmetic.operand(values[i]))
        .toArray();
  }

  @Override
  public String toString() {
    return m + "x" + n + "x" + k + (transposeA ? " T" : " N") + (transposeB ? "T" : "N");
  }
}
