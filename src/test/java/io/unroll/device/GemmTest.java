package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass(name = "{0}")
@EnumSource(DeviceKind.class)
class GemmTest {
  private static final float PADDING = -3.5e9f;

  private static List<Device> devices = List.of();

  private final Device device = devices.get(devices.size() - 1);

  GemmTest(DeviceKind ignored) {}

  @BeforeParameterizedClassInvocation
  static void open(DeviceKind kind) {
    kind.require();
    devices = kind.openAll();
  }

  @AfterParameterizedClassInvocation
  static void close() {
    devices.forEach(Device::close);
    devices = List.of();
  }

  /** One product with operands in rows longer than needed, and its answer in float64. */
  private static final class Problem {
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

    Problem(int flags, int m, int n, int k, int pad) {
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

    void check(float[] found, double beta) {
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
            double product = (double) a[aAt(i, q)] * b[bAt(q, j)];
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

    @Override
    public String toString() {
      return m + "x" + n + "x" + k + (transposeA ? " T" : " N") + (transposeB ? "T" : "N");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1",
    "3,5,7",
    "17,33,65",
    "64,128,130",
    "1,512,128",
    "512,1,7",
    "7,9,300",
    "33,601,129",
    "601,33,13",
    "270,97,40",
    "14,32,256",
    "15,33,257",
    "28,31,255",
    "13,65,512",
    "29,64,513",
    "225,33,33",
    "1,1,300",
    "1,33,257",
    "257,1,33",
    "2,700,3",
    "700,2,5",
    "8,8,1000",
    "1,63,1",
    "3,129,1",
    "63,1,16",
    "65,3,63",
    "2,65,129",
    "129,2,64",
    "63,65,15",
    "64,64,17",
    "65,63,33",
    "129,129,1"
  })
  void everyTransposition(int m, int n, int k) {
    for (int flags = 0; flags < 4; flags++) {
      for (int pad = 0; pad <= 3; pad += 3) {
        Problem problem = new Problem(flags, m, n, k, pad);
        float[] one = problem.run(devices.get(0), 0);
        problem.check(one, 0);
        float[] added = problem.run(device, 1);
        problem.check(added, 1);
        for (Device each : devices) {
          String where = problem + " on " + each.description();
          assertArrayEquals(one, problem.run(each, 0), where + ": another result, or two differ");
          assertArrayEquals(added, problem.run(each, 1), where + ": another sum, or two differ");
        }
      }
    }
  }

  @Test
  void depthZeroClearsOrKeeps() {
    Problem problem = new Problem(0, 3, 4, 1, 0);
    try (Guarded a = Guarded.of(device, 1);
        Guarded c = Guarded.filled(device, 12, 5)) {
      int at = Guarded.GUARDS;
      device.gemm(
          false, false, 3, 4, 0, a.buffer, at, 1, a.buffer, at, 1, 1, c.buffer, at, problem.ldc);
      assertEquals(5, c.values()[11]);
      device.gemm(
          false, false, 3, 4, 0, a.buffer, at, 1, a.buffer, at, 1, 0, c.buffer, at, problem.ldc);
      assertArrayEquals(new float[12], c.values());
    }
  }

  @ParameterizedTest
  @CsvSource({"9,40,17", "1,50,9", "70,3,131", "40,520,24"})
  void nanAndInfinityMeetZero(int m, int n, int k) {
    for (int flags = 0; flags < 4; flags++) {
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        Problem problem = new Problem(flags, m, n, k, 0);
        Arrays.fill(problem.a, 0);
        problem.b[problem.bAt(k - 1, n - 1)] = bad;
        problem.b[problem.bAt(0, 0)] = bad;
        float[] c = problem.run(device, 0);
        for (int i = 0; i < m; i++) {
          assertTrue(Float.isNaN(c[i * n]), problem + ": 0*" + bad + " must give NaN");
          assertTrue(Float.isNaN(c[i * n + n - 1]), problem + ": 0*" + bad + " must give NaN");
          assertEquals(0, c[i * n + 1], problem + ": " + bad + " spread to another column");
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"20,70,30", "65,129,33", "1,63,1", "129,2,64", "64,64,16"})
  void betaZeroDoesNotReadTheResult(int m, int n, int k) {
    for (int flags = 0; flags < 4; flags++) {
      Problem problem = new Problem(flags, m, n, k, 0);
      Arrays.fill(problem.c, Float.NaN);
      problem.check(problem.run(device, 0), 0);
    }
  }

  /** Operands of one buffer, at places with and without the alignment of a vector. */
  @ParameterizedTest
  @CsvSource({"65,33,17", "3,129,63", "64,64,64"})
  void operandsBeginAnywhere(int m, int n, int k) {
    for (int flags = 0; flags < 4; flags++) {
      for (int at : new int[] {0, 1, 2, 8}) {
        Problem problem = new Problem(flags, m, n, k, 1);
        int bAt = at + problem.a.length + at;
        int cAt = bAt + problem.b.length + at;
        int length = cAt + problem.c.length + at;
        try (DeviceBuffer all = device.allocate(ElementType.REAL, length, "operands")) {
          device.fill(all, 0, length, PADDING);
          device.copyIn(problem.a, 0, all, at, problem.a.length);
          device.copyIn(problem.b, 0, all, bAt, problem.b.length);
          device.copyIn(problem.c, 0, all, cAt, problem.c.length);
          float[] expected = new float[length];
          device.copyOut(all, 0, expected, 0, length);
          problem.multiply(device, all, at, all, bAt, 1, all, cAt);
          float[] found = new float[length];
          device.copyOut(all, 0, found, 0, length);
          int end = cAt + problem.c.length;
          problem.check(Arrays.copyOfRange(found, cAt, end), 1);
          Arrays.fill(expected, cAt, end, 0);
          Arrays.fill(found, cAt, end, 0);
          assertArrayEquals(expected, found, problem + " wrote outside its result");
        }
      }
    }
  }
}
