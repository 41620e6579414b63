package io.unroll.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.unroll.CellSpec;
import io.unroll.reference.Problem.Shape;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Laws that need no other oracle. Where no order of summation changes they hold to the bit. */
class LawsTest {
  private static final long SEED = 99;
  private static final Shape SHAPE = new Shape(6, 3, 4, 5);
  private static final double SUMS = 1e-13;

  static Stream<Arguments> layers() {
    return CellSpec.all().stream()
        .flatMap(cell -> Stream.of(false, true).map(reverse -> Arguments.of(cell, reverse)));
  }

  /** Rows b0, b1.. of [T,B,n], for t from one step to another. */
  private static double[] part(double[] values, int batch, int n, int from, int to, int... rows) {
    double[] part = new double[(to - from) * rows.length * n];
    for (int t = from; t < to; t++) {
      for (int r = 0; r < rows.length; r++) {
        System.arraycopy(
            values, (t * batch + rows[r]) * n, part, ((t - from) * rows.length + r) * n, n);
      }
    }
    return part;
  }

  /** Rows of the batch, for some steps, with the given states. */
  private static Problem cut(
      Problem p, int from, int to, int[] rows, int[] lengths, double[][] first, double[][] dLast) {
    int batch = p.input().batch();
    double[] x = part(p.input().x(), batch, p.input().features(), from, to, rows);
    return p.with(
        new Sequence(to - from, rows.length, p.input().features(), x, lengths),
        first,
        part(p.dy(), batch, p.hiddenSize(), from, to, rows),
        dLast);
  }

  private static double[][] rowsOf(double[][] states, Problem p, int... rows) {
    return Arrays.stream(states)
        .map(s -> part(s, p.input().batch(), p.hiddenSize(), 0, 1, rows))
        .toArray(double[][]::new);
  }

  @ParameterizedTest(name = "{0}, reverse {1}")
  @MethodSource("layers")
  void sixStepsAreThreeAndThreeWithTheStateCarried(CellSpec cell, boolean reverse) {
    Problem whole = Problem.random(cell, SHAPE, reverse, null, SEED);
    int[] all = {0, 1, 2};
    int firstFrom = reverse ? 3 : 0;
    int secondFrom = 3 - firstFrom;
    Problem first = cut(whole, firstFrom, firstFrom + 3, all, null, whole.initialStates(), null);
    double[][] carried = first.forward(Arithmetic.FLOAT64).finalStates();
    Problem second =
        cut(whole, secondFrom, secondFrom + 3, all, null, carried, whole.dFinalStates());
    double[][] dCarried = second.backward(Arithmetic.FLOAT64).dInitialStates();
    first = first.with(first.input(), first.initialStates(), first.dy(), dCarried);

    Map<String, double[]> expected = whole.results(Arithmetic.FLOAT64);
    Map<String, double[]> a = first.results(Arithmetic.FLOAT64);
    Map<String, double[]> b = second.results(Arithmetic.FLOAT64);
    for (String name : new String[] {"y", "dx"}) {
      double[] early = (reverse ? b : a).get(name);
      double[] late = (reverse ? a : b).get(name);
      double[] joined = Arrays.copyOf(early, early.length + late.length);
      System.arraycopy(late, 0, joined, early.length, late.length);
      assertArrayEquals(expected.get(name), joined, 0, name);
    }
    for (String state : cell.states()) {
      assertArrayEquals(expected.get(state + "_n"), b.get(state + "_n"), 0, state + "_n");
      assertArrayEquals(expected.get("d" + state + "0"), a.get("d" + state + "0"), 0, state);
    }
    for (String name : Problem.weightGradients(cell)) {
      double[] sum = a.get(name).clone();
      Arrays.setAll(sum, k -> sum[k] + b.get(name)[k]);
      assertArrayEquals(expected.get(name), sum, SUMS, name);
    }
  }

