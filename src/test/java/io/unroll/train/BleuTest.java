package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.ShapeException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against sacreBLEU 2.6.0: {@code corpus_bleu(hypotheses, [references])}. */
class BleuTest {
  private record Case(
      List<String> hypotheses,
      List<String> references,
      double score,
      double penalty,
      double... precisions) {}

  static Stream<Case> cases() {
    return Stream.of(
        same("the cat sat on the mat .", "the cat sat on the mat .", 100, 100, 100, 100, 100),
        same(
            "the cat is on the mat",
            "the cat sat on the mat",
            37.99178428257963,
            83.33333333333333,
            60.0,
            25.0,
            16.666666666666668),
        same(
            "Hello, world! It's 3.5% of $1,000.00 (about 12-15).",
            "Hello world, it's 3.5 % of $1,000 (about 12 - 15).",
            52.7123766408901,
            82.3529411764706,
            56.25,
            46.666666666666664,
            35.714285714285715),
        same(
            "the the the the the",
            "the cat",
            10.682175159905848,
            20,
            12.5,
            8.333333333333334,
            6.25),
        same("a b c", "a b c", 0, 100, 100, 100, 0),
        same("x y z w", "a b c d", 0, 0, 0, 0, 0),
        same(
            "안녕 하세요 세계 는 넓다 .",
            "안녕 하세요 세계 는 좁다 .",
            53.7284965911771,
            83.33333333333333,
            60,
            50,
            33.333333333333336),
        new Case(
            List.of("a b c d e f", "one two three four five six seven"),
            List.of("a b c d x f g h", "one two three five six seven"),
            39.81633342413543,
            0.925961078642316,
            84.61538461538461,
            63.63636363636363,
            44.44444444444444,
            14.285714285714286),
        new Case(
            List.of("", "we have it &amp; more"),
            List.of("nothing here", "we have it & more of it"),
            44.932896411722176,
            0.44932896411722156,
            100,
            100,
            100,
            100),
        new Case(
            List.of("short"),
            List.of("a much longer reference sentence that goes on"),
            0,
            0.0009118819655545162,
            0,
            0,
            0,
            0));
  }

  /** One sentence that is not shorter than its reference. */
  private static Case same(
      String hypothesis, String reference, double score, double... precisions) {
    return new Case(List.of(hypothesis), List.of(reference), score, 1, precisions);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isWhatSacreBleuGives(Case expected) {
    Bleu bleu = Bleu.of(expected.hypotheses(), expected.references());
    assertEquals(expected.score(), bleu.score(), 1e-10);
    assertEquals(expected.penalty(), bleu.brevityPenalty(), 1e-12);
    assertArrayEquals(expected.precisions(), bleu.precisions(), 1e-10);
  }

  @Test
  void needsAReferenceForEach() {
    assertThrows(ShapeException.class, () -> Bleu.of(List.of("a", "b"), List.of("a")));
    assertEquals(0, Bleu.of(List.of(""), List.of("a")).score());
  }
}
