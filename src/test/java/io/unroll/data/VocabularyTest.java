package io.unroll.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class VocabularyTest {
  /** Latin, Hangul, the last of the first plane's private use, and two astral characters. */
  private static final String TEXT = "나라 말\n나🎼\uF8FFa𝛼나";

  private final Vocabulary vocabulary = Vocabulary.of(TEXT);

  @Test
  void idsFollowTheCodePoints() {
    assertEquals("\n a나라말\uF8FF𝛼🎼", vocabulary.symbols());
    assertEquals(9, vocabulary.size());
    assertArrayEquals(new int[] {3, 4, 1, 5, 0, 3, 8, 6, 2, 7, 3}, vocabulary.encode(TEXT));
  }

  @Test
  void decodingIsTheInverseOfEncoding() {
    assertEquals(TEXT, vocabulary.decode(vocabulary.encode(TEXT)));
    assertEquals("🎼", vocabulary.decode(8));
    assertEquals("", vocabulary.decode(new int[0]));
    assertArrayEquals(new int[0], vocabulary.encode(""));
  }

  @Test
  void membershipIsByCodePoint() {
    assertTrue(vocabulary.contains(0x1F3BC));
    assertTrue(vocabulary.contains('말'));
    assertFalse(vocabulary.contains(0xD83C));
    assertFalse(vocabulary.contains('b'));
  }

  @Test
  void anUnknownCharacterIsNamed() {
    String message = refusal(() -> vocabulary.encode("나🎼한"));
    assertTrue(message.contains("'한' (U+D55C) at index 3 is not among the 9"), message);
    assertTrue(message.contains("\"\\n a나라말"), message);
    message = refusal(() -> vocabulary.encode("나😀"));
    assertTrue(message.contains("'😀' (U+1F600) at index 1"), message);
    message = refusal(() -> vocabulary.encode("\u001b"));
    assertTrue(message.contains("'\\u{1B}' (U+001B) at index 0"), message);
  }

  @Test
  void aLargeVocabularyIsShownInShort() {
    StringBuilder many = new StringBuilder();
    for (int c = '가'; c < '가' + 2000; c++) {
      many.appendCodePoint(c);
    }
    String message = refusal(() -> Vocabulary.of(many).encode("a"));
    assertTrue(message.contains("among the 2000") && message.contains("\"...."), message);
    assertTrue(message.length() < 300, message);
  }

  @Test
  void symbolsRestoreIt() {
    assertEquals(vocabulary, Vocabulary.fromSymbols(vocabulary.symbols()));
    assertEquals(vocabulary.hashCode(), Vocabulary.of(TEXT + TEXT).hashCode());
    assertNotEquals(vocabulary, Vocabulary.of("ab"));
    assertTrue(refusal(() -> Vocabulary.fromSymbols("ba")).contains("sorted by code point"));
    assertTrue(refusal(() -> Vocabulary.fromSymbols("aab")).contains("2 distinct"));
    // In UTF-16 order a private-use character comes after an astral one, by code point before it.
    assertTrue(refusal(() -> Vocabulary.fromSymbols("🎼\uF8FF")).contains("sorted"));
  }

  @Test
  void noTextAndHalfCharactersAreRefused() {
    assertTrue(refusal(() -> Vocabulary.of("")).contains("the text is empty"));
    String message = refusal(() -> Vocabulary.of("ab\ud83c"));
    assertTrue(message.contains("(U+D83C)") && message.contains("at index 2"), message);
    message = refusal(() -> Vocabulary.of("\udfbc\ud83c"));
    assertTrue(message.contains("(U+DFBC)") && message.contains("at index 0"), message);
  }

  @Test
  void anImpossibleIdIsRefused() {
    assertTrue(refusal(() -> vocabulary.decode(9)).contains("id 9"));
    assertTrue(refusal(() -> vocabulary.decode(new int[] {0, -1})).contains("ids from 0 to 8"));
  }

  private static String refusal(Executable action) {
    return assertThrows(IllegalArgumentException.class, action).getMessage();
  }
}
