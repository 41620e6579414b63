package io.unroll.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.CellSpec;
import io.unroll.reference.Problem.Shape;
import io.unroll.reference.ReferenceRecurrence.Weights;
import io.unroll.reference.Tolerance.Comparison;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ToleranceTest {
  private static final long SEED = 20240501;
  private static final String DROPPED_FEATURE = "the last feature of one unit dropped";
  private static final List<Arithmetic> ROUNDING =
      List.of(Arithmetic.FLOAT32, Arithmetic.TF32, Arithmetic.BF16);
  private static final double INFINITY = Double.POSITIVE_INFINITY;

  private static double[] v(double... values) {
    return values;
  }

  @Test
  void fourTimesThePlainErrorOrTheFloor() {
    // Errors 0.25 and 0.5; the floor is 32 * 2^-24 * 8 = 2^-16.
    assertEquals(2, Tolerance.of(v(-8, 1), v(-8.25, 1.5)).allowed());
    assertEquals(0x1p-16, Tolerance.of(v(-8, 1), v(-8, 1)).allowed());
  }

  @Test
  void theWorstElementIsNamed() {
    Comparison worst = Tolerance.of(v(1, 2, 3), v(1, 2.25, 3)).compare(v(1, 1.5, 6));
    assertEquals(new Comparison(2, 3, 6, 3), worst);
    assertFalse(worst.passes());
    assertEquals(
        "worst at flat index 2: expected 3.0, found 6.0, 3.0 times the tolerance",
        worst.toString());
  }

  @Test
  void theToleranceItselfPassesAndTheNextDoubleFails() {
    Tolerance tolerance = Tolerance.of(v(1), v(1.25));
    assertTrue(tolerance.compare(v(2)).passes());
    assertFalse(tolerance.compare(v(Math.nextUp(2.0))).passes());
    assertTrue(tolerance.compare(new float[] {2}).passes());
    assertFalse(tolerance.compare(new float[] {Math.nextUp(2f)}).passes());
  }

  @Test
  void notANumberFails() {
    Comparison worst = Tolerance.of(v(1, 2, 3), v(1, 2.5, 3)).compare(v(1, Double.NaN, 9));
    assertEquals(1, worst.index());
    assertFalse(worst.passes());
    assertFalse(Tolerance.of(v(0), v(0)).compare(v(Double.NaN)).passes());
    assertFalse(Tolerance.of(v(0), v(0)).compare(v(INFINITY)).passes());
  }

  @Test
  void zerosMustBeZeros() {
    assertTrue(Tolerance.of(v(0, 0), v(0, 0)).compare(v(0, -0.0)).passes());
    assertFalse(Tolerance.of(v(0, 0), v(0, 0)).compare(v(0, 1e-30)).passes());
  }

  @Test
  void whatIsNotFiniteMustMatchInKind() {
    Tolerance tolerance =
        Tolerance.of(v(Double.NaN, INFINITY, -INFINITY, 1), v(Double.NaN, Double.NaN, 0, 1));
    assertTrue(tolerance.compare(v(Double.NaN, INFINITY, -INFINITY, 1)).passes());
    assertEquals(0, tolerance.compare(v(0, INFINITY, -INFINITY, 1)).index());
    assertFalse(tolerance.compare(v(0, INFINITY, -INFINITY, 1)).passes());
    assertFalse(tolerance.compare(v(Double.NaN, Double.NaN, -INFINITY, 1)).passes());
    assertFalse(tolerance.compare(v(Double.NaN, INFINITY, INFINITY, 1)).passes());
    assertFalse(tolerance.compare(v(Double.NaN, INFINITY, 1e300, 1)).passes());
  }

  @Test
  void unfitDataAreRefused() {
    assertEquals(
        "plain arithmetic gives Infinity at flat index 1 where the exact value is 1.0E39; compare"
            + " on smaller values",
        assertThrows(IllegalArgumentException.class, () -> Tolerance.of(v(1, 1e39), v(1, INFINITY)))
            .getMessage());
    assertThrows(IllegalArgumentException.class, () -> Tolerance.of(v(1), v(1, 2)));
    assertThrows(IllegalArgumentException.class, () -> Tolerance.of(v(), v()));
    assertThrows(IllegalArgumentException.class, () -> Tolerance.of(v(1), v(1)).compare(v(1, 1)));
  }

  static Stream<Arguments> problems() {
    return CellSpec.all().stream()
        .flatMap(
            cell ->
                Stream.of(new Shape(1, 1, 1, 1), new Shape(3, 2, 5, 7), new Shape(17, 3, 33, 65))
                    .map(shape -> Arguments.of(cell, shape)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("problems")
  void anotherOrderOfSummationPasses(CellSpec cell, Shape shape) {
    Problem p = Problem.random(cell, shape, false, null, SEED);
    Map<String, double[]> exact = p.results(Arithmetic.FLOAT64);
    for (Arithmetic arithmetic : ROUNDING) {
      Map<String, double[]> plain = p.results(arithmetic);
      p.turnedResults(arithmetic)
          .forEach(
              (name, values) -> {
                Comparison worst = Tolerance.of(exact.get(name), plain.get(name)).compare(values);
                String where = arithmetic + " " + name + " " + worst + " (seed " + SEED + ")";
                assertTrue(worst.passes(), where);
              });
    }
  }

  static Stream<CellSpec> cells() {
    return CellSpec.all().stream();
  }

  @ParameterizedTest
  @MethodSource("cells")
  void plantedFaultsFailByFar(CellSpec cell) {
    Problem p = Problem.random(cell, new Shape(17, 3, 33, 65), false, null, SEED);
    Weights w = p.weights();
    int rows = w.bIh().length;
    Sequence shifted =
        p.input().withFeatures(33, rotated(p.input().x(), p.input().x().length - 3 * 33));
    assertFault(
        "b_hh dropped",
        p,
        p.input(),
        new Weights(w.wIh(), w.wHh(), w.bIh(), new double[rows], w.unit()));
    assertFault("x shifted by a step", p, shifted, w);
    assertFault(
        "rows of W_hh shifted",
        p,
        p.input(),
        new Weights(w.wIh(), rotated(w.wHh(), 65), w.bIh(), w.bHh(), w.unit()));
    double[] oneWeightDropped = w.wIh().clone();
    oneWeightDropped[32] = 0;
    assertFault(
        DROPPED_FEATURE,
        p,
        p.input(),
        new Weights(oneWeightDropped, w.wHh(), w.bIh(), w.bHh(), w.unit()));
    if (!cell.unitWeights().isEmpty()) {
      assertFault(
          "own weights given to the next unit",
          p,
          p.input(),
          new Weights(w.wIh(), w.wHh(), w.bIh(), w.bHh(), rotated(w.unit(), 1)));
    }
  }

  private static double[] rotated(double[] values, int by) {
    double[] turned = new double[values.length];
    for (int k = 0; k < values.length; k++) {
      turned[k] = values[(k + by) % values.length];
    }
    return turned;
  }

  private static void assertFault(String fault, Problem p, Sequence input, Weights weights) {
    double[] exact = p.forward(Arithmetic.FLOAT64).y();
    for (Arithmetic arithmetic : ROUNDING) {
      Comparison worst =
          Tolerance.of(exact, p.forward(arithmetic).y())
              .compare(p.recurrence(arithmetic).forward(input, p.initialStates(), weights).y());
      if (arithmetic == Arithmetic.BF16 && fault.equals(DROPPED_FEATURE)) {
        continue; // no more than what a rounding of the others takes away
      }
      double least = arithmetic == Arithmetic.FLOAT32 ? 100 : 1;
      assertTrue(
          worst.times() > least, arithmetic + " " + fault + ": " + worst + " (seed " + SEED + ")");
    }
  }
}
