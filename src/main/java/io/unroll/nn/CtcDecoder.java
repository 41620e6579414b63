package io.unroll.nn;

import io.unroll.ShapeException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads labels out of frames, for a model that learned by {@link Losses#ctc(Tensor, Indices,
 * int[][])}. Works on the host, in float64.
 */
public final class CtcDecoder {
  private static final double IMPOSSIBLE = Double.NEGATIVE_INFINITY;

  private final int blank;

  /**
   * What a row may read as.
   *
   * @param labels without blanks
   * @param logProbability in nats, the sum over those alignments that the search has kept: of all
   *     if it was wide enough, else less
   */
  public record Reading(int[] labels, double logProbability) {}

  /**
   * @param blank the class that stands for no label, at least 0
   */
  public CtcDecoder(int blank) {
    if (blank < 0) {
      throw new IllegalArgumentException("the blank must be at least 0, but is " + blank);
    }
    this.blank = blank;
  }

  /**
   * Reads the most probable class of each frame, the first of equal ones, merges repeats and leaves
   * out blanks. That is the labels of the most probable alignment, which need not be the most
   * probable labels.
   *
   * @param logits [T,B,C], time first
   * @param lengths the number of frames of each row [B], each in [0, T], or null for T everywhere
   * @return the labels of each row [B][]
   * @throws ShapeException if logits is not [T,B,C] or lengths is not B
   * @throws IllegalArgumentException if a frame holds NaN or only infinities
   */
  public int[][] greedy(Tensor logits, int[] lengths) {
    return rows(logits, lengths).stream().map(this::mergedBest).toArray(int[][]::new);
  }

  /**
   * Looks for the most probable labels with a prefix beam search: beginnings of labels, each with
   * all its alignments so far, of which the most probable go on from frame to frame. Graves,
   * "Supervised sequence labelling with recurrent neural networks", 2012, section 7.5; Hannun et
   * al., arXiv:1408.2873. The time goes with T B C width.
   *
   * @param logits [T,B,C], time first
   * @param lengths the number of frames of each row [B], each in [0, T], or null for T everywhere
   * @param width how many beginnings go on, at least 1
   * @return up to width readings of each row, the most probable first
   * @throws ShapeException if logits is not [T,B,C] or lengths is not B
   * @throws IllegalArgumentException if width is below 1, or a frame holds NaN or only infinities
   */
  public List<List<Reading>> beam(Tensor logits, int[] lengths, int width) {
    if (width < 1) {
      throw new IllegalArgumentException("the width of a beam must be at least 1, but is " + width);
    }
    return rows(logits, lengths).stream().map(frames -> search(frames, width)).toList();
  }

  /** Log probabilities of the classes in the frames of each row. */
  private List<double[][]> rows(Tensor logits, int[] lengths) {
    int[] shape = logits.shape();
    if (shape.length != 3 || (lengths != null && lengths.length != shape[1])) {
      throw new ShapeException(
          "a CTC decoder needs logits [T,B,C] and as many lengths as rows, found "
              + logits
              + (lengths == null ? "" : " and " + lengths.length + " lengths"));
    }
    if (blank >= shape[2]) {
      throw new IllegalArgumentException(
          "the blank, %d, is none of the %d classes".formatted(blank, shape[2]));
    }
    double[] values = logits.toDoubles();
    List<double[][]> rows = new ArrayList<>();
    for (int b = 0; b < shape[1]; b++) {
      int frames = lengths == null ? shape[0] : lengths[b];
      if (frames < 0 || frames > shape[0]) {
        throw new IllegalArgumentException(
            "lengths[%d] must be from 0 to T = %d, but is %d".formatted(b, shape[0], frames));
      }
      double[][] row = new double[frames][];
      for (int t = 0; t < frames; t++) {
        row[t] = logSoftmax(values, (t * shape[1] + b) * shape[2], shape[2]);
        if (Double.isNaN(row[t][0])) {
          throw new IllegalArgumentException(
              "frame %d of row %d holds NaN, or no finite logit".formatted(t, b));
        }
      }
      rows.add(row);
    }
    return rows;
  }

