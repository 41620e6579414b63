package io.unroll.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.nn.Indices;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the example Translate learns from. */
class PhrasesTest {
  @ParameterizedTest
  @CsvSource({
    "0,zero,영",
    "1,one,일",
    "10,ten,십",
    "11,eleven,십일",
    "20,twenty,이십",
    "111,one hundred eleven,백십일",
    "400,four hundred,사백",
    "1000,one thousand,천",
    "10000,ten thousand,만",
    "10001,ten thousand one,만 일",
    "21000,twenty-one thousand,이만 천",
    "110315,one hundred ten thousand three hundred fifteen,십일만 삼백십오"
  })
  void numbersInWords(int number, String english, String korean) {
    assertEquals(english, Phrases.ENGLISH.target(number));
    assertEquals(korean, Phrases.KOREAN.target(number));
  }

  @Test
  void largeKoreanNumber() {
    assertEquals("천이백삼십사만 오천육백칠십팔", Phrases.KOREAN.target(12_345_678));
  }

  @Test
  void aDateInEachOfItsWays() {
    Set<String> ways = new HashSet<>();
    Random random = new Random(1);
    for (int i = 0; i < 100; i++) {
      ways.add(Phrases.DATES.source(36_524, random));
    }
    assertEquals(
        Set.of(
            "one january two thousand",
            "january one, two thousand",
            "1 january 2000",
            "january 1, 2000",
            "saturday, 1 jan 2000",
            "sat jan 1 2000"),
        ways);
    assertEquals("2000-01-01", Phrases.DATES.target(36_524));
    assertEquals("1905-08-09", Phrases.DATES.target(2046));
    ways.clear();
    for (int i = 0; i < 100; i++) {
      ways.add(Phrases.DATES.source(2046, random));
    }
    assertTrue(ways.contains("nine august nineteen oh five"), ways::toString);
  }

  @ParameterizedTest
  @EnumSource
  void unseenOnesAreNeverDrawnForTraining(Phrases phrases) {
    Translations trained = Translations.draw(phrases, 2000, 5, false);
    Translations unseen = Translations.draw(phrases, 500, 6, true);
    Set<String> known = new HashSet<>(Arrays.asList(trained.targets()));
    for (String target : unseen.targets()) {
      assertTrue(!known.contains(target), target);
      assertTrue(target.length() <= phrases.longest(), target);
    }
    assertEquals(trained.sources()[7], Translations.draw(phrases, 2000, 5, false).sources()[7]);
  }

  @Test
  void tokensStandInColumns() {
    String[] sources = {"10", "7"};
    String[] targets = {"십", "영일"};
    Translations batch = new Translations(Phrases.KOREAN, sources, targets);
    assertArrayEquals(new int[] {2, 1}, batch.sourceLengths());
    assertArrayEquals(new int[] {1, 7, 0, Indices.IGNORED}, batch.sourceTokens());
    int[] words = Phrases.KOREAN.targetSymbols().encode("십영일");
    int none = Indices.IGNORED;
    assertArrayEquals(
        new int[] {batch.start(), batch.start(), words[0], words[1], none, words[2]},
        batch.decoderTokens());
    assertArrayEquals(
        new int[] {words[0], words[1], batch.end(), words[2], none, batch.end()},
        batch.targetTokens());
    assertEquals("영일?", batch.text(new int[] {words[1], words[2], batch.start()}));
  }
}
