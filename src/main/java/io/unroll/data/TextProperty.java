package io.unroll.data;

import java.util.ArrayList;
import java.util.List;

/**
 * Something that a reader knows after each character of a text, such as the place in the line: what
 * a unit of a network may have learned to keep track of.
 *
 * @param name for people
 * @param meaning its definition, for people
 * @param values [T], after each character
 */
public record TextProperty(String name, String meaning, float[] values) {
  /** What can be told after a character from the characters so far. */
  private static final class Reader {
    private int previous = '\n';
    private int lineLength;
    private int indentation;
    private boolean lineBegins = true;
    private boolean quoted;
    private boolean escaped;
    private boolean lineComment;
    private boolean blockComment;
    private int brackets;
    private int braces;
    private int word;
    private int sentence;

    void read(int c) {
      boolean emptyLine = c == '\n' && previous == '\n';
      readLine(c);
      readComment(c);
      readQuotes(c);
      readBrackets(c);
      word = Character.isLetterOrDigit(c) || c == '_' ? word + 1 : 0;
      sentence = ".!?\u3002".indexOf(previous) >= 0 && Character.isWhitespace(c) ? 0 : sentence + 1;
      if (emptyLine) {
        quoted = false;
        brackets = 0;
        sentence = 0;
      }
      previous = c;
    }

    private void readLine(int c) {
      if (c == '\n') {
        lineLength = 0;
        indentation = 0;
        lineBegins = true;
        return;
      }
      lineLength++;
      lineBegins &= Character.isWhitespace(c);
      indentation += lineBegins ? 1 : 0;
    }

    private void readComment(int c) {
      if (lineComment) {
        lineComment = c != '\n';
      } else if (blockComment) {
        blockComment = !(previous == '*' && c == '/');
      } else if (!quoted && previous == '/') {
        lineComment = c == '/';
        blockComment = c == '*';
      }
    }

    private void readQuotes(int c) {
      boolean mark = "\"\u201C\u201D\u00AB\u00BB".indexOf(c) >= 0;
      if (mark && !escaped && !lineComment && !blockComment) {
        quoted = c == '"' ? !quoted : c == '\u201C' || c == '\u00AB';
      }
      escaped = quoted && c == '\\' && !escaped;
    }

    private void readBrackets(int c) {
      if (quoted) {
        return;
      }
      switch (c) {
        case '(', '[' -> brackets++;
        case ')', ']' -> brackets = Math.max(0, brackets - 1);
        case '{' -> braces++;
        case '}' -> braces = Math.max(0, braces - 1);
        default -> {}
      }
    }

    private float[] known() {
      int c = previous;
      boolean space = Character.isWhitespace(c);
      return new float[] {
        flag(quoted),
        flag(lineComment || blockComment),
        lineLength,
        indentation,
        flag(lineBegins),
        brackets,
        braces,
        word,
        sentence,
        flag(space),
        flag(Character.isUpperCase(c)),
        flag(Character.isDigit(c)),
        flag(!space && !Character.isLetterOrDigit(c))
      };
    }

    private static float flag(boolean is) {
      return is ? 1 : 0;
    }
  }

  /** Name and meaning in the order of {@link Reader#known}. */
  private static final String[][] KNOWN = {
    {"in quotes", "1 from a double quotation mark to the next one or an empty line, else 0"},
    {"in a comment", "1 from // to the end of the line and from /* to */, else 0"},
    {"place in line", "characters since the line began"},
    {"indentation", "white space at the beginning of the line"},
    {"line begins", "1 until the line has something other than white space, else 0"},
    {"bracket depth", "( and [ that are open outside of quotes; 0 after an empty line"},
    {"brace depth", "{ that are open outside of quotes"},
    {"place in word", "letters, digits and _ since the word began; 0 between words"},
    {"place in sentence", "characters since a full stop, ! or ? and a space, or an empty line"},
    {"white space", "1 if the character is white space, else 0"},
    {"capital", "1 if the character is an upper-case letter, else 0"},
    {"digit", "1 if the character is a digit, else 0"},
    {"punctuation", "1 if the character is no letter, digit or white space, else 0"},
  };

  /**
   * The properties of a text that change within it.
   *
   * @return for each a value after each code point of the text
   */
  public static List<TextProperty> of(String text) {
    int[] characters = text.codePoints().toArray();
    float[][] values = new float[KNOWN.length][characters.length];
    Reader reader = new Reader();
    for (int t = 0; t < characters.length; t++) {
      reader.read(characters[t]);
      float[] known = reader.known();
      for (int p = 0; p < known.length; p++) {
        values[p][t] = known[p];
      }
    }
    List<TextProperty> all = new ArrayList<>();
    for (int p = 0; p < KNOWN.length; p++) {
      if (varies(values[p])) {
        all.add(new TextProperty(KNOWN[p][0], KNOWN[p][1], values[p]));
      }
    }
    return all;
  }

  private static boolean varies(float[] values) {
    for (float value : values) {
      if (value != values[0]) {
        return true;
      }
    }
    return false;
  }
}
