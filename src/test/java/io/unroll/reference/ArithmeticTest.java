package io.unroll.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.reference.Problem.Shape;
import io.unroll.reference.ReferenceRecurrence.Weights;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ArithmeticTest {
  @Test
  void bfloat16RoundsToNearestAndTiesToEven() {
    // bfloat16 has 7 mantissa bits: its neighbours above 1 are 1 + 2^-7 and 1 + 2^-6.
    assertEquals(1, Arithmetic.BF16.operand(1 + 0x1p-8), "tie, 1 is even");
    assertEquals(1 + 0x1p-6, Arithmetic.BF16.operand(1 + 3 * 0x1p-8), "tie, 1 + 2^-7 is odd");
    assertEquals(1 + 0x1p-7, Arithmetic.BF16.operand(1 + 0x1p-8 + 0x1p-23), "above the tie");
    assertEquals(1 + 0x1p-7, Arithmetic.BF16.operand(1 + 3 * 0x1p-8 - 0x1p-23), "below the tie");
    assertEquals(-1 - 0x1p-6, Arithmetic.BF16.operand(-1 - 3 * 0x1p-8), "negative");
    assertEquals(2, Arithmetic.BF16.operand(2 - 0x1p-23), "into the next power of two");
    assertEquals(0x1p-133, Arithmetic.BF16.operand(0x1p-133), "the smallest subnormal");
    assertSpecialValuesStay(Arithmetic.BF16);
  }

  @Test
  void tf32RoundsToNearestAndTiesAwayFromZero() {
    // TF32 has 10 mantissa bits.
    assertEquals(1 + 0x1p-10, Arithmetic.TF32.operand(1 + 0x1p-11));
    assertEquals(-1 - 0x1p-10, Arithmetic.TF32.operand(-1 - 0x1p-11));
    assertEquals(1, Arithmetic.TF32.operand(1 + 0x1p-11 - 0x1p-23));
    assertEquals(1 + 0x1p-9, Arithmetic.TF32.operand(1 + 3 * 0x1p-11));
    assertEquals(1 + 0x1p-10, Arithmetic.TF32.operand(1 + 0x1p-11 + 0x1p-23));
    assertEquals(-1 - 0x1p-10, Arithmetic.TF32.operand(-1 - 0x1p-10));
    assertSpecialValuesStay(Arithmetic.TF32);
  }

  private static void assertSpecialValuesStay(Arithmetic arithmetic) {
    assertEquals(Double.NaN, arithmetic.operand(Double.NaN));
    double everyBitSet = Double.longBitsToDouble(0x7fffffffffffffffL);
    assertEquals(Double.NaN, arithmetic.operand(everyBitSet), "must not carry into the sign");
    assertEquals(Double.POSITIVE_INFINITY, arithmetic.operand(Double.POSITIVE_INFINITY));
    assertEquals(Double.NEGATIVE_INFINITY, arithmetic.operand(Double.NEGATIVE_INFINITY));
    assertEquals(Double.POSITIVE_INFINITY, arithmetic.operand(Float.MAX_VALUE), "overflow");
    assertEquals(-0.0, arithmetic.operand(-0.0));
  }

  @Test
  void everyPrecisionHasItsArithmetic() {
    assertEquals(Arithmetic.FLOAT64, Arithmetic.of(Precision.FP64));
    assertEquals(Arithmetic.FLOAT32, Arithmetic.of(Precision.FP32));
    assertEquals(Arithmetic.TF32, Arithmetic.of(Precision.TF32));
    assertEquals(Arithmetic.BF16, Arithmetic.of(Precision.BF16));
  }

  /** relu of one running sum of three products and two biases. */
  private static double sum(Arithmetic arithmetic, double[] x, double[] w, double bIh) {
    return new ReferenceRecurrence(CellSpec.RELU, 3, 1, false, arithmetic)
        .forward(
            new Sequence(1, 1, 3, x, null),
            null,
            new Weights(w, new double[] {0}, new double[] {bIh}, new double[] {0}))
        .y()[0];
  }

  @Test
  void sumsAreRoundedAtEveryStep() {
    double[] ones = {1, 1, 1};
    // 2^24 + 1 is a tie that goes to 2^24, twice; 1 + 1 + 2^24 is exact.
    assertEquals(0x1p24 + 2, sum(Arithmetic.FLOAT64, new double[] {0x1p24, 1, 1}, ones, 0));
    assertEquals(0x1p24, sum(Arithmetic.FLOAT32, new double[] {0x1p24, 1, 1}, ones, 0));
    assertEquals(0x1p24 + 2, sum(Arithmetic.FLOAT32, new double[] {1, 1, 0x1p24}, ones, 0));
    // Each product takes its own bias first: 2^24 + 1 is 2^24, twice.
    assertEquals(
        0x1p24,
        new ReferenceRecurrence(CellSpec.RELU, 1, 1, false, Arithmetic.FLOAT32)
            .forward(
                new Sequence(1, 1, 1, new double[] {0x1p24}, null),
                null,
                new Weights(new double[] {1}, new double[] {0}, new double[] {1}, new double[] {1}))
            .y()[0]);
  }

  @Test
  void productsAreRoundedBeforeTheyAreAdded() {
    // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24 rounds to 1 + 2^-11; a fused multiply-add would keep 2^-24.
    double a = 1 + 0x1p-12;
    double[] x = {-1 - 0x1p-11, a, 0};
    double[] w = {1, a, 0};
    assertEquals(0x1p-24, sum(Arithmetic.FLOAT64, x, w, 0));
    assertEquals(0, sum(Arithmetic.FLOAT32, x, w, 0));
  }

  @Test
  void operandsAreRoundedButBiasesAreNot() {
    double fine = 1 + 0x1p-8;
    double[] x = {fine, 0, 0};
    double[] w = {fine, 0, 0};
    assertEquals(1 + fine, sum(Arithmetic.BF16, x, w, fine));
    assertEquals(fine * fine + fine, sum(Arithmetic.TF32, x, w, fine));
  }

  static Stream<CellSpec> cells() {
    return CellSpec.all().stream();
  }

  @ParameterizedTest
  @MethodSource("cells")
  void everyResultOfPlainFloat32IsAFloat(CellSpec cell) {
    Problem p = Problem.random(cell, new Shape(5, 3, 2, 4), false, new int[] {5, 0, 4}, 3);
    p.input().x()[0] = 0.1;
    // Row 1 has no step: what goes in comes out, as a float.
    p.initialStates()[0][4] = 0.1;
    p.dFinalStates()[0][5] = 0.1;
    p.results(Arithmetic.FLOAT32)
        .forEach(
            (name, values) -> {
              double[] floats = new double[values.length];
              for (int k = 0; k < floats.length; k++) {
                floats[k] = (float) values[k];
              }
              assertArrayEquals(floats, values, 0, name);
            });
    assertNotEquals(
        p.results(Arithmetic.FLOAT64).get("y")[0], p.results(Arithmetic.FLOAT32).get("y")[0]);
  }

  @ParameterizedTest
  @MethodSource("cells")
  void errorsGrowAsThePrecisionFalls(CellSpec cell) {
    Problem p = Problem.random(cell, new Shape(9, 3, 8, 16), true, null, 4);
    var exact = p.results(Arithmetic.FLOAT64);
    for (String name : exact.keySet()) {
      double float32 = error(exact.get(name), p.results(Arithmetic.FLOAT32).get(name));
      double tf32 = error(exact.get(name), p.results(Arithmetic.TF32).get(name));
      double bf16 = error(exact.get(name), p.results(Arithmetic.BF16).get(name));
      // Half an ulp is 2^-24, 2^-11, 2^-8 of the value.
      assertBetween(name + " float32", 0x1p-28, float32, 0x1p-17);
      assertBetween(name + " tf32", 0x1p-15, tf32, 0x1p-6);
      assertBetween(name + " bf16", 4 * tf32, bf16, 16 * tf32);
    }
  }

  private static void assertBetween(String what, double low, double found, double high) {
    assertTrue(
        low <= found && found <= high,
        what + " error " + found + " is not within " + low + " to " + high);
  }

  /** The largest error, in units of the largest value. */
  private static double error(double[] exact, double[] found) {
    double error = 0;
    double largest = 0;
    for (int k = 0; k < exact.length; k++) {
      error = Math.max(error, Math.abs(found[k] - exact[k]));
      largest = Math.max(largest, Math.abs(exact[k]));
    }
    return error / largest;
  }
}
