package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Philox;
import io.unroll.nn.BeamSearch.Hypothesis;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a search through all sequences, for models that remember all that was written. */
class BeamSearchTest {
  private static final int START = 0;
  private static final int END = 1;
  private static final int CLASSES = 4;

  /** Random logits for every beginning; keeps what was written by following the parents. */
  private static final class Model implements BeamSearch.NextToken {
    private final long seed;
    private List<List<Integer>> beginnings = List.of(List.of());
    private int calls;

    Model(long seed) {
      this.seed = seed;
    }

    /** A start token never comes again. */
    float[] logits(List<Integer> beginning) {
      float[] logits = new float[CLASSES];
      long stream = seed * 31 + beginning.hashCode();
      for (int c = 0; c < CLASSES; c++) {
        logits[c] = 4 * Philox.uniform(stream, c);
      }
      logits[START] = Float.NEGATIVE_INFINITY;
      return logits;
    }

    @Override
    public float[] logits(int[] parents, int[] tokens) {
      List<List<Integer>> next = new ArrayList<>();
      float[] all = new float[tokens.length * CLASSES];
      for (int row = 0; row < tokens.length; row++) {
        List<Integer> written = new ArrayList<>(beginnings.get(parents[row]));
        written.add(tokens[row]);
        next.add(written);
        System.arraycopy(logits(written), 0, all, row * CLASSES, CLASSES);
      }
      beginnings = next;
      calls++;
      return all;
    }
  }

  /** All sequences that end within longest tokens, the best first. */
  private static List<Hypothesis> exhaustive(Model model, int longest, double alpha) {
    List<Hypothesis> all = new ArrayList<>();
    extend(model, List.of(START), 0, longest, alpha, all);
    all.sort(Comparator.comparingDouble(h -> -h.score()));
    return all;
  }

  private static void extend(
      Model model,
      List<Integer> written,
      double logP,
      int longest,
      double alpha,
      List<Hypothesis> all) {
    float[] logits = model.logits(written);
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    for (int token = 0; token < CLASSES; token++) {
      double p = logP + logits[token] - Math.log(sum);
      if (token == END) {
        int[] tokens = written.stream().skip(1).mapToInt(t -> t).toArray();
        double score = p / Math.pow((5 + written.size()) / 6.0, alpha);
        all.add(new Hypothesis(tokens, p, score, true));
      } else if (token != START && written.size() <= longest) {
        List<Integer> next = new ArrayList<>(written);
        next.add(token);
        extend(model, next, p, longest, alpha, all);
      }
    }
  }

  private static void assertSame(Hypothesis expected, Hypothesis found) {
    assertArrayEquals(expected.tokens(), found.tokens(), () -> found.toString());
    assertEquals(expected.logProbability(), found.logProbability(), 1e-6);
    assertEquals(expected.score(), found.score(), 1e-6);
    assertEquals(expected.ended(), found.ended());
  }

  /** A beam that holds every beginning misses none of the n best. */
  @ParameterizedTest
  @CsvSource({"0,1", "0,7", "0.6,7", "1,3", "3,5"})
  void aBeamThatHoldsAllIsExhaustive(double alpha, int count) {
    int longest = 4;
    for (long seed = 1; seed <= 20; seed++) {
      BeamSearch search = new BeamSearch(START, END, 1 << longest, longest);
      List<Hypothesis> found = search.withLengthPenalty(alpha).search(new Model(seed), count);
      List<Hypothesis> expected = exhaustive(new Model(seed), longest, alpha);
      assertEquals(count, found.size());
      for (int i = 0; i < count; i++) {
        assertSame(expected.get(i), found.get(i));
      }
    }
  }

  /** The early stop finds what a beam of that width finds when it runs to the end. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.7, 2})
  void stoppingEarlyLosesNothing(double alpha) {
    int longest = 9;
    int fewer = 0;
    for (long seed = 1; seed <= 40; seed++) {
      Model model = new Model(seed);
      Hypothesis found =
          new BeamSearch(START, END, 2, longest).withLengthPenalty(alpha).search(model, 1).get(0);
      assertSame(toTheEnd(new Model(seed), 2, longest, alpha), found);
      fewer += model.calls <= longest ? 1 : 0;
    }
    assertTrue(fewer > 10, "the search stopped early in " + fewer + " of 40 cases only");
  }

  /** A beam search that never stops early, as plain as can be. */
  private static Hypothesis toTheEnd(Model model, int width, int longest, double alpha) {
    record Live(List<Integer> written, double logP) {}
    List<Live> live = List.of(new Live(List.of(START), 0));
    Hypothesis best = null;
    for (int length = 0; length <= longest; length++) {
      List<Live> all = new ArrayList<>();
      for (Live one : live) {
        float[] logits = model.logits(one.written);
        double sum = 0;
        for (float logit : logits) {
          sum += Math.exp(logit);
        }
        for (int token = 1; token < CLASSES; token++) {
          List<Integer> next = new ArrayList<>(one.written);
          next.add(token);
          all.add(new Live(next, one.logP + logits[token] - Math.log(sum)));
        }
      }
      all.sort(Comparator.comparingDouble(one -> -one.logP));
      List<Live> next = new ArrayList<>();
      for (Live one : all) {
        boolean ends = one.written.get(one.written.size() - 1) == END;
        if (next.size() < width && ends) {
          double score = one.logP / Math.pow((6 + length) / 6.0, alpha);
          if (best == null || score > best.score()) {
            int[] tokens = one.written.stream().skip(1).limit(length).mapToInt(t -> t).toArray();
            best = new Hypothesis(tokens, one.logP, score, true);
          }
        } else if (next.size() < width && length < longest) {
          next.add(one);
        }
      }
      live = next;
    }
    return best;
  }

