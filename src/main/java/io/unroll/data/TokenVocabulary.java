package io.unroll.data;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The frequent tokens of a text, numbered by how often they occur. What is cut off and what was
 * never seen is read as {@link #UNKNOWN}, so any text can be read. Immutable; equal if the tokens
 * and the way of splitting are.
 *
 * <p>{@link Vocabulary} is the other one: characters, all of them, and an unknown one is an error.
 */
public final class TokenVocabulary {
  /** The id of every token that is not in the vocabulary; {@code <unk>} in text. */
  public static final int UNKNOWN = 0;

  /** The id of what stands before a sentence; {@code <s>} in text. */
  public static final int BEGIN = 1;

  /** The id of what stands behind a sentence; {@code </s>} in text. */
  public static final int END = 2;

  private static final List<String> SPECIAL = List.of("<unk>", "<s>", "</s>");

  /** What is one token of a text. */
  public enum Splitting {
    /** What stands between white space, as it is: for text that was split before. */
    SPACES(" "),
    /**
     * In lower case: letters and digits in a row, an apostrophe between them included; and each
     * other character that is no white space by itself.
     */
    WORDS(" "),
    /** Each code point. */
    CHARACTERS("");

    private final String between;

    Splitting(String between) {
      this.between = between;
    }

    /** The tokens of a text in their order. */
    public List<String> split(CharSequence text) {
      List<String> tokens = new ArrayList<>();
      switch (this) {
        case SPACES -> {
          for (String token : text.toString().strip().split("\\s+")) {
            if (!token.isEmpty()) {
              tokens.add(token);
            }
          }
        }
        case WORDS -> splitWords(text.toString().toLowerCase(Locale.ROOT), tokens);
        case CHARACTERS -> text.codePoints().mapToObj(Character::toString).forEach(tokens::add);
      }
      return tokens;
    }

    private static void splitWords(String text, List<String> tokens) {
      int at = 0;
      while (at < text.length()) {
        int end = at + Character.charCount(text.codePointAt(at));
        while (isWord(text, at) && end < text.length() && continues(text, end)) {
          end += Character.charCount(text.codePointAt(end));
        }
        if (!Character.isWhitespace(text.codePointAt(at))) {
          tokens.add(text.substring(at, end));
        }
        at = end;
      }
    }

    /** Whether the character there goes on with the word before it. */
    private static boolean continues(String text, int at) {
      char c = text.charAt(at);
      boolean apostrophe = c == '\'' || c == '\u2019';
      return isWord(text, at) || (apostrophe && at + 1 < text.length() && isWord(text, at + 1));
    }

    private static boolean isWord(String text, int at) {
      int c = text.codePointAt(at);
      return Character.isLetterOrDigit(c) || Character.getType(c) == Character.NON_SPACING_MARK;
    }
  }

  /** Counts the tokens of texts that go by one at a time; none is kept. */
  public static final class Counter {
    private final Splitting splitting;
    private final Map<String, Long> counts = new HashMap<>();

    private Counter(Splitting splitting) {
      this.splitting = splitting;
    }

    /** Counts the tokens of a text. */
    public Counter add(CharSequence text) {
      splitting.split(text).forEach(token -> counts.merge(token, 1L, Long::sum));
      return this;
    }

    /**
     * The vocabulary of the most frequent tokens; of two that occur equally often, the one that
     * comes first as a string.
     *
     * @param atMost tokens to keep, the three special ones included; at least 4
     * @param atLeast how often a token must occur to be kept; 1 for any
     * @throws IllegalArgumentException if atMost is below 4, or no token is left
     */
    public TokenVocabulary vocabulary(int atMost, long atLeast) {
      if (atMost <= SPECIAL.size()) {
        throw new IllegalArgumentException(
            "a vocabulary holds "
                + SPECIAL
                + " and what was counted, so at least 4 tokens, but at most "
                + atMost
                + " were asked for");
      }
      List<String> tokens = new ArrayList<>(SPECIAL);
      counts.entrySet().stream()
          .filter(e -> e.getValue() >= atLeast && !SPECIAL.contains(e.getKey()))
          .sorted(
              Comparator.comparing((Map.Entry<String, Long> e) -> -e.getValue())
                  .thenComparing(Map.Entry::getKey))
          .limit(atMost - SPECIAL.size())
          .forEach(e -> tokens.add(e.getKey()));
      if (tokens.size() == SPECIAL.size()) {
        throw new IllegalArgumentException(
            "none of the "
                + counts.size()
                + " tokens counted occurs "
                + atLeast
                + " times. Count more text, or ask for fewer times.");
      }
      return new TokenVocabulary(splitting, tokens);
    }
  }

  private final Splitting splitting;
  private final List<String> tokens;
  private final Map<String, Integer> ids = new HashMap<>();

  private TokenVocabulary(Splitting splitting, List<String> tokens) {
    this.splitting = splitting;
    this.tokens = Collections.unmodifiableList(tokens);
    for (String token : tokens) {
      ids.put(token, ids.size());
    }
  }

  /** Begins to count. */
  public static Counter counter(Splitting splitting) {
    return new Counter(splitting);
  }

  /**
   * The vocabulary that {@link #splitting} and {@link #tokens} described.
   *
   * @throws IllegalArgumentException if the tokens do not begin with the special ones, or one
   *     occurs twice; ids would then change their meaning
   */
  public static TokenVocabulary of(Splitting splitting, List<String> tokens) {
    if (tokens.size() <= SPECIAL.size() || !tokens.subList(0, SPECIAL.size()).equals(SPECIAL)) {
      throw new IllegalArgumentException(
          "the tokens of a vocabulary begin with "
              + SPECIAL
              + " and have others behind, but are "
              + tokens.subList(0, Math.min(tokens.size(), 4))
              + (tokens.size() > 4 ? " and so on" : ""));
    }
    TokenVocabulary vocabulary = new TokenVocabulary(splitting, List.copyOf(tokens));
    if (vocabulary.ids.size() != tokens.size()) {
      throw new IllegalArgumentException(
          "the tokens of a vocabulary must be distinct, but of "
              + tokens.size()
              + " only "
              + vocabulary.ids.size()
              + " are");
    }
    return vocabulary;
  }

  /** How it splits a text. */
  public Splitting splitting() {
    return splitting;
  }

  /** All tokens in the order of their ids. */
  public List<String> tokens() {
    return tokens;
  }

  /** The number of tokens; ids are smaller. */
  public int size() {
    return tokens.size();
  }

  /** The id of a token, {@link #UNKNOWN} if it has none. */
  public int id(String token) {
    return ids.getOrDefault(token, UNKNOWN);
  }

  /** The ids of the tokens of a text; none for an empty text. */
  public int[] encode(CharSequence text) {
    return splitting.split(text).stream().mapToInt(this::id).toArray();
  }

  /** As {@link #encode}, with {@link #BEGIN} before it and {@link #END} behind it. */
  public int[] encodeSentence(CharSequence text) {
    int[] inner = encode(text);
    int[] all = new int[inner.length + 2];
    all[0] = BEGIN;
    System.arraycopy(inner, 0, all, 1, inner.length);
    all[all.length - 1] = END;
    return all;
  }

  /**
   * The token with that id.
   *
   * @throws IllegalArgumentException if id is not in [0, size())
   */
  public String decode(int id) {
    if (id < 0 || id >= tokens.size()) {
      throw new IllegalArgumentException(
          "id " + id + " is no token: this vocabulary has ids from 0 to " + (size() - 1));
    }
    return tokens.get(id);
  }

  /**
   * The tokens with those ids, with spaces between them unless they are characters. {@link #BEGIN}
   * and {@link #END} are left out.
   *
   * @throws IllegalArgumentException if one is not in [0, size())
   */
  public String decode(int[] many) {
    List<String> text = new ArrayList<>();
    for (int id : many) {
      String token = decode(id);
      if (id != BEGIN && id != END) {
        text.add(token);
      }
    }
    return String.join(splitting.between, text);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenVocabulary that
        && splitting == that.splitting
        && tokens.equals(that.tokens);
  }

  @Override
  public int hashCode() {
    return 31 * splitting.hashCode() + tokens.hashCode();
  }

  /** How many tokens there are and the first of them, for people. */
  @Override
  public String toString() {
    return size() + " " + splitting + " " + tokens.subList(0, Math.min(size(), 12));
  }
}
