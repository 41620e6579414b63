package io.unroll.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.ShapeException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SequenceBatcherTest {
  @Test
  void windowsLieAsDrawnOnPaper() {
    // 0 1 2 | 3 4 5 || 6 7 8 | 9 10 11 || 12: T=3, B=2
    SequenceBatcher batcher = new SequenceBatcher(IntStream.range(0, 13).toArray(), 3, 2);
    int[] inputs = new int[6];
    int[] targets = new int[6];
    assertEquals(2, batcher.batchesPerEpoch());
    assertEquals(0, batcher.unused());
    batcher.fill(0, inputs, targets);
    assertArrayEquals(new int[] {0, 6, 1, 7, 2, 8}, inputs);
    assertArrayEquals(new int[] {1, 7, 2, 8, 3, 9}, targets);
    batcher.fill(1, inputs, targets);
    assertArrayEquals(new int[] {3, 9, 4, 10, 5, 11}, inputs);
    assertArrayEquals(new int[] {4, 10, 5, 11, 6, 12}, targets);
  }

  @ParameterizedTest(name = "{0} ids, T={1}, B={2}")
  @CsvSource({"2,1,1", "7,3,2", "8,3,2", "12,3,2", "1000,7,13", "1001,1,1000", "9001,100,3"})
  void streamsAreContiguousAndEveryIdIsPredictedOnce(int length, int steps, int batch) {
    SequenceBatcher batcher =
        new SequenceBatcher(IntStream.range(0, length).toArray(), steps, batch);
    int[] inputs = new int[steps * batch];
    int[] targets = new int[steps * batch];
    int[] predicted = new int[length];
    int[] last = new int[batch];
    for (int k = 0; k < batcher.batchesPerEpoch(); k++) {
      batcher.fill(k, inputs, targets);
      for (int i = 0; i < inputs.length; i++) {
        int b = i % batch;
        assertEquals(inputs[i] + 1, targets[i]);
        assertTrue(
            (k == 0 && i < batch) || inputs[i] == last[b] + 1, "window " + k + ", element " + i);
        last[b] = inputs[i];
        predicted[targets[i]]++;
      }
    }
    int used = batcher.batchesPerEpoch() * steps * batch;
    assertEquals(length - 1 - used, batcher.unused());
    assertTrue(batcher.unused() < steps * batch);
    int[] expected = new int[length];
    Arrays.fill(expected, 1, 1 + used, 1);
    assertArrayEquals(expected, predicted);
  }

  @Test
  void aShortTextIsAnsweredWithWhatFits() {
    assertRefused(50, 64, 32, "has 50 characters", "T*B+1 = 2049", "room for T=1 with B=32, or");
    assertRefused(6, 3, 2, "T*B+1 = 7", "room for T=2 with B=2, B=1 with T=3, or");
    assertRefused(4, 5, 9, "T*B+1 = 46", "room for B=1 with T=3, or");
    assertRefused(1, 1, 1, "T*B+1 = 2", "Give a longer text");
    // 2^32 is 0 in 32 bits.
    assertRefused(1, 65_536, 65_536, "T*B+1 = 4294967297", "Give a longer text");
  }

  private static void assertRefused(int length, int steps, int batch, String... expected) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new SequenceBatcher(new int[length], steps, batch))
            .getMessage();
    for (String part : expected) {
      assertTrue(message.contains(part), () -> "expected " + part + " in: " + message);
    }
  }

  @Test
  void wrongArgumentsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new SequenceBatcher(new int[9], 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new SequenceBatcher(new int[9], 1, -1));
    SequenceBatcher batcher = new SequenceBatcher(new int[13], 3, 2);
    int[] right = new int[6];
    assertThrows(IndexOutOfBoundsException.class, () -> batcher.fill(-1, right, right));
    assertThrows(IndexOutOfBoundsException.class, () -> batcher.fill(2, right, right));
    assertThrows(ShapeException.class, () -> batcher.fill(0, new int[7], right));
    assertThrows(ShapeException.class, () -> batcher.fill(0, right, new int[5]));
  }
}
