package io.unroll.data;

import java.util.Arrays;
import java.util.BitSet;

/**
 * The characters of a text, numbered from 0 in the order of their Unicode code points. A character
 * is a code point, so an emoji outside the first plane has one id. Immutable; equal if the
 * characters are.
 */
public final class Vocabulary {
  private static final int SHOWN = 80;

  private final int[] codePoints;

  private Vocabulary(int[] sorted) {
    this.codePoints = sorted;
  }

  /**
   * The characters that occur in a text.
   *
   * @throws IllegalArgumentException if the text is empty or has half a surrogate pair
   */
  public static Vocabulary of(CharSequence text) {
    BitSet seen = new BitSet();
    int index = 0;
    while (index < text.length()) {
      int c = Character.codePointAt(text, index);
      if (c <= Character.MAX_VALUE && Character.isSurrogate((char) c)) {
        throw new IllegalArgumentException(
            "the text has half a surrogate pair ("
                + name(c)
                + ") at index "
                + index
                + ", which is no character. Remove it, or read the text as UTF-8.");
      }
      seen.set(c);
      index += Character.charCount(c);
    }
    if (seen.isEmpty()) {
      throw new IllegalArgumentException(
          "a vocabulary needs at least one character, but the text is empty. Give some text.");
    }
    return new Vocabulary(seen.stream().toArray());
  }

  /**
   * The vocabulary that {@link #symbols} described.
   *
   * @param symbols each character once, in ascending order, as symbols() returned them
   * @throws IllegalArgumentException if they are anything else; ids would then change their meaning
   */
  public static Vocabulary fromSymbols(String symbols) {
    Vocabulary vocabulary = of(symbols);
    if (!vocabulary.symbols().equals(symbols)) {
      throw new IllegalArgumentException(
          "the symbols of a vocabulary must be distinct and sorted by code point, but "
              + vocabulary.size()
              + " distinct ones were found among "
              + symbols.codePointCount(0, symbols.length())
              + " in another order or repeated. Pass what symbols() returned.");
    }
    return vocabulary;
  }

  /** All characters in the order of their ids; keep it with a network that was trained on them. */
  public String symbols() {
    return new String(codePoints, 0, codePoints.length);
  }

  /** The number of characters; ids are smaller. */
  public int size() {
    return codePoints.length;
  }

  /** Whether it has that code point. */
  public boolean contains(int codePoint) {
    return Arrays.binarySearch(codePoints, codePoint) >= 0;
  }

  /**
   * The ids of a text, one for each code point.
   *
   * @throws IllegalArgumentException if a character is unknown; the message names it, its index in
   *     text (in chars, as {@link CharSequence#charAt} counts) and the known ones
   */
  public int[] encode(CharSequence text) {
    int[] ids = new int[Character.codePointCount(text, 0, text.length())];
    int index = 0;
    for (int i = 0; i < ids.length; i++) {
      int c = Character.codePointAt(text, index);
      ids[i] = Arrays.binarySearch(codePoints, c);
      if (ids[i] < 0) {
        throw new IllegalArgumentException(
            "character "
                + name(c)
                + " at index "
                + index
                + " is not among the "
                + size()
                + " of the vocabulary: "
                + this
                + ". Remove it, or train on text that has it.");
      }
      index += Character.charCount(c);
    }
    return ids;
  }

  /**
   * The character with that id, a string of one code point.
   *
   * @throws IllegalArgumentException if id is not in [0, size())
   */
  public String decode(int id) {
    return Character.toString(codePoint(id));
  }

  /**
   * The text with those ids.
   *
   * @throws IllegalArgumentException if one is not in [0, size())
   */
  public String decode(int[] ids) {
    StringBuilder text = new StringBuilder(ids.length);
    for (int id : ids) {
      text.appendCodePoint(codePoint(id));
    }
    return text.toString();
  }

  private int codePoint(int id) {
    if (id < 0 || id >= codePoints.length) {
      throw new IllegalArgumentException(
          "id " + id + " is no character: this vocabulary has ids from 0 to " + (size() - 1));
    }
    return codePoints[id];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Vocabulary that && Arrays.equals(codePoints, that.codePoints);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(codePoints);
  }

  /** The characters for people: in quotes, control characters escaped, a long list shortened. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < Math.min(SHOWN, codePoints.length); i++) {
      out.append(printable(codePoints[i]));
    }
    return out.append(codePoints.length > SHOWN ? "\"..." : "\"").toString();
  }

  private static String name(int codePoint) {
    return "'" + printable(codePoint) + "' (U+" + String.format("%04X", codePoint) + ")";
  }

  private static String printable(int codePoint) {
    return switch (codePoint) {
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default ->
          switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                Character.FORMAT,
                Character.SURROGATE,
                Character.LINE_SEPARATOR,
                Character.PARAGRAPH_SEPARATOR ->
                String.format("\\u{%X}", codePoint);
            default -> Character.toString(codePoint);
          };
    };
  }
}
