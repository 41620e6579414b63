package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.ShapeException;
import io.unroll.data.SequenceBatch;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MetricsTest {
  @Test
  void accuracyCountsWhatIsNotIgnored() {
    assertEquals(
        2.0 / 3,
        Metrics.accuracy(new int[] {1, 0, 2, 5}, new int[] {1, 3, 2, SequenceBatch.IGNORE}));
    assertTrue(Double.isNaN(Metrics.accuracy(new int[0], new int[0])));
    assertThrows(ShapeException.class, () -> Metrics.accuracy(new int[1], new int[2]));
  }

  @Test
  void editDistanceIsTheShortestOfAllWays() {
    Random random = new Random(4);
    for (int i = 0; i < 300; i++) {
      int[] one = random.ints(random.nextInt(6), 0, 3).toArray();
      int[] other = random.ints(random.nextInt(6), 0, 3).toArray();
      assertEquals(
          shortest(one, other, 0, 0),
          Metrics.editDistance(one, other),
          () -> Arrays.toString(one) + Arrays.toString(other));
    }
  }

  private static int shortest(int[] one, int[] other, int i, int j) {
    if (i == one.length || j == other.length) {
      return one.length - i + other.length - j;
    }
    int same = shortest(one, other, i + 1, j + 1) + (one[i] == other[j] ? 0 : 1);
    int without = Math.min(shortest(one, other, i + 1, j), shortest(one, other, i, j + 1));
    return Math.min(same, 1 + without);
  }

  @Test
  void errorRatesAreOverAllSequences() {
    List<int[]> wanted = List.of(new int[] {1, 2, 3}, new int[] {4}, new int[] {5, 6});
    List<int[]> predicted = List.of(new int[] {1, 3}, new int[] {4}, new int[] {5, 6, 6});
    assertEquals(2.0 / 6, Metrics.tokenErrorRate(predicted, wanted));
    assertEquals(2.0 / 3, Metrics.sequenceErrorRate(predicted, wanted));
    assertEquals(2, Metrics.tokenErrorRate(List.of(new int[3]), List.of(new int[] {1, 1})) + 0.5);
    assertThrows(
        ShapeException.class, () -> Metrics.tokenErrorRate(predicted, wanted.subList(0, 2)));
  }

  @Test
  void perplexityAndAbsoluteError() {
    assertEquals(7, Metrics.perplexity(Math.log(7)), 1e-12);
    float nan = Float.NaN;
    assertEquals(1.5, Metrics.meanAbsoluteError(new float[] {1, 5, 9}, new float[] {2, 3, nan}));
    assertTrue(Double.isNaN(Metrics.meanAbsoluteError(new float[] {nan}, new float[] {1})));
  }
}
