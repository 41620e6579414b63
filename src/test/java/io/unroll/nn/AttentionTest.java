package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.Precision;
import io.unroll.RequiredBackendsTest;
import io.unroll.ShapeException;
import io.unroll.nn.Attention.Score;
import io.unroll.reference.Arithmetic;
import io.unroll.reference.Tolerance;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every score on every backend against the float64 oracle, and what holds without one. */
class AttentionTest {
  private static final long SEED = 20261124;

  static Stream<AttentionProblem> problems() {
    return Stream.of(Score.values())
        .flatMap(
            score -> {
              boolean dot = score == Score.DOT || score == Score.SCALED_DOT;
              return Stream.of(
                  new AttentionProblem(score, 1, 1, 1, 1, 1, false, SEED),
                  new AttentionProblem(score, 3, 2, 5, 7, dot ? 7 : 4, true, SEED),
                  new AttentionProblem(score, 17, 3, 33, 65, dot ? 65 : 31, true, SEED),
                  new AttentionProblem(score, 2, 5, 70, 16, dot ? 16 : 32, false, SEED));
            });
  }

  static Stream<String> backends() {
    return Stream.concat(Stream.of("reference"), RequiredBackendsTest.judged());
  }

  @ParameterizedTest
  @MethodSource("backends")
  void agreesWithTheOracle(String name) {
    for (Precision precision :
        name.equals("cuda")
            ? List.of(Precision.FP32, Precision.TF32, Precision.BF16)
            : List.of(name.equals("reference") ? Precision.FP64 : Precision.FP32)) {
      try (Backend backend = Backend.open(name, new BackendOptions(2, precision))) {
        problems().forEach(problem -> assertClose(problem, backend));
        assertEquals(0, backend.liveBytes());
      }
    }
  }

  private static void assertClose(AttentionProblem problem, Backend backend) {
    Map<String, double[]> exact = problem.oracle(Arithmetic.FLOAT64);
    Map<String, double[]> plain = problem.oracle(Arithmetic.of(backend.precision()));
    Map<String, double[]> results = problem.solve(backend);
    assertEquals(exact.keySet(), results.keySet());
    exact.forEach(
        (name, expected) -> {
          if (backend.precision() == Precision.FP64) {
            assertArrayEquals(expected, results.get(name), 1e-12, problem + ": " + name);
            return;
          }
          Tolerance.Comparison worst =
              Tolerance.of(expected, plain.get(name)).compare(results.get(name));
          String what = backend.precision() + ", " + problem + ": " + name + ": " + worst;
          assertTrue(worst.passes(), what);
        });
    Map<String, double[]> again = problem.solve(backend);
    results.forEach((what, values) -> assertArrayEquals(values, again.get(what), what));
  }

  @ParameterizedTest
  @EnumSource(Score.class)
  void weightsAreSharesOfTheStepsThatCount(Score score) {
    AttentionProblem problem = new AttentionProblem(score, 4, 3, 6, 5, 5, true, 1);
    try (Backend backend = Backend.open("cpu")) {
      double[] weights = problem.solve(backend).get("weights");
      for (int row = 0; row < 12; row++) {
        double sum = 0;
        for (int s = 0; s < 6; s++) {
          assertTrue(weights[row * 6 + s] >= 0);
          sum += weights[row * 6 + s];
        }
        assertEquals(1, sum, 1e-6);
      }
    }
  }

  /** A row gives what it would give alone, with a source that is no longer than it is. */
  @ParameterizedTest
  @EnumSource(Score.class)
  void aRowIsAnsweredAsIfItWereAlone(Score score) {
    double[] q = GradientCheckTest.data(3, 2 * 2 * 4);
    double[] s = GradientCheckTest.data(4, 5 * 2 * 4);
    try (Backend backend = Backend.open("cpu");
        Parameters parameters = new Parameters(backend, 5);
        Tape tape = new Tape(backend)) {
      Attention attention = new Attention(parameters, "a", score, 4, 4);
      tape.begin(Tape.Mode.EVALUATION);
      Indices lengths = tape.indices(new int[] {5, 2}, 2);
      Attention.Memory both = attention.memory(tape.input(s, 5, 2, 4), lengths);
      float[] found = attention.forward(tape.input(q, 2, 2, 4), both).context().toFloats();
      double[] alone = new double[2 * 4];
      double[] query = new double[2 * 4];
      for (int i = 0; i < 8; i++) {
        alone[i] = s[i / 4 * 8 + 4 + i % 4];
        query[i] = q[i / 4 * 8 + 4 + i % 4];
      }
      Attention.Memory second = attention.memory(tape.input(alone, 2, 1, 4), null);
      float[] wanted = attention.forward(tape.input(query, 2, 1, 4), second).context().toFloats();
      for (int i = 0; i < 8; i++) {
        assertEquals(wanted[i], found[i / 4 * 8 + 4 + i % 4], 1e-6f);
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefusedInWords() {
    try (Backend backend = Backend.open("cpu");
        Parameters parameters = new Parameters(backend, 5);
        Tape tape = new Tape(backend)) {
      assertThrows(
          IllegalArgumentException.class, () -> new Attention(parameters, "x", Score.DOT, 3, 4));
      Attention attention = new Attention(parameters, "a", Score.GENERAL, 3, 4);
      Attention other = new Attention(parameters, "b", Score.GENERAL, 3, 4);
      tape.begin(Tape.Mode.EVALUATION);
      Tensor source = tape.input(new float[40], 5, 2, 4);
      Tensor queries = tape.input(new float[40], 1, 2, 3);
      assertThrows(ShapeException.class, () -> attention.memory(queries, null));
      Indices three = tape.indices(new int[] {1, 1, 1}, 3);
      assertThrows(ShapeException.class, () -> attention.memory(source, three));
      for (int wrong : new int[] {0, 6, Indices.IGNORED}) {
        Indices lengths = tape.indices(new int[] {5, wrong}, 2);
        assertThrows(IllegalArgumentException.class, () -> attention.memory(source, lengths));
      }
      Attention.Memory memory = attention.memory(source, null);
      assertThrows(ShapeException.class, () -> attention.forward(source, memory));
      Tensor rows = tape.input(new float[40], 1, 3, 3);
      assertThrows(ShapeException.class, () -> attention.forward(rows, memory));
      assertThrows(IllegalArgumentException.class, () -> other.forward(queries, memory));
      tape.begin(Tape.Mode.EVALUATION);
      assertThrows(
          IllegalStateException.class,
          () -> attention.forward(tape.input(new float[40], 1, 2, 3), memory));
    }
  }
}
