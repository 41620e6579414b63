package io.unroll.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReferenceCtcTest {
  private static final int STEPS = 5;
  private static final int CLASSES = 4;

  private static double[] logits(int rows) {
    Random random = new Random(rows);
    return random.doubles((long) STEPS * rows * CLASSES, -2, 2).toArray();
  }

  /** What a path of frames reads as: repeats merged, then blanks removed. */
  private static List<Integer> read(int[] path) {
    List<Integer> labels = new ArrayList<>();
    for (int t = 0; t < path.length; t++) {
      if (path[t] != 0 && (t == 0 || path[t] != path[t - 1])) {
        labels.add(path[t]);
      }
    }
    return labels;
  }

  /** -log of the sum over every path that reads as the labels. */
  private static double byEnumeration(double[] logits, int steps, List<Integer> labels) {
    double sum = 0;
    for (int code = 0; code < Math.pow(CLASSES, steps); code++) {
      int[] path = new int[steps];
      double p = 1;
      for (int t = 0, rest = code; t < steps; t++, rest /= CLASSES) {
        path[t] = rest % CLASSES;
        double normal = 0;
        for (int c = 0; c < CLASSES; c++) {
          normal += Math.exp(logits[t * CLASSES + c]);
        }
        p *= Math.exp(logits[t * CLASSES + path[t]]) / normal;
      }
      sum += read(path).equals(labels) ? p : 0;
    }
    return -Math.log(sum);
  }

  @Test
  void equalsTheSumOverAllPaths() {
    double[] logits = logits(1);
    for (List<Integer> labels :
        List.of(
            List.<Integer>of(),
            List.of(2),
            List.of(1, 3),
            List.of(2, 2),
            List.of(1, 1, 1),
            List.of(3, 1, 2, 3))) {
      for (int steps = Math.max(1, 2 * labels.size() - 1); steps <= STEPS; steps++) {
        double[] frames = Arrays.copyOf(logits, steps * CLASSES);
        int[][] row = {labels.stream().mapToInt(Integer::intValue).toArray()};
        Sequence sequence = new Sequence(steps, 1, CLASSES, frames, null);
        double expected = byEnumeration(frames, steps, labels);
        assertEquals(expected, ReferenceCtc.loss(sequence, row).value(), 1e-12, labels::toString);
      }
    }
  }

  @Test
  void gradientIsThatOfCentralDifferences() {
    double[] logits = logits(3);
    int[][] labels = {{1, 1}, {}, {3, 2}};
    Sequence sequence = new Sequence(STEPS, 3, CLASSES, logits, new int[] {5, 2, 4});
    double[] gradient = ReferenceCtc.loss(sequence, labels).gradient();
    double e = 1e-5;
    for (int i = 0; i < logits.length; i++) {
      double center = logits[i];
      logits[i] = center + e;
      double up = ReferenceCtc.loss(sequence, labels).value();
      logits[i] = center - e;
      double down = ReferenceCtc.loss(sequence, labels).value();
      logits[i] = center;
      assertEquals((up - down) / (2 * e), gradient[i], 1e-9);
    }
  }

  @Test
  void tooFewFramesCostInfinity() {
    Sequence two = new Sequence(2, 1, CLASSES, new double[2 * CLASSES], null);
    int[][] repeated = {{1, 1}};
    assertEquals(Double.POSITIVE_INFINITY, ReferenceCtc.loss(two, repeated).value());
    int[][] blank = {{0}};
    assertThrows(IllegalArgumentException.class, () -> ReferenceCtc.loss(two, blank));
    assertThrows(IllegalArgumentException.class, () -> ReferenceCtc.loss(two, new int[2][0]));
  }
}
