package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.Philox;
import io.unroll.RequiredBackendsTest;
import io.unroll.ShapeException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every backend draws, against the rule of docs/equations.md in float64. */
class SamplerTest {
  /** Far from a tie of rounding; u times the sum of the weights may come as near to a border. */
  private static final double BORDER = 1e-5;

  static Stream<String> backends() {
    return RequiredBackendsTest.available();
  }

  private static int[] draw(
      Backend backend, float[] logits, int rows, Sampling sampling, long position) {
    try (Tape tape = new Tape(backend);
        Sampler sampler = new Sampler(backend, rows)) {
      tape.begin(Tape.Mode.EVALUATION);
      Tensor x = tape.input(logits, rows, logits.length / rows);
      sampler.draw(x, sampling, position);
      return sampler.toInts();
    }
  }

  /** The classes that may be drawn from a row: one, but where u lies at a border. */
  private static boolean[] allowed(float[] row, Sampling sampling, long position) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : row) {
      largest = Math.max(largest, logit);
    }
    float[] sorted = row.clone();
    Arrays.sort(sorted);
    boolean all = sampling.topK() == 0 || sampling.topK() >= row.length;
    float least = all ? Float.NEGATIVE_INFINITY : sorted[row.length - sampling.topK()];
    double[] sums = new double[row.length];
    double sum = 0;
    for (int c = 0; c < row.length; c++) {
      sum += row[c] >= least ? Math.exp((row[c] - largest) / sampling.temperature()) : 0;
      sums[c] = sum;
    }
    boolean[] allowed = new boolean[row.length];
    double bound = Philox.uniform(sampling.seed(), position) * sum;
    for (int c = 0; c < row.length; c++) {
      double below = c == 0 ? 0 : sums[c - 1];
      boolean has = sums[c] > below;
      allowed[c] = has && below <= bound + BORDER * sum && sums[c] > bound - BORDER * sum;
    }
    return allowed;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void drawsWhatTheRuleSays(String name) {
    int rows = 9;
    int clear = 0;
    int drawn = 0;
    try (Backend backend = Backend.open(name)) {
      for (int classes : new int[] {1, 2, 5, 16, 17, 33, 83, 1031}) {
        Random random = new Random(classes);
        for (double temperature : new double[] {0.3, 1, 2.5}) {
          for (int topK : new int[] {0, 1, 3, 16, classes, classes + 5}) {
            float[] logits = new float[rows * classes];
            for (int i = 0; i < logits.length; i++) {
              logits[i] = (float) (2 * random.nextGaussian() - 3);
            }
            Sampling sampling = new Sampling(temperature, topK, random.nextLong());
            long position = random.nextInt() & 0xffff_ffffL;
            int[] found = draw(backend, logits, rows, sampling, position);
            for (int r = 0; r < rows; r++) {
              float[] row = Arrays.copyOfRange(logits, r * classes, (r + 1) * classes);
              boolean[] allowed = allowed(row, sampling, position + r);
              assertTrue(
                  allowed[found[r]], "class " + found[r] + " of row " + r + " by " + sampling);
              int choices = 0;
              for (boolean one : allowed) {
                choices += one ? 1 : 0;
              }
              clear += choices == 1 ? 1 : 0;
              drawn++;
            }
          }
        }
      }
    }
    assertTrue(clear > 0.99 * drawn, clear + " of " + drawn + " draws had one answer");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void greedyTakesTheFirstOfTheLargest(String name) {
    try (Backend backend = Backend.open(name)) {
      for (int classes : new int[] {1, 3, 8, 40, 300}) {
        int[] expected = new int[classes];
        float[] logits = new float[classes * classes];
        for (int r = 0; r < classes; r++) {
          expected[r] = r;
          for (int c = 0; c < classes; c++) {
            logits[r * classes + c] = c >= r && (c - r) % 3 == 0 ? -5 : -7;
          }
        }
        assertArrayEquals(expected, draw(backend, logits, classes, Sampling.greedy(), 0));
      }
    }
  }

  /** The share of each class in so many draws from one row. */
  private static double[] shares(Backend backend, Sampling sampling, float... row) {
    int rows = 20_000;
    float[] logits = new float[rows * row.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = row[i % row.length];
    }
    double[] shares = new double[row.length];
    for (int c : draw(backend, logits, rows, sampling, 0)) {
      shares[c] += 1.0 / rows;
    }
    return shares;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void sharesAreThoseOfTheSoftmax(String name) {
    try (Backend backend = Backend.open(name)) {
      double sum = Math.exp(0) + Math.exp(4) + Math.exp(2) + Math.exp(-2);
      double[] all = shares(backend, new Sampling(0.5, 0, 9), 0, 2, 1, -1);
      assertEquals(Math.exp(4) / sum, all[1], 0.01);
      assertEquals(Math.exp(2) / sum, all[2], 0.01);
      double[] two = shares(backend, new Sampling(0.5, 2, 9), 0, 2, 1, -1);
      assertEquals(0, two[0] + two[3]);
      assertEquals(Math.exp(2) / (Math.exp(2) + Math.exp(4)), two[2], 0.01);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void topKKeepsAllThatAreAsLikelyAsTheLast(String name) {
    try (Backend backend = Backend.open(name)) {
      double[] ties = shares(backend, new Sampling(1, 2, 4), 0.5f, -3, 3, 0.5f, 0.25f, 0.5f);
      assertTrue(ties[0] > 0.01 && ties[3] > 0.01 && ties[5] > 0.01, Arrays.toString(ties));
      assertEquals(0, ties[1] + ties[4]);
      double[] zeros = shares(backend, new Sampling(1, 1, 4), -0f, -1, 0f, -0f);
      assertEquals(0, zeros[1]);
      for (int c : new int[] {0, 2, 3}) {
        assertEquals(1 / 3.0, zeros[c], 0.02, Arrays.toString(zeros));
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void extremeLogitsAndTemperatures(String name) {
    float infinity = Float.POSITIVE_INFINITY;
    try (Backend backend = Backend.open(name)) {
      float[] wide = new float[3 * 37];
      wide[20] = Float.NaN; // in a row that is otherwise fine, past the first pack
      wide[37 + 36] = 1;
      wide[2 * 37 + 36] = Float.NaN;
      for (Sampling sampling :
          new Sampling[] {Sampling.greedy(), new Sampling(0.01, 0, 1), new Sampling(0.01, 5, 1)}) {
        assertArrayEquals(new int[] {-1, 36, -1}, draw(backend, wide, 3, sampling, 0));
      }
      float[] infinite = {
        -infinity, -infinity, -infinity, // nothing is likely: the first
        1, infinity, infinity, // the first of the infinite ones
        -infinity, 3, -infinity, // the only one
      };
      assertArrayEquals(
          new int[] {0, 1, 1}, draw(backend, infinite, 3, Sampling.seeded(3), 0), name);
      double[] equal = shares(backend, new Sampling(1e300, 0, 4), 30, -30, 0);
      for (double share : equal) {
        assertEquals(1 / 3.0, share, 0.02, Arrays.toString(equal));
      }
      double[] cold = shares(backend, new Sampling(1e-320, 0, 4), 1, 2, 1.9999f);
      assertArrayEquals(new double[] {0, 1, 0}, cold, 1e-9);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void rowsAreDrawsOneAfterTheOther(String name) {
    int rows = 23;
    int classes = 40;
    Random random = new Random(8);
    float[] logits = new float[rows * classes];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = random.nextFloat();
    }
    Sampling sampling = new Sampling(1, 30, 0x9234_5678_9abc_def0L);
    try (Backend backend = Backend.open(name)) {
      for (long position : new long[] {0, 3, (1L << 34) - 10}) { // across a carry of the block
        int[] together = draw(backend, logits, rows, sampling, position);
        for (int r = 0; r < rows; r++) {
          float[] row = Arrays.copyOfRange(logits, r * classes, (r + 1) * classes);
          assertEquals(together[r], draw(backend, row, 1, sampling, position + r)[0]);
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void theNextStepReadsWhatWasDrawn(String name) {
    float[] logits = {0, 9, 0, Float.NaN, 0, 0, 0, 0, 9};
    try (Backend backend = Backend.open(name);
        Parameters parameters = new Parameters(backend, 5);
        Tape tape = new Tape(backend);
        Sampler sampler = new Sampler(backend, 3)) {
      Embedding embedding = new Embedding(parameters, "e", 3, 4);
      assertThrows(IllegalStateException.class, sampler::toInts);
      assertThrows(IllegalStateException.class, () -> sampler.drawn(tape, 3));
      tape.begin(Tape.Mode.EVALUATION);
      sampler.draw(tape.input(logits, 3, 3), Sampling.greedy(), 0);
      Indices stale = sampler.drawn(tape, 3);
      tape.begin(Tape.Mode.TRAINING);
      assertThrows(IllegalStateException.class, () -> Ops.scale(embedding.forward(stale), 1));
      float[] rows = Ops.scale(embedding.forward(sampler.drawn(tape, 1, 3)), 1).toFloats();
      float[] table = parameters.get("e.weight").toFloats();
      float[] expected = new float[12];
      System.arraycopy(table, 4, expected, 0, 4);
      System.arraycopy(table, 8, expected, 8, 4);
      assertArrayEquals(expected, rows);

      Indices drawn = sampler.drawn(tape, 3);
      Tensor again = tape.input(logits, 3, 3);
      assertThrows(IllegalArgumentException.class, () -> Losses.crossEntropy(again, drawn));
      assertThrows(ShapeException.class, () -> sampler.drawn(tape, 2));
      assertThrows(
          ShapeException.class, () -> sampler.draw(tape.input(logits, 1, 9), Sampling.greedy(), 0));
      assertThrows(ShapeException.class, () -> new Sampler(backend, 0));
    }
  }
}
