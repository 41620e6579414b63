package io.unroll.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextPropertyTest {
  /** One digit a character; 9 for more. */
  private static String values(String name, String text) {
    StringBuilder digits = new StringBuilder();
    for (TextProperty property : TextProperty.of(text)) {
      if (property.name().equals(name)) {
        for (float value : property.values()) {
          digits.append((int) Math.min(9, value));
        }
      }
    }
    return digits.toString();
  }

  /** In the texts | is the end of a line, ' a double quotation mark. */
  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource(
      quoteCharacter = '~',
      value = {
        "in quotes,       a 'b' c,         0011000",
        "in quotes,       '\\'a' b,        111100 0",
        "in quotes,       'a||b,           1110 0",
        "in quotes,       \u00ABa\u00BB \u201Cb\u201D, 1100110",
        "in a comment,    a //b|c,         0001 100",
        "in a comment,    a /*b*/ c,       000111 000",
        "place in line,   ab|c d,          120123",
        "indentation,     a|  b c|d,       00122 2200",
        "line begins,     a|  b c,         01110 00",
        "bracket depth,   f(a[1])),        01122100",
        "bracket depth,   f(')') a,        01111000",
        "bracket depth,   ((||b,           12200",
        "brace depth,     {a{}}},          112100",
        "place in word,   ab c_1 d,        12012301",
        "place in sentence, Hi. We,        1230 12",
        "white space,     a b|c,           01010",
        "capital,         aBC,             011",
        "digit,           a1\u0661,        011",
        "punctuation,     a.(b,            0110",
      })
  void isKnownAfterEachCharacter(String name, String text, String expected) {
    String plain = text.replace('|', '\n').replace('\'', '"');
    assertEquals(expected.replace(" ", ""), values(name, plain));
  }

  @Test
  void aCharacterIsACodePointAndWhatNeverChangesIsLeftOut() {
    List<TextProperty> all = TextProperty.of("\uD83D\uDE42 a");
    assertTrue(all.stream().allMatch(property -> property.values().length == 3));
    assertEquals("", values("in quotes", "a b"));
    assertEquals(List.of(), TextProperty.of(""));
  }
}
