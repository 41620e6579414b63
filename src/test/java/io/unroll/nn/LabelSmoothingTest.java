package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.Backend;
import io.unroll.reference.ReferenceLosses;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The cross-entropy with smoothed targets on every backend, against the oracle. */
class LabelSmoothingTest {
  private static final int CLASSES = 7;

  @ParameterizedTest
  @MethodSource("io.unroll.RequiredBackendsTest#available")
  void agreesWithTheOracle(String name) {
    int[] targets = {3, Indices.IGNORED, 0, 6};
    double[] x = GradientCheckTest.data(21, targets.length * CLASSES);
    try (Backend backend = Backend.open(name);
        Tape tape = new Tape(backend)) {
      for (double smoothing : new double[] {0, 0.1, 1}) {
        ReferenceLosses.Loss expected =
            ReferenceLosses.softmaxCrossEntropy(x, targets, CLASSES, Indices.IGNORED, smoothing);
        tape.begin(Tape.Mode.TRAINING);
        Tensor logits = tape.input(x, targets.length, CLASSES).withGradient();
        Tensor loss = Losses.crossEntropy(logits, tape.indices(targets, 4), smoothing);
        tape.backward(loss);
        assertEquals(expected.value(), loss.item(), 1e-6);
        assertArrayEquals(expected.gradient(), logits.gradientToDoubles(), 1e-7);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.unroll.RequiredBackendsTest#available")
  void aShareIsFromZeroToOne(String name) {
    try (Backend backend = Backend.open(name);
        Tape tape = new Tape(backend)) {
      tape.begin(Tape.Mode.EVALUATION);
      Tensor logits = tape.input(new float[CLASSES], 1, CLASSES);
      Indices targets = tape.indices(new int[] {2}, 1);
      for (double wrong : new double[] {-0.1, 1.1, Double.NaN}) {
        assertThrows(
            IllegalArgumentException.class, () -> Losses.crossEntropy(logits, targets, wrong));
      }
    }
  }
}
