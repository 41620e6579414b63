package io.unroll.io;

/** How names from a file, which may hold anything, appear in messages. */
final class Quoting {
  private static final int MAX_SHOWN = 80;

  private Quoting() {}

  /** The name in quotes, shortened, with control characters and lone surrogates as escapes. */
  static String quoted(String name) {
    StringBuilder out = new StringBuilder("\"");
    int shown = 0;
    for (int i = 0; i < name.length() && shown < MAX_SHOWN; shown++) {
      int c = name.codePointAt(i);
      i += Character.charCount(c);
      switch (Character.getType(c)) {
        case Character.CONTROL,
            Character.FORMAT,
            Character.SURROGATE,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR ->
            out.append(String.format("\\u%04x", c));
        default -> out.appendCodePoint(c);
      }
    }
    out.append('"');
    return name.codePointCount(0, name.length()) > MAX_SHOWN
        ? out + "... (" + name.length() + " characters)"
        : out.toString();
  }

  /** Levenshtein's distance between the beginnings of two names. */
  static int distance(String a, String b) {
    String left = a.substring(0, Math.min(a.length(), MAX_SHOWN));
    String right = b.substring(0, Math.min(b.length(), MAX_SHOWN));
    int[] row = new int[right.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= left.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replace = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replace, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[right.length()];
  }
}
