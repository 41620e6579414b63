package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.RequiredBackendsTest;
import io.unroll.engine.Schedule;
import io.unroll.reference.Arithmetic;
import io.unroll.reference.Tolerance;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every output and gradient of every cell, on every backend, against the float64 oracle. */
class EquivalenceTest {
  private static final long SEED = 20261124;

  /** Sizes that are no multiple of a vector, a tile or a warp, named after what they attack. */
  private enum Shape {
    SINGLE(1, 1, 1, 1),
    SMALL(3, 2, 5, 7),
    PAST_A_WARP(17, 3, 33, 65),
    ALIGNED(4, 16, 64, 128),
    LONG(200, 2, 8, 16);

    final int steps;
    final int batch;
    final int inputSize;
    final int hiddenSize;

    Shape(int steps, int batch, int inputSize, int hiddenSize) {
      this.steps = steps;
      this.batch = batch;
      this.inputSize = inputSize;
      this.hiddenSize = hiddenSize;
    }

    RecurrentProblem problem(
        CellSpec cell, int layers, boolean both, boolean ragged, boolean packed) {
      return new RecurrentProblem(
          cell, steps, batch, inputSize, hiddenSize, layers, both, ragged, packed, SEED);
    }

    /** Full and single rows, ragged, packed, and both; of what takes long neither or both. */
    Stream<RecurrentProblem> problems(CellSpec cell, int layers, boolean both) {
      boolean all = steps * batch * hiddenSize * layers < 100;
      return IntStream.range(0, 4)
          .filter(flags -> all || flags == 0 || flags == 3)
          .mapToObj(flags -> problem(cell, layers, both, flags % 2 != 0, flags / 2 != 0));
    }
  }

  static Stream<RecurrentProblem> problems() {
    return CellSpec.all().stream()
        .flatMap(
            cell ->
                Stream.concat(
                    Stream.of(Shape.values()).flatMap(shape -> shape.problems(cell, 1, false)),
                    Stream.of(Shape.SMALL, Shape.PAST_A_WARP)
                        .flatMap(shape -> shape.problems(cell, 2, true))));
  }

