package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.reference.Arithmetic;
import java.util.Arrays;
import java.util.List;
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
  private static List<Device> devices = List.of();

  private final Device device = devices.get(devices.size() - 1);
  private final Arithmetic arithmetic;

  GemmTest(DeviceKind kind) {
    arithmetic = kind.arithmetic();
  }

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
    "301,260,21",
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
        GemmProblem problem = new GemmProblem(flags, m, n, k, pad);
        float[] one = problem.run(devices.get(0), 0);
        problem.check(arithmetic, one, 0);
        float[] added = problem.run(device, 1);
        problem.check(arithmetic, added, 1);
        for (Device each : devices) {
          String where = problem + " on " + each.description();
          assertArrayEquals(one, problem.run(each, 0), where + ": another result, or two differ");
          assertArrayEquals(added, problem.run(each, 1), where + ": another sum, or two differ");
        }
      }
    }
  }

  /** The distance of the rows of a matrix that has one says nothing. */
  @Test
  void oneRowMayHaveAnyDistance() {
    try (Guarded a = Guarded.filled(device, 5, 3);
        Guarded b = Guarded.filled(device, 5, 2);
        Guarded c = Guarded.filled(device, 1, 5)) {
      int at = Guarded.GUARDS;
      device.gemm(false, true, 1, 1, 5, a.buffer, at, 1, b.buffer, at, 1, 1, c.buffer, at, 0);
      assertArrayEquals(new float[] {35}, c.values());
    }
  }

  @Test
  void depthZeroClearsOrKeeps() {
    GemmProblem problem = new GemmProblem(0, 3, 4, 1, 0);
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
        GemmProblem problem = new GemmProblem(flags, m, n, k, 0);
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
      GemmProblem problem = new GemmProblem(flags, m, n, k, 0);
      Arrays.fill(problem.c, Float.NaN);
      problem.check(arithmetic, problem.run(device, 0), 0);
    }
  }

  /** Operands of one buffer, at places with and without the alignment of a vector. */
  @ParameterizedTest
  @CsvSource({"65,33,17", "3,129,63", "64,64,64"})
  void operandsBeginAnywhere(int m, int n, int k) {
    for (int flags = 0; flags < 8; flags++) {
      for (int at : new int[] {0, 1, 2, 8}) {
        GemmProblem problem = new GemmProblem(flags, m, n, k, flags / 4);
        int bAt = at + problem.a.length + at;
        int cAt = bAt + problem.b.length + at;
        int length = cAt + problem.c.length + at;
        try (DeviceBuffer all = device.allocate(ElementType.REAL, length, "operands")) {
          device.fill(all, 0, length, GemmProblem.PADDING);
          device.copyIn(problem.a, 0, all, at, problem.a.length);
          device.copyIn(problem.b, 0, all, bAt, problem.b.length);
          device.copyIn(problem.c, 0, all, cAt, problem.c.length);
          float[] expected = new float[length];
          device.copyOut(all, 0, expected, 0, length);
          problem.multiply(device, all, at, all, bAt, 1, all, cAt);
          float[] found = new float[length];
          device.copyOut(all, 0, found, 0, length);
          int end = cAt + problem.c.length;
          problem.check(arithmetic, Arrays.copyOfRange(found, cAt, end), 1);
          Arrays.fill(expected, cAt, end, 0);
          Arrays.fill(found, cAt, end, 0);
          assertArrayEquals(expected, found, problem + " wrote outside its result");
        }
      }
    }
  }
}
