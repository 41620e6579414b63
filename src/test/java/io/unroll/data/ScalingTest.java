package io.unroll.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.ShapeException;
import io.unroll.data.Scaling.Missing;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class ScalingTest {
  private static final float NAN = Float.NaN;

  /** Means 3 and 100, deviations 2 and 1 because it never changes. */
  private static final List<float[][]> SEQUENCES =
      List.of(new float[][] {{1, 100}, {NAN, 100}}, new float[][] {{5, NAN}});

  private static final Scaling SCALING = Scaling.fit(SEQUENCES, "wind", "load");

  @Test
  void fitsTheKnownNumbers() {
    assertArrayEquals(new double[] {3, 100}, SCALING.means());
    assertArrayEquals(new double[] {2, 1}, SCALING.deviations());
    assertEquals(List.of("0", "1"), Scaling.fit(SEQUENCES).names());
    assertEquals(SCALING, Scaling.fit(SEQUENCES, "wind", "load"));
    assertEquals(7, SCALING.unscale(SCALING.scale(7, 0), 0));
  }

  @Test
  void meansOfLargeNumbersAreExact() {
    float[][] far = new float[2000][1];
    for (int i = 0; i < far.length; i++) {
      far[i][0] = 16_000_000 + i % 2;
    }
    Scaling scaling = Scaling.fit(List.<float[][]>of(far));
    assertEquals(16_000_000.5, scaling.means()[0], 1e-6);
    assertEquals(0.5, scaling.deviations()[0], 1e-9);
  }

  /** Rows of 3 and 2 steps; the second begins with a missing number. */
  private static float[] applied(UnaryOperator<Scaling> change) {
    Scaling scaling = change.apply(SCALING);
    float[] values = {5, 101, NAN, 98, NAN, 102, 1, NAN, NAN, NAN, 0, 0};
    float[] scaled = new float[6 * scaling.inputSize()];
    Arrays.fill(scaled, 9);
    scaling.apply(values, new int[] {3, 2}, scaled);
    return scaled;
  }

  @Test
  void missingNumbersAreFilled() {
    assertArrayEquals(
        new float[] {1, 1, 0, -2, 0, 2, -1, 0, 0, 0, 0, 0},
        applied(s -> s.withMissing(Missing.MEAN)));
    assertArrayEquals(
        new float[] {1, 1, 0, -2, 1, 2, -1, -2, 1, 2, 0, 0},
        applied(s -> s.withMissing(Missing.LAST)));
    assertArrayEquals(
        new float[] {
          1, 1, 0, 0, 0, -2, 1, 0,
          1, 2, 1, 0, -1, -2, 0, 1,
          1, 2, 1, 1, 0, 0, 0, 0
        },
        applied(s -> s.withMissing(Missing.LAST).withMarks()));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> applied(s -> s));
    assertTrue(
        e.getMessage().startsWith("feature \"wind\" is missing in row 0 at step 1"), e::getMessage);
  }

  @Test
  void refusesWhatItCannotScale() {
    assertThrows(ShapeException.class, () -> Scaling.fit(SEQUENCES, "wind"));
    assertThrows(
        IllegalArgumentException.class,
        () -> Scaling.fit(List.<float[][]>of(new float[][] {{1, NAN}})));
    assertThrows(
        IllegalArgumentException.class,
        () -> Scaling.fit(List.<float[][]>of(new float[][] {{Float.POSITIVE_INFINITY}})));
    assertThrows(ShapeException.class, () -> Scaling.none());
    assertThrows(
        IllegalArgumentException.class,
        () -> new Scaling(List.of("a"), new double[1], new double[1], Missing.MEAN, false));
    assertThrows(
        ShapeException.class, () -> SCALING.apply(new float[3], new int[] {1}, new float[9]));
    assertThrows(
        ShapeException.class, () -> SCALING.apply(new float[2], new int[] {1}, new float[1]));
  }
}