  private static void assertClose(
      RecurrentProblem problem, Arithmetic arithmetic, Map<String, double[]> results, String how) {
    Map<String, double[]> exact = problem.oracle(Arithmetic.FLOAT64);
    Map<String, double[]> plain = problem.oracle(arithmetic);
    assertEquals(exact.keySet(), results.keySet());
    exact.forEach(
        (name, expected) -> {
          Tolerance.Comparison worst =
              Tolerance.of(expected, plain.get(name)).compare(results.get(name));
          assertTrue(worst.passes(), () -> how + ", " + problem + ": " + name + ": " + worst);
        });
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("problems")
  void engineInFloat64AgreesWithTheOracle(RecurrentProblem problem) {
    try (Backend backend = Backend.open("reference")) {
      Map<String, double[]> results = problem.solve(backend, Schedule.STEPWISE);
      problem
          .oracle(Arithmetic.FLOAT64)
          .forEach((name, exact) -> assertArrayEquals(exact, results.get(name), 1e-10, name));
    }
  }

  /** A backend in one of its precisions. */
  private record Judged(String name, Precision precision) {
    Backend open(int threads) {
      return Backend.open(name, new BackendOptions(threads, precision));
    }

    Arithmetic arithmetic() {
      return Arithmetic.of(precision);
    }

    @Override
    public String toString() {
      return name + " " + precision;
    }
  }

  static Stream<Judged> backends() {
    return RequiredBackendsTest.judged()
        .flatMap(
            name ->
                (name.equals("cuda")
                        ? Stream.of(Precision.FP32, Precision.TF32, Precision.BF16)
                        : Stream.of(Precision.FP32))
                    .map(precision -> new Judged(name, precision)));
  }

  static Stream<Arguments> judged() {
    return backends().flatMap(backend -> problems().map(problem -> Arguments.of(backend, problem)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("judged")
  void backendAgreesWithTheOracle(Judged judged, RecurrentProblem problem) {
    for (int threads : RequiredBackendsTest.threads(judged.name)) {
      try (Backend backend = judged.open(threads)) {
        for (Schedule schedule : Schedule.values()) {
          String how = judged + " " + schedule + " " + threads + " threads";
          assertClose(problem, judged.arithmetic(), problem.solve(backend, schedule), how);
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("judged")
  void twoRunsAreBitwiseEqualAndLeaveNothingBehind(Judged judged, RecurrentProblem problem) {
    try (Backend backend = judged.open(0)) {
      Map<String, double[]> first = problem.solve(backend, Schedule.FUSED);
      Map<String, double[]> second = problem.solve(backend, Schedule.FUSED);
      first.forEach((what, values) -> assertArrayEquals(values, second.get(what), what));
      assertEquals(0, backend.liveBytes());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void plantedFaultsExceedTheTolerance(Judged judged) {
    RecurrentProblem problem = Shape.PAST_A_WARP.problem(CellSpec.GRU, 1, false, true, true);
    Map<String, double[]> exact = problem.oracle(Arithmetic.FLOAT64);
    Map<String, double[]> plain = problem.oracle(judged.arithmetic());
    double wrong = judged.precision == Precision.FP32 ? 1.001 : 1.25;
    try (Backend backend = judged.open(0)) {
      Map<String, double[]> good = problem.solve(backend, Schedule.FUSED);
      for (String what : good.keySet()) {
        for (double fault : List.of(wrong, Double.NaN)) {
          double[] bad = good.get(what).clone();
          int at = largest(bad);
          bad[at] *= fault;
          Tolerance.Comparison worst = Tolerance.of(exact.get(what), plain.get(what)).compare(bad);
          assertFalse(worst.passes(), () -> what + " times " + fault);
          assertEquals(at, worst.index());
        }
      }
    }
  }

  private static int largest(double[] values) {
    int at = 0;
    for (int i = 0; i < values.length; i++) {
      at = Math.abs(values[i]) > Math.abs(values[at]) ? i : at;
    }
    return at;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void notANumberAndInfinitySpreadAsInTheOracle(Judged judged) {
    for (CellSpec cell : CellSpec.all()) {
      for (float poison : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        Map<String, boolean[]> expected =
            nonFinite(new Judged("reference", Precision.FP64), cell, poison);
        Map<String, boolean[]> found = nonFinite(judged, cell, poison);
        expected.forEach((what, where) -> assertArrayEquals(where, found.get(what), cell + what));
      }
    }
  }

  /** Which results are NaN when one input is poisoned. */
  private static Map<String, boolean[]> nonFinite(Judged judged, CellSpec cell, float poison) {
    try (Backend backend = judged.open(0);
        Parameters parameters = new Parameters(backend, 3);
        Tape tape = new Tape(backend)) {
      Recurrent recurrent = new Recurrent(parameters, "r", RecurrentConfig.of(cell, 5, 7));
      float[] x = new float[4 * 3 * 5];
      for (int i = 0; i < x.length; i++) {
        x[i] = (i % 7 - 3) / 3f;
      }
      x[2 * 15 + 5 + 2] = poison;
      tape.begin(Tape.Mode.TRAINING);
      Tensor input = tape.input(x, 4, 3, 5).withGradient();
      Tensor y = recurrent.forward(input).y();
      tape.backward(List.of(y), List.of(tape.input(new float[4 * 3 * 7], 4, 3, 7)));
      Map<String, boolean[]> where = new LinkedHashMap<>();
      where.put("y", nan(y.toDoubles()));
      where.put("dx", nan(input.gradientToDoubles()));
      for (String parameter : parameters.names()) {
        where.put("d" + parameter, nan(parameters.get(parameter).gradientToDoubles()));
      }
      return where;
    }
  }

  private static boolean[] nan(double[] values) {
    boolean[] result = new boolean[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = Double.isNaN(values[i]);
    }
    return result;
  }
}
