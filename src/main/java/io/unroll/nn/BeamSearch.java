package io.unroll.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Finds the sequences to which a model gives the largest probability, where the model tells the
 * probabilities of the next token after a beginning. On the host; the model may be on any device.
 *
 * <p>All beginnings of one length are continued together, and the best {@code width} of their
 * continuations are kept; with a width of as many as there are, nothing is missed. A beginning that
 * ends is taken out of the beam and makes room. The search stops when no beginning can become
 * better than what has been found: Huang, Zhao and Ma, "When to finish? Optimal beam search for
 * neural text generation", EMNLP 2017.
 */
public final class BeamSearch {
  /** The model: tells what may come next. */
  @FunctionalInterface
  public interface NextToken {
    /**
     * Continues some beginnings.
     *
     * @param parents for each beginning the row of the call before that it continues, by which the
     *     model chooses the states to go on from; in the first call its own number
     * @param tokens the last token of each beginning, the start token in the first call
     * @return [beginnings, classes], logits of the next token, not normalised; minus infinity for
     *     what must not come
     */
    float[] logits(int[] parents, int[] tokens);
  }

  /**
   * A sequence that was found.
   *
   * @param tokens what was written, without the start and the end token
   * @param logProbability the natural logarithm of its probability, of its end token too if it
   *     ended
   * @param score what it is ranked by: logProbability over the penalty of its length
   * @param ended whether the end token came, or else the sequence was cut off
   */
  public record Hypothesis(int[] tokens, double logProbability, double score, boolean ended) {}

  /** A beginning, or with its last token a candidate for one. */
  private record Beginning(Beginning before, int row, int token, double logProbability) {
    int[] tokens(int length) {
      int[] tokens = new int[length];
      Beginning at = this;
      for (int i = length - 1; i >= 0; i--) {
        tokens[i] = at.token;
        at = at.before;
      }
      return tokens;
    }
  }

  private static final Comparator<Beginning> BEST_FIRST =
      Comparator.comparingDouble((Beginning b) -> -b.logProbability)
          .thenComparingInt(Beginning::row)
          .thenComparingInt(Beginning::token);

  private final int start;
  private final int end;
  private final int width;
  private final int longest;
  private final double lengthPenalty;

  /**
   * A search without penalty of length.
   *
   * @param start the token that stands before a sequence
   * @param end the token that ends one
   * @param width how many beginnings are kept, at least 1
   * @param longest how many tokens are written at most, the end not counted; at least 1
   */
  public BeamSearch(int start, int end, int width, int longest) {
    this(start, end, width, longest, 0);
  }

