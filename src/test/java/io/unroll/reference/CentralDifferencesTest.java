package io.unroll.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.CellSpec;
import io.unroll.reference.Problem.Shape;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every gradient of every cell against (L(v+e) - L(v-e)) / 2e, L = sum(y*dy) + sum(states*dStates).
 * With e = 1e-5 the truncation is near 1e-10 and the rounding near 1e-11; relu's data stay further
 * than e from its kink, or the test would be red.
 */
class CentralDifferencesTest {
  private static final double STEP = 1e-5;
  private static final double TOLERANCE = 2e-9;
  private static final long SEED = 20261124;
  private static final int[] LENGTHS = {3, 5, 1};

  /** [T,B], at both ends, in the middle, twice in a row, and past a length. */
  private static final int[] RESETS = {1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1};

  static Stream<Arguments> layers() {
    return CellSpec.all().stream()
        .flatMap(
            cell ->
                Stream.of(false, true)
                    .flatMap(
                        reverse ->
                            Stream.of(
                                Arguments.of(cell, reverse, null, null),
                                Arguments.of(cell, reverse, LENGTHS, null),
                                Arguments.of(cell, reverse, null, RESETS),
                                Arguments.of(cell, reverse, LENGTHS, RESETS))));
  }

  @ParameterizedTest(name = "{0}, reverse {1}, lengths {2}, resets {3}")
  @MethodSource("layers")
  void oneLayer(CellSpec cell, boolean reverse, int[] lengths, int[] resets) {
    Problem p = Problem.random(cell, new Shape(5, 3, 2, 4), reverse, lengths, resets, SEED);
    ReferenceRecurrence.Gradients got = p.backward(Arithmetic.FLOAT64);
    DoubleSupplier loss =
        () -> {
          ReferenceRecurrence.Forward run = p.forward(Arithmetic.FLOAT64);
          return dot(run.y(), p.dy()) + dot(run.finalStates(), p.dFinalStates());
        };
    check("x", p.input().x(), got.dx(), loss);
    for (int s = 0; s < cell.stateCount(); s++) {
      check(cell.states().get(s) + "0", p.initialStates()[s], got.dInitialStates()[s], loss);
    }
    check("wIh", p.weights().wIh(), got.dWeights().wIh(), loss);
    check("wHh", p.weights().wHh(), got.dWeights().wHh(), loss);
    check("bIh", p.weights().bIh(), got.dWeights().bIh(), loss);
    check("bHh", p.weights().bHh(), got.dWeights().bHh(), loss);
    check("unit", p.weights().unit(), got.dWeights().unit(), loss);
  }

  static Stream<CellSpec> cells() {
    return CellSpec.all().stream();
  }

  @ParameterizedTest
  @MethodSource("cells")
  void twoLayersInBothDirectionsOverRaggedAndPackedRows(CellSpec cell) {
    SplittableRandom random = new SplittableRandom(SEED);
    ReferenceNetwork network = new ReferenceNetwork(cell, 2, 3, 2, true, Arithmetic.FLOAT64);
    int[] lengths = {4, 2};
    int[] resets = {0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0};
    Sequence input = new Sequence(4, 2, 2, Problem.uniform(random, 16, 1), lengths, resets);
    Map<String, double[]> parameters = new LinkedHashMap<>();
    network
        .parameterSizes()
        .forEach((name, size) -> parameters.put(name, Problem.uniform(random, size, 0.6)));
    assertEquals(cell.unitWeights().isEmpty() ? 16 : 20, parameters.size());
    double[] dOutput = Problem.uniform(random, 4 * 2 * 6, 1);
    double[][] states = new double[cell.stateCount()][];
    double[][] dStates = new double[cell.stateCount()][];
    Arrays.setAll(states, s -> Problem.uniform(random, 4 * 2 * 3, 1));
    Arrays.setAll(dStates, s -> Problem.uniform(random, 4 * 2 * 3, 1));
    DoubleSupplier loss =
        () -> {
          ReferenceNetwork.Forward run = network.forward(input, states, parameters);
          return dot(run.output(), dOutput) + dot(run.finalStates(), dStates);
        };
    ReferenceNetwork.Gradients got =
        network.backward(network.forward(input, states, parameters), dOutput, dStates);
    check("x", input.x(), got.dx(), loss);
    for (int s = 0; s < states.length; s++) {
      check("state " + s, states[s], got.dInitialStates()[s], loss);
    }
    assertEquals(parameters.keySet(), got.dParameters().keySet());
    parameters.forEach((name, values) -> check(name, values, got.dParameters().get(name), loss));
  }

  @Test
  void losses() {
    SplittableRandom random = new SplittableRandom(SEED);
    double[] x = Problem.uniform(random, 12, 3);
    int[] targets = {2, -100, 0, 1};
    check(
        "logits",
        x,
        ReferenceLosses.softmaxCrossEntropy(x, targets, 3, -100).gradient(),
        () -> ReferenceLosses.softmaxCrossEntropy(x, targets, 3, -100).value());
    double[] target = Problem.uniform(random, 12, 3);
    double[] weights = {1, 0, 2, 1, 1, 0.5, 0, 1, 3, 1, 1, 1};
    check(
        "x",
        x,
        ReferenceLosses.meanSquaredError(x, target, weights).gradient(),
        () -> ReferenceLosses.meanSquaredError(x, target, weights).value());
  }

  /** Changes each value in place, and puts it back. */
  private static void check(String what, double[] values, double[] gradient, DoubleSupplier loss) {
    assertEquals(values.length, gradient.length, what);
    for (int k = 0; k < values.length; k++) {
      double v = values[k];
      values[k] = v + STEP;
      double above = loss.getAsDouble();
      values[k] = v - STEP;
      double below = loss.getAsDouble();
      values[k] = v;
      double expected = (above - below) / (2 * STEP);
      double error = Math.abs(gradient[k] - expected);
      assertTrue(
          error <= TOLERANCE * Math.max(1, Math.abs(expected)),
          what
              + "["
              + k
              + "]: central difference "
              + expected
              + ", gradient "
              + gradient[k]
              + " (seed "
              + SEED
              + ")");
    }
  }

  private static double dot(double[][] a, double[][] b) {
    double sum = 0;
    for (int s = 0; s < a.length; s++) {
      sum += dot(a[s], b[s]);
    }
    return sum;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }
}
