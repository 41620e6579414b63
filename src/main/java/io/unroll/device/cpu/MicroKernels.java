package io.unroll.device.cpu;

import java.lang.management.ManagementFactory;

/**
 * The innermost loops of the matrix product: one row of results, eight steps of the depth.
 *
 * <p>They have the one form that HotSpot's C2 turns into full-width vector code on Java 17 and 25
 * alike: one output array, one packed operand, a constant trip count and constant offsets. With a
 * variable trip count, a variable offset, a second output or sixteen steps it falls back to scalar
 * code, at a quarter to a sixth of the speed. Each loop stays a small method of its own, so that its
 * compilation does not depend on what surrounds it.
 */
final class MicroKernels {
  /** Depth steps of one call. */
  static final int STEPS = 8;

  /** Row widths for which there is a loop. */
  static final int WIDE = 512;

  static final int MIDDLE = 128;
  static final int NARROW = 32;

  /** Columns of one call of {@link #dot8}. */
  static final int DOTS = 8;

  // Math.fma without the instruction goes through BigDecimal, a thousand times slower.
  private static final boolean FUSED = hasFusedMultiplyAdd();

  private MicroKernels() {}

  private static boolean hasFusedMultiplyAdd() {
    if (System.getProperty("os.arch").equals("aarch64")) {
      return true;
    }
    try {
      return Boolean.parseBoolean(
          ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class)
              .getVMOption("UseFMA")
              .getValue());
    } catch (LinkageError | RuntimeException e) {
      return false; // another VM, or a runtime without these beans: slower by a little, never wrong
    }
  }

  /** {@code a*b + c}, rounded once where the processor can do so. */
  static float multiplyAdd(float a, float b, float c) {
    return FUSED ? Math.fma(a, b, c) : a * b + c;
  }

  /**
   * {@code sum[r][j] += a[r,k]*p[k*width+j]} for rows of width columns and eight k, in the order of
   * k.
   *
   * @param width WIDE, MIDDLE or NARROW
   * @param at where a[0,0] lies in a
   * @param row distance between the rows of a; step: between its k
   */
  static void rows(
      int width, float[][] sum, int rows, float[] p, float[] a, int at, int row, int step) {
    if (width == WIDE) {
      for (int r = 0; r < rows; r++) {
        wide(sum[r], p, a, at + r * row, step);
      }
    } else if (width == MIDDLE) {
      for (int r = 0; r < rows; r++) {
        middle(sum[r], p, a, at + r * row, step);
      }
    } else {
      for (int r = 0; r < rows; r++) {
        narrow(sum[r], p, a, at + r * row, step);
      }
    }
  }

  private static void wide(float[] sum, float[] p, float[] a, int at, int step) {
    float a0 = a[at];
    float a1 = a[at + step];
    float a2 = a[at + 2 * step];
    float a3 = a[at + 3 * step];
    float a4 = a[at + 4 * step];
    float a5 = a[at + 5 * step];
    float a6 = a[at + 6 * step];
    float a7 = a[at + 7 * step];
    for (int j = 0; j < WIDE; j++) {
      float s = multiplyAdd(a0, p[j], sum[j]);
      s = multiplyAdd(a1, p[j + WIDE], s);
      s = multiplyAdd(a2, p[j + 2 * WIDE], s);
      s = multiplyAdd(a3, p[j + 3 * WIDE], s);
      s = multiplyAdd(a4, p[j + 4 * WIDE], s);
      s = multiplyAdd(a5, p[j + 5 * WIDE], s);
      s = multiplyAdd(a6, p[j + 6 * WIDE], s);
      sum[j] = multiplyAdd(a7, p[j + 7 * WIDE], s);
    }
  }

  private static void middle(float[] sum, float[] p, float[] a, int at, int step) {
    float a0 = a[at];
    float a1 = a[at + step];
    float a2 = a[at + 2 * step];
    float a3 = a[at + 3 * step];
    float a4 = a[at + 4 * step];
    float a5 = a[at + 5 * step];
    float a6 = a[at + 6 * step];
    float a7 = a[at + 7 * step];
    for (int j = 0; j < MIDDLE; j++) {
      float s = multiplyAdd(a0, p[j], sum[j]);
      s = multiplyAdd(a1, p[j + MIDDLE], s);
      s = multiplyAdd(a2, p[j + 2 * MIDDLE], s);
      s = multiplyAdd(a3, p[j + 3 * MIDDLE], s);
      s = multiplyAdd(a4, p[j + 4 * MIDDLE], s);
      s = multiplyAdd(a5, p[j + 5 * MIDDLE], s);
      s = multiplyAdd(a6, p[j + 6 * MIDDLE], s);
      sum[j] = multiplyAdd(a7, p[j + 7 * MIDDLE], s);
    }
  }

  private static void narrow(float[] sum, float[] p, float[] a, int at, int step) {
    float a0 = a[at];
    float a1 = a[at + step];
    float a2 = a[at + 2 * step];
    float a3 = a[at + 3 * step];
    float a4 = a[at + 4 * step];
    float a5 = a[at + 5 * step];
    float a6 = a[at + 6 * step];
    float a7 = a[at + 7 * step];
    for (int j = 0; j < NARROW; j++) {
      float s = multiplyAdd(a0, p[j], sum[j]);
      s = multiplyAdd(a1, p[j + NARROW], s);
      s = multiplyAdd(a2, p[j + 2 * NARROW], s);
      s = multiplyAdd(a3, p[j + 3 * NARROW], s);
      s = multiplyAdd(a4, p[j + 4 * NARROW], s);
      s = multiplyAdd(a5, p[j + 5 * NARROW], s);
      s = multiplyAdd(a6, p[j + 6 * NARROW], s);
      sum[j] = multiplyAdd(a7, p[j + 7 * NARROW], s);
    }
  }

  /**
   * {@code out[q] = sum over k of a[k]*b[q,k]} for eight q whose k lie side by side: scalar code, but
   * eight independent sums. For products with so few rows that packing b would cost more.
   *
   * @param step distance between the k of a
   * @param ldb distance between the q of b
   */
  static void dot8(float[] a, int at, int step, float[] b, int bAt, int ldb, int depth, float[] out) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    float s4 = 0;
    float s5 = 0;
    float s6 = 0;
    float s7 = 0;
    for (int k = 0; k < depth; k++) {
      float x = a[at + k * step];
      int i = bAt + k;
      s0 = multiplyAdd(x, b[i], s0);
      s1 = multiplyAdd(x, b[i + ldb], s1);
      s2 = multiplyAdd(x, b[i + 2 * ldb], s2);
      s3 = multiplyAdd(x, b[i + 3 * ldb], s3);
      s4 = multiplyAdd(x, b[i + 4 * ldb], s4);
      s5 = multiplyAdd(x, b[i + 5 * ldb], s5);
      s6 = multiplyAdd(x, b[i + 6 * ldb], s6);
      s7 = multiplyAdd(x, b[i + 7 * ldb], s7);
    }
    out[0] = s0;
    out[1] = s1;
    out[2] = s2;
    out[3] = s3;
    out[4] = s4;
    out[5] = s5;
    out[6] = s6;
    out[7] = s7;
  }

  /** As {@link #dot8}, for one q. */
  static float dot(float[] a, int at, int step, float[] b, int bAt, int depth) {
    float sum = 0;
    for (int k = 0; k < depth; k++) {
      sum = multiplyAdd(a[at + k * step], b[bAt + k], sum);
    }
    return sum;
  }
}
