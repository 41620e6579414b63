package io.unroll.reference;

import static java.lang.Math.log;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.reference.ReferenceLosses.Loss;
import io.unroll.reference.ReferenceOptimizers.Adagrad;
import io.unroll.reference.ReferenceOptimizers.Adam;
import io.unroll.reference.ReferenceOptimizers.Momentum;
import io.unroll.reference.ReferenceOptimizers.RmsProp;
import io.unroll.reference.ReferenceOptimizers.Sgd;
import org.junit.jupiter.api.Test;

/** One or two steps with pencil and paper; the golden tensors hold five of each optimizer. */
class LossesAndOptimizersTest {
  private static final double CLOSE = 1e-13;

  private static double[] v(double... values) {
    return values;
  }

  @Test
  void crossEntropyIsTheMeanOverWhatCounts() {
    // Row 0: p = (1/4, 3/4), target 1. Row 1 is ignored. Row 2: p = (1/2, 1/2), target 0.
    // Loss (ln 4/3 + ln 2)/2; gradients (p - onehot)/2.
    Loss loss =
        ReferenceLosses.softmaxCrossEntropy(v(0, log(3), 7, 8, 5, 5), new int[] {1, -1, 0}, 2, -1);
    assertEquals((log(4.0 / 3) + log(2)) / 2, loss.value(), CLOSE);
    assertArrayEquals(v(0.125, -0.125, 0, 0, -0.25, 0.25), loss.gradient(), CLOSE);
  }

  @Test
  void labelSmoothingSharesATargetAmongAllClasses() {
    // p = (1/4, 3/4), target 1 of which 0.2 is shared: q = (0.1, 0.9). Gradient p - q.
    Loss loss = ReferenceLosses.softmaxCrossEntropy(v(0, log(3)), new int[] {1}, 2, -1, 0.2);
    assertEquals(0.1 * log(4) + 0.9 * log(4.0 / 3), loss.value(), CLOSE);
    assertArrayEquals(v(0.15, -0.15), loss.gradient(), CLOSE);
  }

  @Test
  void crossEntropyOfHugeLogitsDoesNotOverflow() {
    Loss loss = ReferenceLosses.softmaxCrossEntropy(v(1000, 0), new int[] {1}, 2, -100);
    assertEquals(1000, loss.value(), 0);
    assertArrayEquals(v(1, -1), loss.gradient(), 0);
  }

  @Test
  void lossesOfNothingAreZero() {
    Loss ignored = ReferenceLosses.softmaxCrossEntropy(v(1, 2), new int[] {-100}, 2, -100);
    assertEquals(0, ignored.value());
    assertArrayEquals(v(0, 0), ignored.gradient(), 0);
    Loss unweighted = ReferenceLosses.meanSquaredError(v(1, 2), v(3, 4), v(0, 0));
    assertEquals(0, unweighted.value());
    assertArrayEquals(v(0, 0), unweighted.gradient(), 0);
  }

  @Test
  void aTargetThatIsNoClassIsRefused() {
    assertEquals(
        "targets[0] must be from 0 to 1 or the ignored -100, but is 2",
        assertThrows(
                IllegalArgumentException.class,
                () -> ReferenceLosses.softmaxCrossEntropy(v(1, 2), new int[] {2}, 2, -100))
            .getMessage());
  }

  @Test
  void meanSquaredError() {
    // (1^2 + 3^2)/2 = 5, gradients 2 (x-target)/2. Weighted 3 and 1: (3*1 + 9)/4 = 3.
    Loss loss = ReferenceLosses.meanSquaredError(v(2, 1), v(1, 4), null);
    assertEquals(5, loss.value());
    assertArrayEquals(v(1, -3), loss.gradient(), 0);
    Loss weighted = ReferenceLosses.meanSquaredError(v(2, 1), v(1, 4), v(3, 1));
    assertEquals(3, weighted.value());
    assertArrayEquals(v(1.5, -1.5), weighted.gradient(), 0);
  }

  @Test
  void sgdAndMomentum() {
    // g' = 2 + 0.5*4 = 4; w = 4 - 0.25*4 = 3
    double[] w = v(4);
    new Sgd(0.25, 0.5).step(w, v(2));
    assertArrayEquals(v(3), w, 0);
    // m = 2+0.5*4 = 4, w = 4 - 1 = 3; m = 0.5*4 + 2 + 0.5*3 = 5.5, w = 3 - 1.375
    w = v(4);
    double[] m = v(0);
    Momentum momentum = new Momentum(0.25, 0.5, 0.5);
    momentum.step(w, v(2), m);
    momentum.step(w, v(2), m);
    assertArrayEquals(v(1.625), w, 0);
    assertArrayEquals(v(5.5), m, 0);
  }

  @Test
  void adagradAndRmsProp() {
    // g' = 1 + 0.5*4 = 3, a = 9, w = 4 - 0.5*3/(3+1) = 3.625
    double[] w = v(4);
    double[] a = v(0);
    new Adagrad(0.5, 1, 0.5).step(w, v(1), a);
    assertArrayEquals(v(3.625), w, 0);
    assertArrayEquals(v(9), a, 0);
    // g' = 4 + 0.5*4 = 6, a = 0.75*0 + 0.25*36 = 9, w = 4 - 0.5*6/(3+1) = 3.25
    w = v(4);
    a = v(0);
    new RmsProp(0.5, 0.75, 1, 0.5).step(w, v(4), a);
    assertArrayEquals(v(3.25), w, 0);
    assertArrayEquals(v(9), a, 0);
  }

  @Test
  void adamAndAdamW() {
    // g' = 1 + 0.5*4 = 3; m = 1.5, v = 2.25; corrected 3 and 9; w = 4 - 0.5*3/(3+1) = 3.625
    double[] w = v(4);
    double[] m = v(0);
    double[] v = v(0);
    Adam adam = new Adam(0.5, 0.5, 0.75, 1, 0.5, 0);
    adam.step(w, v(1), m, v, 1);
    assertArrayEquals(v(3.625), w, 0);
    assertArrayEquals(v(1.5), m, 0);
    assertArrayEquals(v(2.25), v, 0);
    // Decoupled: w = 4 - 0.5*0.5*4 = 3 first; then g' = 3: w = 3 - 0.375
    w = v(4);
    new Adam(0.5, 0.5, 0.75, 1, 0, 0.5).step(w, v(3), v(0), v(0), 1);
    assertArrayEquals(v(2.625), w, 0);
    // Second step from m = 3/2, v = 9/4 with g = 6: m = 15/4, /(1-1/4) = 5;
    // v = 27/16 + 9 = 171/16, /(1-9/16) = 171/7; w = -0.5*5/(sqrt(171/7)+1)
    w = v(0);
    new Adam(0.5, 0.5, 0.75, 1, 0, 0).step(w, v(6), v(1.5), v(2.25), 2);
    assertArrayEquals(v(-2.5 / (Math.sqrt(171.0 / 7) + 1)), w, CLOSE);
  }

  @Test
  void clipByGlobalNorm() {
    // Norm of (3, 0, 4) over two arrays is 5.
    double[] a = v(3, 0);
    double[] b = v(4);
    assertEquals(5, ReferenceOptimizers.clip(10, a, b), 0);
    assertArrayEquals(v(3, 0), a, 0);
    assertEquals(5, ReferenceOptimizers.clip(2.5, a, b), 0);
    assertArrayEquals(v(1.5, 0), a, 1e-6);
    assertArrayEquals(v(2 / (1 + 2e-7)), b, CLOSE);
  }
}