  private BeamSearch(int start, int end, int width, int longest, double lengthPenalty) {
    if (width < 1 || longest < 1) {
      throw new IllegalArgumentException(
          "width and longest must be at least 1, but are " + width + " and " + longest);
    }
    if (!(lengthPenalty >= 0 && lengthPenalty < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the length penalty must be at least 0 and finite, but is " + lengthPenalty);
    }
    this.start = start;
    this.end = end;
    this.width = width;
    this.longest = longest;
    this.lengthPenalty = lengthPenalty;
  }

  /**
   * The same search with sequences ranked by logProbability / ((5 + length) / 6)^alpha, the end
   * counted in the length: Wu et al., "Google's neural machine translation system",
   * arXiv:1609.08144, 2016.
   *
   * @param alpha at least 0; 0 ranks by probability, which prefers short sequences; usual are 0.6
   *     to 1
   */
  public BeamSearch withLengthPenalty(double alpha) {
    return new BeamSearch(start, end, width, longest, alpha);
  }

  /**
   * Searches after one start token.
   *
   * @param model is called with one beginning first, then with up to width
   * @param count how many sequences are wanted, from 1 to width
   * @return the best first, those that ended before those that were cut off; fewer than count if
   *     the model allows fewer
   * @throws IllegalStateException if the model gives NaN
   */
  public List<Hypothesis> search(NextToken model, int count) {
    if (count < 1 || count > width) {
      throw new IllegalArgumentException(
          "count must be from 1 to the width " + width + ", but is " + count);
    }
    List<Hypothesis> found = new ArrayList<>();
    List<Beginning> live = List.of(new Beginning(null, 0, start, 0));
    for (int length = 0; !live.isEmpty(); length++) {
      List<Beginning> candidates = candidates(model, live);
      if (length == longest) {
        candidates.removeIf(candidate -> candidate.token != end);
      }
      List<Beginning> next = new ArrayList<>();
      for (Beginning candidate : candidates) {
        if (next.size() == width) {
          break;
        }
        if (candidate.token == end) {
          found.add(hypothesis(candidate.before, length, candidate.logProbability, true));
        } else {
          next.add(candidate);
        }
      }
      keepBest(found, count);
      if (length == longest) {
        for (int i = 0; i < live.size() && found.size() < count; i++) {
          found.add(hypothesis(live.get(i), length, live.get(i).logProbability, false));
        }
      }
      live = found.size() == count && isBeaten(next, found.get(count - 1)) ? List.of() : next;
    }
    return found;
  }

  /** The continuations of all beginnings that can be among the best, the best first. */
  private List<Beginning> candidates(NextToken model, List<Beginning> live) {
    int[] parents = new int[live.size()];
    int[] tokens = new int[live.size()];
    for (int row = 0; row < tokens.length; row++) {
      parents[row] = live.get(row).row;
      tokens[row] = live.get(row).token;
    }
    float[] logits = model.logits(parents, tokens);
    int classes = logits.length / tokens.length;
    List<Beginning> candidates = new ArrayList<>();
    for (int row = 0; row < tokens.length; row++) {
      double lse = logSumExp(logits, row * classes, classes);
      List<Beginning> ofRow = new ArrayList<>();
      for (int token = 0; token < classes; token++) {
        double p = live.get(row).logProbability + logits[row * classes + token] - lse;
        if (p > Double.NEGATIVE_INFINITY) {
          ofRow.add(new Beginning(live.get(row), row, token, p));
        }
      }
      ofRow.sort(BEST_FIRST);
      // The end may be one of them, and takes no place in the beam.
      candidates.addAll(ofRow.subList(0, Math.min(width + 1, ofRow.size())));
    }
    candidates.sort(BEST_FIRST);
    return candidates;
  }

  private static double logSumExp(float[] logits, int from, int count) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = from; i < from + count; i++) {
      largest = Math.max(largest, logits[i]);
    }
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += Math.exp(logits[i] - largest);
    }
    double lse = largest + Math.log(sum);
    if (Double.isNaN(lse)) {
      throw new IllegalStateException(
          "the model gives no probabilities: its logits from "
              + from
              + " on hold NaN, or no token is possible");
    }
    return lse;
  }

  private static void keepBest(List<Hypothesis> found, int count) {
    found.sort(Comparator.comparingDouble(hypothesis -> -hypothesis.score));
    while (found.size() > count) {
      found.remove(found.size() - 1);
    }
  }

  /** Whether no beginning can become better, even if all that it lacks were certain. */
  private boolean isBeaten(List<Beginning> live, Hypothesis worst) {
    return live.isEmpty() || live.get(0).logProbability / penalty(longest + 1) <= worst.score;
  }

  private double penalty(int length) {
    return Math.pow((5.0 + length) / 6, lengthPenalty);
  }

  private Hypothesis hypothesis(Beginning last, int length, double logP, boolean ended) {
    double score = logP / penalty(ended ? length + 1 : length);
    return new Hypothesis(last.tokens(length), logP, score, ended);
  }

  /**
   * Writes the most probable token after the other, for several rows at once; the lower one where
   * two are equal. What a search of width 1 without penalty finds.
   *
   * @param model is called with all rows every time, also with those that have ended
   * @param rows at least 1
   * @return for each row what was written before its end token, or was cut off
   * @throws IllegalStateException if the model gives NaN
   */
  public int[][] greedy(NextToken model, int rows) {
    int[][] written = new int[rows][longest];
    int[] lengths = new int[rows];
    int[] parents = new int[rows];
    int[] tokens = new int[rows];
    Arrays.fill(tokens, start);
    Arrays.setAll(parents, row -> row);
    boolean[] ended = new boolean[rows];
    int running = rows;
    for (int length = 0; length < longest && running > 0; length++) {
      float[] logits = model.logits(parents, tokens);
      int classes = logits.length / rows;
      for (int row = 0; row < rows; row++) {
        tokens[row] = largest(logits, row * classes, classes);
        if (!ended[row] && tokens[row] == end) {
          ended[row] = true;
          running--;
        } else if (!ended[row]) {
          written[row][lengths[row]++] = tokens[row];
        }
      }
    }
    for (int row = 0; row < rows; row++) {
      written[row] = Arrays.copyOf(written[row], lengths[row]);
    }
    return written;
  }

  private static int largest(float[] logits, int from, int count) {
    int best = 0;
    for (int c = 0; c < count; c++) {
      if (Float.isNaN(logits[from + c])) {
        throw new IllegalStateException("the model gives NaN for class " + c);
      }
      best = logits[from + c] > logits[from + best] ? c : best;
    }
    return best;
  }
}