  @ParameterizedTest(name = "{0}, reverse {1}")
  @MethodSource("layers")
  void permutingTheBatchPermutesTheResult(CellSpec cell, boolean reverse) {
    int[] lengths = {6, 2, 4};
    int[] order = {2, 0, 1};
    Problem p = Problem.random(cell, SHAPE, reverse, lengths, SEED);
    Problem permuted =
        cut(
            p,
            0,
            6,
            order,
            new int[] {4, 6, 2},
            rowsOf(p.initialStates(), p, order),
            rowsOf(p.dFinalStates(), p, order));
    Map<String, double[]> expected = p.results(Arithmetic.FLOAT64);
    permuted
        .results(Arithmetic.FLOAT64)
        .forEach(
            (name, values) -> {
              double[] e = expected.get(name);
              switch (name) {
                case "y" -> assertArrayEquals(part(e, 3, 5, 0, 6, order), values, 0, name);
                case "dx" -> assertArrayEquals(part(e, 3, 4, 0, 6, order), values, 0, name);
                case "dW_ih", "dW_hh", "db_ih", "db_hh", "dUnit" ->
                    assertArrayEquals(e, values, SUMS, name);
                default -> assertArrayEquals(part(e, 3, 5, 0, 1, order), values, 0, name);
              }
            });
  }

  @ParameterizedTest(name = "{0}, reverse {1}")
  @MethodSource("layers")
  void aRaggedRowIsThatRowAlone(CellSpec cell, boolean reverse) {
    int[] lengths = {6, 2, 4};
    Problem p = Problem.random(cell, SHAPE, reverse, lengths, SEED);
    Map<String, double[]> together = p.results(Arithmetic.FLOAT64);
    Map<String, double[]> sums = null;
    for (int row = 0; row < 3; row++) {
      int n = lengths[row];
      Map<String, double[]> alone =
          cut(
                  p,
                  0,
                  n,
                  new int[] {row},
                  null,
                  rowsOf(p.initialStates(), p, row),
                  rowsOf(p.dFinalStates(), p, row))
              .results(Arithmetic.FLOAT64);
      assertRow(together.get("y"), alone.get("y"), 5, row, n, "y");
      assertRow(together.get("dx"), alone.get("dx"), 4, row, n, "dx");
      for (String state : cell.states()) {
        assertRow(together.get(state + "_n"), alone.get(state + "_n"), 5, row, 1, state + "_n");
        assertRow(together.get("d" + state + "0"), alone.get("d" + state + "0"), 5, row, 1, state);
      }
      if (sums == null) {
        sums = alone;
      } else {
        for (String name : Problem.weightGradients(cell)) {
          double[] sum = sums.get(name);
          Arrays.setAll(sum, k -> sum[k] + alone.get(name)[k]);
        }
      }
    }
    for (String name : Problem.weightGradients(cell)) {
      assertArrayEquals(together.get(name), sums.get(name), SUMS, name);
    }
  }