  private static double[] logSoftmax(double[] values, int at, int classes) {
    double largest = IMPOSSIBLE;
    for (int c = 0; c < classes; c++) {
      largest = Math.max(largest, values[at + c]);
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp(values[at + c] - largest);
    }
    double[] result = new double[classes];
    for (int c = 0; c < classes; c++) {
      result[c] = values[at + c] - largest - Math.log(sum);
    }
    return result;
  }

  private int[] mergedBest(double[][] frames) {
    List<Integer> labels = new ArrayList<>();
    int before = blank;
    for (double[] frame : frames) {
      int best = 0;
      for (int c = 1; c < frame.length; c++) {
        best = frame[c] > frame[best] ? c : best;
      }
      if (best != blank && best != before) {
        labels.add(best);
      }
      before = best;
    }
    return labels.stream().mapToInt(Integer::intValue).toArray();
  }

  private List<Reading> search(double[][] frames, int width) {
    Prefix empty = new Prefix(null, blank);
    empty.endsInBlank = 0;
    List<Prefix> beam = List.of(empty);
    for (double[] frame : frames) {
      Set<Prefix> reached = new LinkedHashSet<>();
      for (Prefix prefix : beam) {
        extend(prefix, frame, reached);
      }
      reached.forEach(Prefix::advance);
      List<Prefix> sorted = new ArrayList<>(reached);
      sorted.sort(Comparator.comparingDouble(Prefix::logProbability).reversed());
      beam = sorted.subList(0, Math.min(width, sorted.size()));
      sorted.subList(beam.size(), sorted.size()).forEach(Prefix::forget);
    }
    return beam.stream().map(p -> new Reading(p.labels(), p.logProbability())).toList();
  }

  /**
   * Adds what a frame makes of a prefix: itself, by a blank or by its last label, and longer ones.
   */
  private void extend(Prefix prefix, double[] frame, Set<Prefix> reached) {
    double all = prefix.logProbability();
    prefix.nextInBlank = logAdd(prefix.nextInBlank, all + frame[blank]);
    if (prefix.parent != null) {
      prefix.nextInLabel = logAdd(prefix.nextInLabel, prefix.endsInLabel + frame[prefix.label]);
    }
    reached.add(prefix);
    for (int c = 0; c < frame.length; c++) {
      // The label that a prefix ends in comes again only after a blank.
      double from = c == prefix.label ? prefix.endsInBlank : all;
      if (c != blank && from + frame[c] > IMPOSSIBLE) {
        Prefix longer = prefix.with(c);
        longer.nextInLabel = logAdd(longer.nextInLabel, from + frame[c]);
        reached.add(longer);
      }
    }
  }

  private static double logAdd(double a, double b) {
    double larger = Math.max(a, b);
    return larger == IMPOSSIBLE ? larger : larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
  }

  /** The beginning of labels; there is one object for each, as long as others begin with it. */
  private static final class Prefix {
    final Prefix parent;
    final int label;
    final Map<Integer, Prefix> longer = new HashMap<>();

    /**
     * Log probabilities of the alignments so far, by what they end in, and after the next frame.
     */
    double endsInBlank = IMPOSSIBLE;

    double endsInLabel = IMPOSSIBLE;
    double nextInBlank = IMPOSSIBLE;
    double nextInLabel = IMPOSSIBLE;

    Prefix(Prefix parent, int label) {
      this.parent = parent;
      this.label = label;
    }

    Prefix with(int next) {
      return longer.computeIfAbsent(next, label -> new Prefix(this, label));
    }

    double logProbability() {
      return logAdd(endsInBlank, endsInLabel);
    }

    void advance() {
      endsInBlank = nextInBlank;
      endsInLabel = nextInLabel;
      nextInBlank = IMPOSSIBLE;
      nextInLabel = IMPOSSIBLE;
    }

    /** It does not go on; longer ones that do still know it. */
    void forget() {
      endsInBlank = IMPOSSIBLE;
      endsInLabel = IMPOSSIBLE;
    }

    int[] labels() {
      int count = 0;
      for (Prefix each = this; each.parent != null; each = each.parent) {
        count++;
      }
      int[] labels = new int[count];
      for (Prefix each = this; each.parent != null; each = each.parent) {
        labels[--count] = each.label;
      }
      return labels;
    }
  }
}
