package io.unroll.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.data.TokenVocabulary.Splitting;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenVocabularyTest {
  private static TokenVocabulary of(Splitting splitting, int atMost, int atLeast, String... texts) {
    TokenVocabulary.Counter counter = TokenVocabulary.counter(splitting);
    for (String text : texts) {
      counter.add(text);
    }
    return counter.vocabulary(atMost, atLeast);
  }

  @Test
  void textIsSplitInThreeWays() {
    assertEquals(
        List.of("don't", "stop", ",", "the", "3", "하늘", "!", "!", "'", "ok", "'"),
        Splitting.WORDS.split("Don't  stop, the 3\n하늘!! 'OK'"));
    assertEquals(
        List.of("it\u2019s", "e\u0301t\u00e9"), Splitting.WORDS.split("It\u2019s E\u0301T\u00c9"));
    assertEquals(List.of("Don't", "stop,"), Splitting.SPACES.split(" Don't \t stop,\n"));
    assertEquals(List.of("a", " ", "\uD83D\uDE00"), Splitting.CHARACTERS.split("a \uD83D\uDE00"));
    for (Splitting splitting : Splitting.values()) {
      assertEquals(List.of(), splitting.split(""));
    }
  }

  @Test
  void theMostFrequentTokensAreKeptAndOthersAreUnknown() {
    TokenVocabulary words = of(Splitting.WORDS, 6, 1, "b a c a", "b a d", "e c");
    assertEquals(List.of("<unk>", "<s>", "</s>", "a", "b", "c"), words.tokens());
    assertArrayEquals(new int[] {3, 0, 5, 0}, words.encode("a d c zebra"));
    assertArrayEquals(new int[] {1, 4, 0, 2}, words.encodeSentence("b d"));
    assertArrayEquals(new int[] {1, 2}, words.encodeSentence(""));
    assertEquals("b <unk>", words.decode(words.encodeSentence("b d")));
    assertEquals(List.of("<unk>", "<s>", "</s>", "a"), of(Splitting.WORDS, 9, 2, "a a b").tokens());
    assertEquals("ab", of(Splitting.CHARACTERS, 9, 1, "ab").decode(new int[] {3, 4}));
  }

  @Test
  void specialTokensInATextMeanThemselves() {
    TokenVocabulary words = of(Splitting.SPACES, 9, 1, "<unk> a <unk>", "</s>");
    assertEquals(4, words.size());
    assertArrayEquals(new int[] {0, 3, 2}, words.encode("<unk> a </s>"));
  }

  @Test
  void isWhatItsTokensDescribe() {
    TokenVocabulary words = of(Splitting.WORDS, 9, 1, "b a c");
    TokenVocabulary same = TokenVocabulary.of(words.splitting(), words.tokens());
    assertEquals(words, same);
    assertEquals(words.hashCode(), same.hashCode());
    assertNotEquals(words, TokenVocabulary.of(Splitting.SPACES, words.tokens()));
  }

  @Test
  void refusesWhatIsNoVocabulary() {
    List<List<String>> wrong =
        List.of(
            List.of("<unk>", "<s>", "</s>"),
            List.of("<s>", "<unk>", "</s>", "a"),
            List.of("<unk>", "<s>", "</s>", "a", "a"));
    for (List<String> tokens : wrong) {
      assertThrows(
          IllegalArgumentException.class, () -> TokenVocabulary.of(Splitting.WORDS, tokens));
    }
    assertThrows(IllegalArgumentException.class, () -> of(Splitting.WORDS, 3, 1, "a"));
    assertThrows(IllegalArgumentException.class, () -> of(Splitting.WORDS, 9, 2, "a b"));
    TokenVocabulary words = of(Splitting.WORDS, 9, 1, "a");
    assertThrows(IllegalArgumentException.class, () -> words.decode(4));
    assertThrows(IllegalArgumentException.class, () -> words.decode(-1));
  }
}
