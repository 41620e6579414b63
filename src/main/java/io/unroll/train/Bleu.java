package io.unroll.train;

import io.unroll.ShapeException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * BLEU of a corpus: Papineni et al., ACL 2002, as sacreBLEU defines it (Post, "A call for clarity",
 * WMT 2018; signature {@code nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp}), so that figures can be
 * compared with published ones. The tests hold it against what sacreBLEU 2.x gives. Java libraries
 * that have BLEU split text in their own ways, which makes other figures, and weigh far more.
 *
 * @param score from 0 to 100
 * @param precisions of 1 to 4 tokens in a row, from 0 to 100, smoothed
 * @param brevityPenalty 1 unless the hypotheses are shorter than the references
 */
public record Bleu(double score, double[] precisions, double brevityPenalty) {
  private static final int ORDERS = 4;
  private static final Pattern PUNCTUATION = Pattern.compile("([{-~\\[-` -&(-+:-@/])");
  private static final Pattern AFTER_NO_DIGIT = Pattern.compile("([^0-9])([.,])");
  private static final Pattern BEFORE_NO_DIGIT = Pattern.compile("([.,])([^0-9])");
  private static final Pattern DASH_AFTER_DIGIT = Pattern.compile("([0-9])(-)");

  /**
   * Compares translations with one reference each.
   *
   * @param hypotheses what a model wrote
   * @param references what was wanted, for each hypothesis
   * @throws ShapeException if the lists have different lengths
   */
  public static Bleu of(List<String> hypotheses, List<String> references) {
    if (hypotheses.size() != references.size()) {
      throw new ShapeException(
          "BLEU needs a reference for each of "
              + hypotheses.size()
              + " hypotheses, but there are "
              + references.size());
    }
    long[] matches = new long[ORDERS];
    long[] totals = new long[ORDERS];
    long written = 0;
    long wanted = 0;
    for (int i = 0; i < hypotheses.size(); i++) {
      List<String> hypothesis = tokens(hypotheses.get(i));
      List<String> reference = tokens(references.get(i));
      written += hypothesis.size();
      wanted += reference.size();
      for (int n = 1; n <= ORDERS; n++) {
        Map<List<String>, Integer> there = counts(reference, n);
        for (Map.Entry<List<String>, Integer> entry : counts(hypothesis, n).entrySet()) {
          totals[n - 1] += entry.getValue();
          matches[n - 1] += Math.min(entry.getValue(), there.getOrDefault(entry.getKey(), 0));
        }
      }
    }
    double penalty =
        written >= wanted ? 1 : written == 0 ? 0 : Math.exp(1 - (double) wanted / written);
    return of(matches, totals, penalty);
  }

  private static Bleu of(long[] matches, long[] totals, double penalty) {
    double[] precisions = new double[ORDERS];
    if (Arrays.stream(matches).sum() == 0) {
      return new Bleu(0, precisions, penalty);
    }
    double logs = 0;
    double smoothing = 1;
    for (int n = 0; n < ORDERS; n++) {
      if (totals[n] > 0) {
        smoothing *= matches[n] == 0 ? 2 : 1;
        precisions[n] = 100 * (matches[n] == 0 ? 1 / smoothing : matches[n]) / totals[n];
      }
      logs += Math.log(precisions[n]);
    }
    return new Bleu(penalty * Math.exp(logs / ORDERS), precisions, penalty);
  }

  private static Map<List<String>, Integer> counts(List<String> tokens, int n) {
    Map<List<String>, Integer> counts = new HashMap<>();
    for (int i = 0; i + n <= tokens.size(); i++) {
      counts.merge(tokens.subList(i, i + n), 1, Integer::sum);
    }
    return counts;
  }

  /** The tokens of mteval-v13a, which WMT's evaluations use. */
  static List<String> tokens(String text) {
    String line = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ");
    line =
        line.replace("&quot;", "\"")
            .replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
    line = PUNCTUATION.matcher(" " + line + " ").replaceAll(" $1 ");
    line = AFTER_NO_DIGIT.matcher(line).replaceAll("$1 $2 ");
    line = BEFORE_NO_DIGIT.matcher(line).replaceAll(" $1 $2");
    line = DASH_AFTER_DIGIT.matcher(line).replaceAll("$1 $2 ").strip();
    return line.isEmpty() ? List.of() : List.of(line.split("\\s+"));
  }
}
