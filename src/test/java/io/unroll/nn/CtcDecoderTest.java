package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is read out of frames, against every path that there is. */
class CtcDecoderTest {
  private Backend backend;
  private Tape tape;

  @BeforeEach
  void open() {
    backend = Backend.open("reference");
    tape = new Tape(backend);
    tape.begin(Tape.Mode.EVALUATION);
  }

  @AfterEach
  void close() {
    tape.close();
    backend.close();
  }

  private static double[] logits(int seed, int count) {
    return new Random(seed).doubles(count, -2, 2).toArray();
  }

  /** What a path reads as: repeats merged, then blanks left out. */
  private static List<Integer> read(int[] path, int blank) {
    List<Integer> labels = new ArrayList<>();
    for (int t = 0; t < path.length; t++) {
      if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) {
        labels.add(path[t]);
      }
    }
    return labels;
  }

  /** The probability of each reading of one row. */
  private static Map<List<Integer>, Double> everyReading(
      double[] logits, int steps, int classes, int blank) {
    Map<List<Integer>, Double> all = new HashMap<>();
    for (int code = 0; code < Math.pow(classes, steps); code++) {
      int[] path = new int[steps];
      double p = 1;
      for (int t = 0, rest = code; t < steps; t++, rest /= classes) {
        path[t] = rest % classes;
        double sum = 0;
        for (int c = 0; c < classes; c++) {
          sum += Math.exp(logits[t * classes + c]);
        }
        p *= Math.exp(logits[t * classes + path[t]]) / sum;
      }
      all.merge(read(path, blank), p, Double::sum);
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({"1,2,0", "2,3,0", "4,3,2", "6,3,0", "5,4,1"})
  void aWideBeamFindsEveryReadingInItsOrder(int steps, int classes, int blank) {
    double[] logits = logits(steps, steps * classes);
    Map<List<Integer>, Double> all = everyReading(logits, steps, classes, blank);
    Tensor frames = tape.input(logits, steps, 1, classes);
    List<CtcDecoder.Reading> found = new CtcDecoder(blank).beam(frames, null, 5000).get(0);
    assertEquals(all.size(), found.size());
    double before = 0;
    for (CtcDecoder.Reading reading : found) {
      List<Integer> labels = Arrays.stream(reading.labels()).boxed().toList();
      assertEquals(Math.log(all.get(labels)), reading.logProbability(), 1e-12, labels::toString);
      assertTrue(reading.logProbability() <= before);
      before = reading.logProbability();
    }
  }

  @Test
  void aNarrowBeamFindsTheBestAndCountsNoMoreThanThereIs() {
    for (int seed = 0; seed < 20; seed++) {
      double[] logits = logits(seed, 6 * 3);
      Map<List<Integer>, Double> all = everyReading(logits, 6, 3, 0);
      Tensor frames = tape.input(logits, 6, 1, 3);
      List<CtcDecoder.Reading> found = new CtcDecoder(0).beam(frames, null, 12).get(0);
      assertEquals(12, found.size());
      for (CtcDecoder.Reading reading : found) {
        double p = all.get(Arrays.stream(reading.labels()).boxed().toList());
        assertTrue(reading.logProbability() <= Math.log(p) + 1e-12);
      }
      double best = all.values().stream().mapToDouble(p -> p).max().orElseThrow();
      List<Integer> first = Arrays.stream(found.get(0).labels()).boxed().toList();
      assertEquals(best, all.get(first), 1e-15, "seed " + seed);
    }
  }

  /** Of two frames, 0.6 blank and 0.4 label, the best path is blank, the best reading is not. */
  @Test
  void theBestPathIsNotTheBestReading() {
    double[] frame = {Math.log(0.6), Math.log(0.4)};
    Tensor frames = tape.input(new double[] {frame[0], frame[1], frame[0], frame[1]}, 2, 1, 2);
    CtcDecoder decoder = new CtcDecoder(0);
    assertArrayEquals(new int[0], decoder.greedy(frames, null)[0]);
    CtcDecoder.Reading best = decoder.beam(frames, null, 2).get(0).get(0);
    assertArrayEquals(new int[] {1}, best.labels());
    assertEquals(Math.log(0.64), best.logProbability(), 1e-12);
  }

  @Test
  void rowsEndAtTheirLengthsAndRepeatsNeedABlank() {
    int[][] best = {{1, 1, 0, 1, 2, 2, 0}, {2, 0, 0, 2, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1}};
    int[] lengths = {7, 4, 0};
    double[] logits = new double[7 * 3 * 3];
    for (int t = 0; t < 7; t++) {
      for (int b = 0; b < 3; b++) {
        boolean padding = t >= lengths[b];
        Arrays.fill(logits, (t * 3 + b) * 3, (t * 3 + b) * 3 + 3, padding ? Double.NaN : -5);
        logits[(t * 3 + b) * 3 + best[b][t]] = padding ? Double.NaN : 5;
      }
    }
    Tensor frames = tape.input(logits, 7, 3, 3);
    CtcDecoder decoder = new CtcDecoder(0);
    int[][] expected = {{1, 1, 2}, {2, 2}, {}};
    assertArrayEquals(expected, decoder.greedy(frames, lengths));
    List<List<CtcDecoder.Reading>> found = decoder.beam(frames, lengths, 3);
    for (int b = 0; b < 3; b++) {
      assertArrayEquals(expected[b], found.get(b).get(0).labels());
    }
    assertEquals(0, found.get(2).get(0).logProbability());
  }

  /** A class that is impossible everywhere is read nowhere, however wide the beam. */
  @Test
  void theImpossibleIsNotRead() {
    double[] logits = logits(3, 4 * 3);
    for (int t = 0; t < 4; t++) {
      logits[t * 3 + 1] = Double.NEGATIVE_INFINITY;
    }
    List<CtcDecoder.Reading> found =
        new CtcDecoder(0).beam(tape.input(logits, 4, 1, 3), null, 100).get(0);
    assertEquals(3, found.size()); // none, 2, 2 2
    assertTrue(found.stream().allMatch(r -> Double.isFinite(r.logProbability())));
  }

  @Test
  void wrongArgumentsAreRefused() {
    Tensor frames = tape.input(new double[12], 2, 2, 3);
    Tensor nan = tape.input(new double[] {0, 0, 0, 0, Double.NaN, 0}, 2, 1, 3);
    CtcDecoder decoder = new CtcDecoder(0);
    assertThrows(IllegalArgumentException.class, () -> new CtcDecoder(-1));
    assertThrows(IllegalArgumentException.class, () -> decoder.beam(frames, null, 0));
    assertThrows(IllegalArgumentException.class, () -> new CtcDecoder(3).greedy(frames, null));
    assertThrows(ShapeException.class, () -> decoder.greedy(frames, new int[3]));
    assertThrows(IllegalArgumentException.class, () -> decoder.greedy(frames, new int[] {3, 1}));
    String message =
        assertThrows(IllegalArgumentException.class, () -> decoder.greedy(nan, null)).getMessage();
    assertTrue(message.contains("frame 1 of row 0"), message);
  }
}
