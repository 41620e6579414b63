package io.unroll.nn;

import static java.lang.Double.NaN;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.RequiredBackendsTest;
import io.unroll.ShapeException;
import io.unroll.reference.Arithmetic;
import io.unroll.reference.ReferenceCtc;
import io.unroll.reference.ReferenceLosses;
import io.unroll.reference.Sequence;
import io.unroll.reference.Tolerance;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Connectionist temporal classification on every backend against the float64 oracle. */
class CtcTest {
  /**
   * Also after many frames, where plain float32, which counts from the first one, is off by more.
   * Devices were off by 4e-5 and 1.1e-4, with two seeds of the longest shape.
   */
  private static final double MOST = 2e-4;

  private static final CtcOptions SUM = CtcOptions.DEFAULT.withReduction(CtcOptions.Reduction.SUM);

  /** A batch; shapes are named after what they attack. */
  private enum Shape {
    SINGLE(1, 1, 2, 1, 1),
    SMALL(7, 3, 5, 3, 2),
    PAST_A_PACK(40, 4, 19, 17, 3),
    PAST_A_GROUP(300, 2, 70, 140, 2),
    MANY_CLASSES(9, 5, 301, 4, 4),
    CONFIDENT(50, 3, 11, 9, 60),
    LONG(1500, 1, 12, 70, 5);

    final int steps;
    final int batch;
    final int classes;
    final int longest;
    final double scale;

    Shape(int steps, int batch, int classes, int longest, double scale) {
      this.steps = steps;
      this.batch = batch;
      this.classes = classes;
      this.longest = longest;
      this.scale = scale;
    }
  }

  /** Logits that are float32 values, and rows that read as their labels in at least one way. */
  private static final class Problem {
    final int steps;
    final int batch;
    final int classes;
    final double[] logits;
    final int[][] labels;
    final int[] lengths;

    Problem(Shape shape) {
      this.steps = shape.steps;
      this.batch = shape.batch;
      this.classes = shape.classes;
      Random random = new Random(shape.steps);
      logits = new double[steps * batch * classes];
      for (int i = 0; i < logits.length; i++) {
        logits[i] = (float) (shape.scale * random.nextGaussian());
      }
      labels = new int[batch][];
      lengths = new int[batch];
      for (int b = 0; b < batch; b++) {
        int count = b == 1 ? 0 : b == 0 ? shape.longest : 1 + random.nextInt(shape.longest);
        labels[b] = random.ints(count, 1, Math.min(classes, 4)).toArray(); // so that some repeat
        int least = Math.max(1, framesNeeded(labels[b]));
        lengths[b] = b == 2 || least >= steps ? least : least + random.nextInt(steps - least + 1);
      }
      lengths[0] = steps;
      spoilPadding();
    }

    private static int framesNeeded(int[] labels) {
      long repeats =
          IntStream.range(1, labels.length).filter(i -> labels[i] == labels[i - 1]).count();
      return labels.length + (int) repeats;
    }

    /** What lies past a row's length must not be looked at. */
    private void spoilPadding() {
      for (int i = 0; i < logits.length; i++) {
        if (i / classes / batch >= lengths[i / classes % batch]) {
          logits[i] = Double.NaN;
        }
      }
    }

    ReferenceLosses.Loss oracle(Arithmetic arithmetic) {
      Sequence frames = new Sequence(steps, batch, classes, logits, lengths);
      return ReferenceCtc.loss(frames, labels, arithmetic);
    }

    /** That of one row: no others have frames or labels. */
    ReferenceLosses.Loss oracleOfRow(int row) {
      int[] only = new int[batch];
      only[row] = lengths[row];
      int[][] its = new int[batch][0];
      its[row] = labels[row];
      return ReferenceCtc.loss(new Sequence(steps, batch, classes, logits, only), its);
    }

    /** Where an element is when class 0 and another have changed places. */
    int exchanged(int i, int other) {
      int c = i % classes;
      return i - c + (c == 0 ? other : c == other ? 0 : c);
    }

    Result solve(Backend backend, CtcOptions options) {
      try (Tape tape = new Tape(backend)) {
        return solve(tape, options);
      }
    }

    Result solve(Tape tape, CtcOptions options) {
      tape.begin(Tape.Mode.TRAINING);
      Tensor x = tape.input(logits, steps, batch, classes).withGradient();
      Tensor loss = Losses.ctc(x, tape.indices(lengths, batch), labels, options);
      tape.backward(loss);
      return new Result(loss.toDoubles(), x.gradientToDoubles());
    }
  }

  private record Result(double[] loss, double[] gradient) {}

  static Stream<Arguments> judged() {
    return RequiredBackendsTest.judged()
        .flatMap(name -> Stream.of(Shape.values()).map(shape -> Arguments.of(name, shape)));
  }

  static Stream<String> backends() {
    return RequiredBackendsTest.available()
        .filter(name -> name.equals("reference") || RequiredBackendsTest.isWanted(name));
  }