  @ParameterizedTest(name = "{0}, reverse {1}")
  @MethodSource("layers")
  void aRowWithAResetIsTwoRows(CellSpec cell, boolean reverse) {
    int[] begins = {4, 2, 5}; // where the second sequence of each row lies
    int[] resets = new int[6 * 3];
    for (int row = 0; row < 3; row++) {
      resets[(reverse ? begins[row] - 1 : begins[row]) * 3 + row] = 1;
    }
    Problem p = Problem.random(cell, SHAPE, reverse, null, resets, SEED);
    Map<String, double[]> together = p.results(Arithmetic.FLOAT64);
    Map<String, double[]> sums = new HashMap<>();
    for (int row = 0; row < 3; row++) {
      for (boolean second : new boolean[] {false, true}) {
        int from = second ? begins[row] : 0;
        int to = second ? 6 : begins[row];
        int[] rows = {row};
        boolean visitedFirst = second == reverse;
        double[][] first = visitedFirst ? rowsOf(p.initialStates(), p, row) : null;
        double[][] dLast = visitedFirst ? null : rowsOf(p.dFinalStates(), p, row);
        Map<String, double[]> alone =
            cut(p, from, to, rows, null, first, dLast).results(Arithmetic.FLOAT64);
        String what = " of row " + row + " from " + from;
        assertArrayEquals(alone.get("y"), part(together.get("y"), 3, 5, from, to, row), 0, what);
        assertArrayEquals(alone.get("dx"), part(together.get("dx"), 3, 4, from, to, row), 0, what);
        for (String state : cell.states()) {
          String name = visitedFirst ? "d" + state + "0" : state + "_n";
          double[] found = part(together.get(name), 3, 5, 0, 1, row);
          assertArrayEquals(alone.get(name), found, 0, name + what);
        }
        for (String name : Problem.weightGradients(cell)) {
          sums.merge(name, alone.get(name), LawsTest::sum);
        }
      }
    }
    for (String name : Problem.weightGradients(cell)) {
      assertArrayEquals(together.get(name), sums.get(name), SUMS, name);
    }
  }

  private static double[] sum(double[] a, double[] b) {
    double[] sum = new double[a.length];
    Arrays.setAll(sum, k -> a[k] + b[k]);
    return sum;
  }

  @ParameterizedTest(name = "{0}, reverse {1}")
  @MethodSource("layers")
  void aResetInTheFirstStepDropsTheInitialState(CellSpec cell, boolean reverse) {
    int[] resets = new int[6 * 3];
    Arrays.fill(resets, reverse ? 15 : 0, reverse ? 18 : 3, 1);
    Problem p = Problem.random(cell, SHAPE, reverse, null, resets, SEED);
    Map<String, double[]> found = p.results(Arithmetic.FLOAT64);
    Problem fromZero =
        p.with(new Sequence(6, 3, 4, p.input().x(), null), null, p.dy(), p.dFinalStates());
    Map<String, double[]> expected = fromZero.results(Arithmetic.FLOAT64);
    for (String state : cell.states()) {
      assertArrayEquals(new double[15], found.remove("d" + state + "0"), 0, "d" + state + "0");
    }
    found.forEach((name, values) -> assertArrayEquals(expected.get(name), values, 0, name));
  }

  /** The first n steps of a row are those of the row alone, the rest are zeros. */
  private static void assertRow(
      double[] together, double[] alone, int width, int row, int n, String name) {
    int steps = together.length / (3 * width);
    assertArrayEquals(alone, part(together, 3, width, 0, n, row), 0, name + " of row " + row);
    assertArrayEquals(
        new double[(steps - n) * width],
        part(together, 3, width, n, steps, row),
        0,
        name + " past row " + row);
  }

  @ParameterizedTest(name = "{0}, reverse {1}")
  @MethodSource("layers")
  void reverseIsForwardOnTheFlippedSequence(CellSpec cell, boolean reverse) {
    Problem p = Problem.random(cell, SHAPE, reverse, null, SEED);
    Problem flipped =
        new Problem(
            cell,
            5,
            !reverse,
            p.input().withFeatures(4, flip(p.input().x())),
            p.initialStates(),
            p.weights(),
            flip(p.dy()),
            p.dFinalStates());
    Map<String, double[]> expected = p.results(Arithmetic.FLOAT64);
    flipped
        .results(Arithmetic.FLOAT64)
        .forEach(
            (name, values) ->
                assertArrayEquals(
                    expected.get(name),
                    name.equals("y") || name.equals("dx") ? flip(values) : values,
                    0,
                    name));
  }

  /** The six steps in the opposite order. */
  private static double[] flip(double[] values) {
    double[] flipped = new double[values.length];
    int n = values.length / 6;
    for (int t = 0; t < 6; t++) {
      System.arraycopy(values, t * n, flipped, (5 - t) * n, n);
    }
    return flipped;
  }
}
