package io.unroll.examples.data;

import io.unroll.data.Vocabulary;
import io.unroll.nn.Indices;
import java.util.Arrays;
import java.util.Random;

/**
 * A batch of {@link Phrases} and their translations, time first. Where a row has ended, {@link
 * Indices#IGNORED} stands.
 *
 * @param phrases of what kind
 * @param sources the texts to translate
 * @param targets their translations
 */
public record Translations(Phrases phrases, String[] sources, String[] targets) {

  /** Things as chance has them, those of the seed, either unseen ones or others. */
  public static Translations draw(Phrases phrases, int count, long seed, boolean unseen) {
    Random random = new Random(seed);
    String[] sources = new String[count];
    String[] targets = new String[count];
    for (int i = 0; i < count; i++) {
      int number = phrases.draw(random, unseen);
      sources[i] = phrases.source(number, random);
      targets[i] = phrases.target(number);
    }
    return new Translations(phrases, sources, targets);
  }

  /** Those of one row alone. */
  public Translations row(int row) {
    String[] source = {sources[row]};
    String[] target = {targets[row]};
    return new Translations(phrases, source, target);
  }

  /** How many there are, B. */
  public int count() {
    return sources.length;
  }

  /** The token that stands before a translation. */
  public int start() {
    return phrases.targetSymbols().size();
  }

  /** The token that ends a translation. */
  public int end() {
    return start() + 1;
  }

  /** The lengths of the sources [B]. */
  public int[] sourceLengths() {
    return Arrays.stream(sources).mapToInt(String::length).toArray();
  }

  /** The sources [S,B], S that of the longest. */
  public int[] sourceTokens() {
    return columns(sources, longest(sources), phrases.sourceSymbols(), -1, -1);
  }

  /** What the decoder reads while it is taught [T,B]: the start, then all that it should write. */
  public int[] decoderTokens() {
    return columns(targets, longest(targets) + 1, phrases.targetSymbols(), start(), -1);
  }

  /** What it should write [T,B]: the translation, then the end. */
  public int[] targetTokens() {
    return columns(targets, longest(targets) + 1, phrases.targetSymbols(), -1, end());
  }

  /** The text of tokens that were written. */
  public String text(int[] tokens) {
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      // A network that has not learned yet may write the start token.
      text.append(token < start() ? phrases.targetSymbols().decode(token) : "?");
    }
    return text.toString();
  }

  private static int longest(String[] texts) {
    return Arrays.stream(texts).mapToInt(String::length).max().orElseThrow();
  }

  /** Tokens [steps,B], with one before or behind each text unless that is -1. */
  private static int[] columns(
      String[] texts, int steps, Vocabulary symbols, int before, int behind) {
    int[] tokens = new int[steps * texts.length];
    Arrays.fill(tokens, Indices.IGNORED);
    for (int b = 0; b < texts.length; b++) {
      int at = b;
      if (before >= 0) {
        tokens[at] = before;
        at += texts.length;
      }
      for (int id : symbols.encode(texts[b])) {
        tokens[at] = id;
        at += texts.length;
      }
      if (behind >= 0) {
        tokens[at] = behind;
      }
    }
    return tokens;
  }
}