  private static void assertClose(String what, double[] exact, double[] plain, double[] found) {
    Tolerance.Comparison worst = Tolerance.of(exact, plain).compare(found);
    assertTrue(worst.passes(), () -> what + ": " + worst);
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("judged")
  void agreesWithTheOracle(String name, Shape shape) {
    Problem problem = new Problem(shape);
    ReferenceLosses.Loss exact = problem.oracle(Arithmetic.FLOAT64);
    ReferenceLosses.Loss plain = problem.oracle(Arithmetic.FLOAT32);
    for (int threads : RequiredBackendsTest.threads(name)) {
      try (Backend backend = Backend.open(name, BackendOptions.DEFAULT.withThreads(threads))) {
        Result found = problem.solve(backend, SUM);
        // However many frames: what is added up over them keeps more digits than the result.
        assertEquals(exact.value(), found.loss[0], 4 * 0x1p-24 * exact.value());
        assertClose("gradient", exact.gradient(), plain.gradient(), found.gradient);
        assertArrayEquals(exact.gradient(), found.gradient, MOST);
        Result again = problem.solve(backend, SUM);
        assertArrayEquals(found.loss, again.loss);
        assertArrayEquals(found.gradient, again.gradient);
        assertEquals(0, backend.liveBytes());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Shape.class)
  void kernelsInFloat64AgreeWithTheOracle(Shape shape) {
    Problem problem = new Problem(shape);
    ReferenceLosses.Loss exact = problem.oracle(Arithmetic.FLOAT64);
    try (Backend backend = Backend.open("reference")) {
      Result found = problem.solve(backend, SUM);
      assertEquals(exact.value(), found.loss[0], 1e-12 * exact.value());
      assertArrayEquals(exact.gradient(), found.gradient, 1e-10);
    }
  }

  @Test
  void plainFloat32LosesDigitsInManyFrames() {
    Problem problem = new Problem(Shape.LONG);
    double[] exact = problem.oracle(Arithmetic.FLOAT64).gradient();
    double[] plain = problem.oracle(Arithmetic.FLOAT32).gradient();
    assertTrue(Tolerance.of(exact, plain).allowed() > 4 * 2 * MOST);
  }

  /** Each row over its labels, and over the rows, as PyTorch's default. */
  @ParameterizedTest
  @MethodSource("backends")
  void meanIsOverTheLabelsOfARowAndOverTheRows(String name) {
    Problem problem = new Problem(Shape.SMALL);
    double expected = 0;
    double[] gradient = new double[problem.logits.length];
    for (int b = 0; b < problem.batch; b++) {
      ReferenceLosses.Loss row = problem.oracleOfRow(b);
      double weight = 1.0 / problem.batch / Math.max(1, problem.labels[b].length);
      expected += weight * row.value();
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] += weight * row.gradient()[i];
      }
    }
    try (Backend backend = Backend.open(name)) {
      Result found = problem.solve(backend, CtcOptions.DEFAULT);
      assertEquals(expected, found.loss[0], 1e-6 * expected);
      assertArrayEquals(gradient, found.gradient, 1e-6);
    }
  }

  /** Any class may be the blank: exchanging two classes exchanges two columns. */
  @ParameterizedTest
  @MethodSource("backends")
  void anyClassMayBeTheBlank(String name) {
    Problem problem = new Problem(Shape.PAST_A_PACK);
    int blank = problem.classes - 1;
    Problem exchanged = new Problem(Shape.PAST_A_PACK);
    for (int i = 0; i < problem.logits.length; i++) {
      exchanged.logits[problem.exchanged(i, blank)] = problem.logits[i];
    }
    for (int[] row : exchanged.labels) {
      Arrays.setAll(row, i -> row[i] == blank ? 0 : row[i]);
    }
    try (Backend backend = Backend.open(name)) {
      Result found = problem.solve(backend, SUM);
      Result other = exchanged.solve(backend, SUM.withBlank(blank));
      assertEquals(found.loss[0], other.loss[0], 1e-5);
      for (int i = 0; i < problem.logits.length; i++) {
        assertEquals(found.gradient[i], other.gradient[problem.exchanged(i, blank)], 1e-5);
      }
    }
  }

  /** Two equal labels need a blank between them; no frame reads as no labels. */
  @ParameterizedTest
  @MethodSource("backends")
  void impossibleRowsAreInfiniteOrLeftOut(String name) {
    double[] logits = new double[3 * 4 * 3];
    int[] lengths = {3, 2, 0, 0};
    int[][] labels = {{1, 2}, {2, 2}, {}, {1}};
    double[] first =
        ReferenceCtc.loss(new Sequence(3, 1, 3, new double[9], null), new int[][] {{1, 2}})
            .gradient();
    try (Backend backend = Backend.open(name);
        Tape tape = new Tape(backend)) {
      for (boolean zero : new boolean[] {true, false}) {
        tape.begin(Tape.Mode.TRAINING);
        Tensor x = tape.input(logits, 3, 4, 3).withGradient();
        Indices frames = tape.indices(lengths, 4);
        Tensor loss = Losses.ctc(x, frames, labels, SUM.withZeroInfinity(zero));
        tape.backward(loss);
        // Of 27 paths _12, 1_2, 12_, 112 and 122 read as 1 2.
        double expected = zero ? Math.log(27.0 / 5) : Double.POSITIVE_INFINITY;
        assertEquals(expected, loss.toDoubles()[0], 1e-5);
        double[] gradient = x.gradientToDoubles();
        for (int i = 0; i < gradient.length; i++) {
          int row = i / 3 % 4;
          boolean impossible = row == 1 && i / 12 < 2;
          double wanted = row == 0 ? first[i / 12 * 3 + i % 3] : impossible && !zero ? NaN : 0;
          assertEquals(wanted, gradient[i], 1e-6, "element " + i);
        }
      }
    }
  }

  /** A class that a model forbids by minus infinity; a NaN in one frame of a row. */
  @ParameterizedTest
  @MethodSource("backends")
  void infinityAndNanSpreadAsInTheOracle(String name) {
    for (double poison : new double[] {Double.NEGATIVE_INFINITY, Double.NaN}) {
      Problem problem = new Problem(Shape.PAST_A_PACK);
      int unused = problem.classes - 1;
      int at = 3 * problem.batch * problem.classes;
      problem.logits[at + unused] = poison;
      problem.logits[at + 2] = poison;
      double[] exact = problem.oracle(Arithmetic.FLOAT64).gradient();
      try (Backend backend = Backend.open(name)) {
        double[] found = problem.solve(backend, SUM).gradient;
        for (int i = 0; i < exact.length; i++) {
          assertEquals(exact[i], found[i], 1e-5, poison + ", element " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void evaluationGivesTheSameLossAndASecondBackwardAddsNothing(String name) {
    Problem problem = new Problem(Shape.SMALL);
    try (Backend backend = Backend.open(name);
        Tape tape = new Tape(backend)) {
      tape.begin(Tape.Mode.TRAINING);
      Tensor x = tape.input(problem.logits, 7, 3, 5).withGradient();
      Tensor once = Losses.ctc(x, tape.indices(problem.lengths, 3), problem.labels);
      Tensor twice = Losses.ctc(x, tape.indices(problem.lengths, 3), problem.labels);
      double[] loss = once.toDoubles();
      tape.backward(once);
      double[] gradient = x.gradientToDoubles();
      tape.backward(once);
      assertArrayEquals(gradient, x.gradientToDoubles());
      tape.backward(Ops.add(once, twice));
      double[] sum = x.gradientToDoubles();
      for (int i = 0; i < sum.length; i++) {
        assertEquals(2 * gradient[i], sum[i], 1e-6);
      }
      tape.begin(Tape.Mode.EVALUATION);
      Tensor y = tape.input(problem.logits, 7, 3, 5);
      Tensor again = Losses.ctc(y, tape.indices(problem.lengths, 3), problem.labels);
      assertArrayEquals(loss, again.toDoubles());
    }
  }

  @Test
  void gradientOfALayerIsThatOfCentralDifferences() {
    try (Backend backend = Backend.open("reference");
        Parameters parameters = new Parameters(backend, 3);
        Tape tape = new Tape(backend)) {
      Linear layer = new Linear(parameters, "layer", 2, 4);
      double[] x = GradientCheckTest.data(5, 6 * 3 * 2);
      int[][] labels = {{1, 1}, {}, {3, 2, 3}};
      GradientCheck.Result worst =
          GradientCheck.run(
              tape,
              parameters,
              t ->
                  Losses.ctc(
                      layer.forward(t.input(x, 6, 3, 2)),
                      t.indices(new int[] {5, 2, 6}, 3),
                      labels,
                      SUM),
              1e-5);
      assertTrue(worst.error() <= 2e-6, worst::toString);
    }
  }

  @Test
  void wrongArgumentsAreRefusedWithWhatWasFound() {
    try (Backend backend = Backend.open("reference");
        Tape tape = new Tape(backend)) {
      tape.begin(Tape.Mode.TRAINING);
      Tensor x = tape.input(new double[24], 4, 2, 3);
      Tensor flat = tape.input(new double[24], 8, 3);
      Indices lengths = tape.indices(new int[] {4, 5}, 2);
      int[][] right = {{1}, {2}};
      refused(ShapeException.class, "[T,B,C]", () -> Losses.ctc(flat, null, right));
      refused(ShapeException.class, "found 1", () -> Losses.ctc(x, null, new int[1][0]));
      refused(IllegalArgumentException.class, "5", () -> Losses.ctc(x, lengths, right));
      int[][] blank = {{1}, {2, 0}};
      refused(IllegalArgumentException.class, "labels[1][1]", () -> Losses.ctc(x, null, blank));
      int[][] high = {{3}, {2}};
      refused(IllegalArgumentException.class, "is 3", () -> Losses.ctc(x, null, high));
      CtcOptions none = SUM.withBlank(3);
      refused(IllegalArgumentException.class, "blank", () -> Losses.ctc(x, null, right, none));
    }
  }

  private static void refused(Class<? extends Exception> kind, String words, Executable call) {
    String message = assertThrows(kind, call).getMessage();
    assertTrue(message.contains(words), message);
  }
}
