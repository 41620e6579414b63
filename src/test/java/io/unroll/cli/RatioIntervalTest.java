package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RatioIntervalTest {
  /** The places are those of published tables of the sign test at 5 %, two-sided. */
  @ParameterizedTest
  @CsvSource({"6,1", "8,1", "9,2", "11,2", "12,3", "15,4", "20,6", "25,8", "40,14", "100,40"})
  void takesTheOrderStatisticsOfTheSignTest(int pairs, int rank) {
    double[] ratios = IntStream.rangeClosed(1, pairs).mapToDouble(i -> i).toArray();
    RatioInterval found = RatioInterval.of(ratios);
    assertEquals(rank, found.low());
    assertEquals(pairs + 1 - rank, found.high());
    assertEquals((pairs + 1) / 2.0, found.median());
    assertEquals(pairs, found.pairs());
  }

  @ParameterizedTest
  @CsvSource({"1", "3", "5"})
  void fewPairsHaveNoInterval(int pairs) {
    RatioInterval found = RatioInterval.of(DoubleStream.generate(() -> 2).limit(pairs).toArray());
    assertEquals(2, found.median());
    assertEquals(0, found.low());
    assertEquals(Double.POSITIVE_INFINITY, found.high());
    assertEquals("uncertain", found.verdict(1.05));
  }

  /** Ratios of a lopsided distribution, whose median is 1. */
  @ParameterizedTest
  @CsvSource({"6", "9", "12"})
  void holdsTheMedianAsOftenAsItPromises(int pairs) {
    Random random = new Random(7);
    int held = 0;
    int trials = 4000;
    for (int i = 0; i < trials; i++) {
      double[] ratios = new double[pairs];
      Arrays.setAll(ratios, k -> Math.exp(skewed(random)));
      Arrays.sort(ratios);
      RatioInterval found = RatioInterval.of(ratios);
      held += found.low() <= 1 && 1 <= found.high() ? 1 : 0;
    }
    assertTrue(held >= 0.945 * trials, held + " of " + trials);
    assertTrue(held <= 0.985 * trials, held + " of " + trials);
  }

  /** An exponential, shifted by its median. */
  private static double skewed(Random random) {
    return -Math.log(1 - random.nextDouble()) - Math.log(2);
  }

  @Test
  void oneDisturbedPairOfNineChangesLittle() {
    double[] ratios = {1.00, 1.01, 1.01, 1.02, 1.02, 1.02, 1.03, 1.03, 7};
    RatioInterval found = RatioInterval.of(ratios);
    assertEquals(RatioInterval.ROBUST_PAIRS, found.pairs());
    assertEquals(1.03, found.high());
    assertEquals("same", found.verdict(1.05));
  }

  @ParameterizedTest
  @CsvSource({
    "1.11,1.30,slower",
    "1.10,1.30,uncertain",
    "0.80,0.90,faster",
    "0.80,0.95,uncertain",
    "0.92,1.09,same",
    "0.92,1.11,uncertain",
    "0.90,1.09,uncertain",
    "0.50,2.00,uncertain",
  })
  void theWholeIntervalDecides(double low, double high, String verdict) {
    assertEquals(verdict, new RatioInterval(1, low, high, 9).verdict(1.1));
  }

  @Test
  void widensBothEnds() {
    assertEquals(
        new RatioInterval(1.2, 0.5, 2.5, 9), new RatioInterval(1.2, 1, 1.25, 9).widened(2));
  }
}