  @Test
  void widthOneIsGreedy() {
    int ended = 0;
    for (long seed = 1; seed <= 30; seed++) {
      BeamSearch search = new BeamSearch(START, END, 1, 3);
      Hypothesis found = search.search(new Model(seed), 1).get(0);
      int[] greedy = search.greedy(new Model(seed), 1)[0];
      ended += found.ended() ? 1 : 0;
      if (found.ended()) {
        assertArrayEquals(greedy, found.tokens(), "seed " + seed);
      } else {
        assertEquals(3, found.tokens().length);
      }
    }
    assertTrue(ended > 5 && ended < 30, () -> "both must be tried");
  }

  /** Each row of a batch is written as alone, and keeps what it had when others go on. */
  @Test
  void greedyRowsDoNotMeet() {
    List<List<Integer>> starts = List.of(List.of(), List.of(7), List.of(8, 8));
    Model together = new Model(3);
    together.beginnings = starts;
    int[][] found = new BeamSearch(START, END, 1, 12).greedy(together, 3);
    assertTrue(Arrays.stream(found).mapToInt(row -> row.length).distinct().count() > 1);
    for (int row = 0; row < 3; row++) {
      Model alone = new Model(3);
      alone.beginnings = List.of(starts.get(row));
      assertArrayEquals(new BeamSearch(START, END, 1, 12).greedy(alone, 1)[0], found[row]);
    }
  }

  @Test
  void lengthPenaltyPrefersLongerSequences() {
    // END at once has 0.26; after that each token has 0.7 and END 0.3, so longer is less probable.
    BeamSearch.NextToken model =
        (parents, tokens) -> {
          float[] logits = new float[tokens.length * 3];
          for (int row = 0; row < tokens.length; row++) {
            logits[row * 3] = Float.NEGATIVE_INFINITY;
            logits[row * 3 + 1] = (float) Math.log(tokens[row] == START ? 0.26 : 0.3);
            logits[row * 3 + 2] = (float) Math.log(tokens[row] == START ? 0.74 : 0.7);
          }
          return logits;
        };
    BeamSearch search = new BeamSearch(START, END, 4, 6);
    assertEquals(0, search.search(model, 1).get(0).tokens().length);
    assertEquals(6, search.withLengthPenalty(5).search(model, 1).get(0).tokens().length);
  }

  @Test
  void whatNeverEndsIsCutOff() {
    BeamSearch.NextToken endless =
        (parents, tokens) -> {
          float[] logits = new float[tokens.length * 4];
          for (int row = 0; row < tokens.length; row++) {
            logits[row * 4] = logits[row * 4 + 1] = Float.NEGATIVE_INFINITY;
            logits[row * 4 + 2] = 1;
          }
          return logits;
        };
    List<Hypothesis> found = new BeamSearch(START, END, 2, 3).search(endless, 2);
    assertArrayEquals(new int[] {2, 2, 2}, found.get(0).tokens());
    assertFalse(found.get(0).ended());
    assertEquals(2, found.size());
  }

  @Test
  void whatIsWrongIsRefused() {
    BeamSearch.NextToken nan = (parents, tokens) -> new float[] {0, Float.NaN, 0};
    BeamSearch search = new BeamSearch(START, END, 2, 3);
    assertThrows(IllegalStateException.class, () -> search.search(nan, 1));
    assertThrows(IllegalStateException.class, () -> search.greedy(nan, 1));
    assertThrows(IllegalArgumentException.class, () -> search.search(nan, 3));
    assertThrows(IllegalArgumentException.class, () -> search.search(nan, 0));
    assertThrows(IllegalArgumentException.class, () -> search.withLengthPenalty(-1));
    assertThrows(IllegalArgumentException.class, () -> search.withLengthPenalty(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> new BeamSearch(START, END, 0, 3));
    assertThrows(IllegalArgumentException.class, () -> new BeamSearch(START, END, 1, 0));
  }
}
