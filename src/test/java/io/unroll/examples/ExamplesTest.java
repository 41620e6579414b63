package io.unroll.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.Backend;
import io.unroll.RequiredBackendsTest;
import io.unroll.examples.data.Phrases;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every example, small on every backend, and long enough on the CPU to see that it learns. */
class ExamplesTest {
  private static final long SEED = 3;

  /** Relative, of a loss. Over three steps float32 stays within a hundredth of it. */
  private static final double NEAR = 1e-5;

  /** The losses of the reference by example: they judge every backend. */
  private static final Map<String, double[]> EXPECTED = new HashMap<>();

  static Stream<Arguments> everywhere() {
    return Examples.all().stream()
        .flatMap(example -> RequiredBackendsTest.judged().map(name -> Arguments.of(name, example)));
  }

  /**
   * Each example with as many steps of the usual setup as beat its baseline, where these take two
   * seconds at most. That the others do, benchmarks/learning.py sees in their figures.
   */
  static Stream<Arguments> learning() {
    return Stream.of(
        Arguments.of(300, new Digits()),
        Arguments.of(400, new Sentiment()),
        Arguments.of(100, new Translate(Phrases.KOREAN)),
        Arguments.of(600, new Frames()),
        Arguments.of(150, new SpokenDigits()),
        Arguments.of(250, new Forecast()));
  }

  private static Learned tiny(String backend, Example example) {
    try (Backend opened = Backend.open(backend)) {
      return example.run(new Setup(opened, SEED, 3, 3, 5));
    }
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everywhere")
  void losesAsMuchAsOnTheReference(String backend, Example example) {
    double[] expected =
        EXPECTED.computeIfAbsent(example.name(), name -> tiny("reference", example).losses());
    Learned learned = tiny(backend, example);
    assertEquals(3, learned.losses().length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(
          expected[i], learned.losses()[i], NEAR * expected[i], "seed " + SEED + " step " + i);
    }
    assertFalse(learned.shown().isEmpty(), "it shows what came of it");
  }

  @ParameterizedTest(name = "{1}, {0} steps")
  @MethodSource("learning")
  void beatsItsBaseline(int steps, Example example) {
    assumeTrue(RequiredBackendsTest.isWanted("cpu"), "-Dunroll.test.only leaves out cpu");
    try (Backend backend = Backend.open("cpu")) {
      Learned learned = example.run(example.usual(backend, SEED).withSteps(steps));
      assertTrue(
          learned.beatsBaseline(),
          () ->
              "seed " + SEED + ": " + learned.reached() + " against " + learned.baselineReached());
    }
  }
}
