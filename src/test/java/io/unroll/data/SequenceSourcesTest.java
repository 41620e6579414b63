package io.unroll.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Datasets of tokens and of incomplete numbers, and batches bounded by their cost. */
class SequenceSourcesTest {
  private static final int IGNORE = SequenceBatch.IGNORE;
  private static final List<int[]> TOKENS =
      List.of(new int[] {4, 5}, new int[] {6, 7, 8, 9}, new int[] {3, 2, 1});

  @Test
  void tokensArePaddedTimeMajorAndLongestFirst() {
    SequenceDataset data = SequenceDataset.ofTokens(TOKENS);
    SequenceBatch batch = data.withClasses(new int[] {0, 1, 2}).batch(new int[] {0, 1, 2});
    assertArrayEquals(
        new int[] {6, 3, 4, 7, 2, 5, 8, 1, IGNORE, 9, IGNORE, IGNORE}, batch.tokens());
    assertArrayEquals(new int[] {4, 3, 2}, batch.lengths());
    assertArrayEquals(new int[] {1, 2, 0}, batch.targets().classes());
    assertEquals(0, batch.features());
    assertNull(batch.inputs());
  }

  @Test
  void theNextTokenIsTheClassOfAStep() {
    SequenceDataset data = SequenceDataset.ofNextTokens(TOKENS);
    assertEquals(3, data.length(1));
    SequenceBatch batch = data.batch(new int[] {0, 1});
    assertArrayEquals(new int[] {6, 4, 7, IGNORE, 8, IGNORE}, batch.tokens());
    assertArrayEquals(new int[] {7, 5, 8, IGNORE, 9, IGNORE}, batch.targets().classes());
    assertArrayEquals(new int[] {3, 1}, batch.lengths());
    assertEquals(3, batch.targets().steps());
  }

  @Test
  void labelsAreNumberedByTheirNames() {
    SequenceDataset data = SequenceDataset.ofTokens(TOKENS);
    List<String> names = List.of("no", "yes");
    SequenceBatch batch =
        data.withLabels(List.of("yes", "no", "yes"), names).batch(new int[] {0, 1, 2});
    assertArrayEquals(new int[] {0, 1, 1}, batch.targets().classes());
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> data.withLabels(List.of("yes", "maybe", "yes"), names));
    assertTrue(e.getMessage().contains("sequence 1 has label \"maybe\""), e::getMessage);
  }

  @Test
  void missingNumbersAreKeptAndHaveNoWeight() {
    float nan = Float.NaN;
    SequenceDataset data =
        SequenceDataset.ofIncomplete(List.of(new float[][] {{1}, {nan}}, new float[][] {{2}}))
            .withStepValues(List.of(new float[][] {{nan, 1}, {2, 3}}, new float[][] {{4, nan}}));
    SequenceBatch batch = data.batch(new int[] {0, 1});
    assertArrayEquals(new float[] {1, 2, nan, 0}, batch.inputs());
    assertArrayEquals(new float[] {0, 1, 1, 0, 1, 1, 0, 0}, batch.valueWeights());
    assertThrows(
        IllegalArgumentException.class,
        () ->
            SequenceDataset.ofIncomplete(
                List.<float[][]>of(new float[][] {{Float.NEGATIVE_INFINITY}})));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            SequenceDataset.of(List.<float[][]>of(new float[][] {{1}}))
                .withValues(List.of(new float[] {nan})));
  }

  @Test
  void aBucketHoldsWhatItsBoundAllows() {
    Random random = new Random(3);
    List<int[]> sequences = new ArrayList<>();
    for (int i = 0; i < 211; i++) {
      sequences.add(new int[1 + random.nextInt(30)]);
    }
    SequenceDataset data = SequenceDataset.ofTokens(sequences);
    for (int bound : new int[] {30, 31, 97, 10_000}) {
      int count = data.bucketed(bound, 5, 0).size();
      for (int epoch = 0; epoch < 3; epoch++) {
        List<int[]> batches = data.bucketed(bound, 5, epoch);
        assertEquals(count, batches.size(), "batches of epoch " + epoch);
        boolean[] seen = new boolean[data.size()];
        int withRoom = 0;
        for (int[] numbers : batches) {
          SequenceBatch batch = data.batch(numbers);
          assertTrue(batch.steps() * batch.batch() <= bound, "within " + bound);
          withRoom += batch.steps() * (batch.batch() + 1) <= bound ? 1 : 0;
          for (int number : numbers) {
            assertTrue(!seen[number], "sequence " + number + " twice");
            seen[number] = true;
          }
        }
        assertTrue(withRoom <= 1, "only one batch has room left, but " + withRoom + " have");
        for (boolean found : seen) {
          assertTrue(found);
        }
      }
    }
    assertThrows(IllegalArgumentException.class, () -> data.bucketed(29, 5, 0));
    assertArrayEquals(data.bucketed(97, 5, 2).get(3), data.bucketed(97, 5, 2).get(3));
  }

  @Test
  void refusesWhatAreNoTokens() {
    assertThrows(ShapeException.class, () -> SequenceDataset.ofTokens(List.of(new int[0])));
    assertThrows(ShapeException.class, () -> SequenceDataset.ofNextTokens(List.of(new int[] {1})));
    assertThrows(IllegalArgumentException.class, () -> SequenceDataset.ofTokens(List.of()));
    assertThrows(
        IllegalArgumentException.class, () -> SequenceDataset.ofTokens(List.of(new int[] {-1})));
    SequenceDataset data = SequenceDataset.ofNextTokens(TOKENS);
    assertThrows(ShapeException.class, () -> data.withStepClasses(TOKENS));
  }
}
