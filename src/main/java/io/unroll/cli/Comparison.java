package io.unroll.cli;

import io.unroll.cli.BenchFiles.Case;
import io.unroll.cli.BenchFiles.Pass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Two sides of measurements, case by case. The i-th pass of a case on side A and the i-th on side B
 * are a pair, by their dates; {@link RatioInterval} says what follows from the pairs.
 */
final class Comparison {
  /**
   * A case that both sides have.
   *
   * @param name what was timed
   * @param unit of the medians
   * @param a the median of all passes of A
   * @param b the median of all passes of B
   * @param ratio so many times the time of A takes B; for a rate A's figure over B's
   * @param inTurns whether A and B took turns; if not, the interval has been widened
   * @param verdict of RatioInterval
   */
  record Row(
      String name,
      String unit,
      double a,
      double b,
      RatioInterval ratio,
      boolean inTurns,
      String verdict) {}

  /**
   * What could not be compared, or not wholly.
   *
   * @param name what was timed
   * @param what is amiss
   * @param worse whether B fails where A did not
   */
  record Gap(String name, String what, boolean worse) {
    @Override
    public String toString() {
      return name + " " + what;
    }
  }

  private final double limit;
  private final double drift;
  private final List<Row> rows = new ArrayList<>();
  private final List<Gap> gaps = new ArrayList<>();
  private final Set<String> differing = new LinkedHashSet<>();

  /**
   * Compares.
   *
   * @param threshold the share from which a difference matters, such as 0.05
   * @param drift by what share the machine may have changed between sides that took no turns
   */
  Comparison(BenchFiles a, BenchFiles b, double threshold, double drift) {
    this.limit = 1 + threshold;
    this.drift = 1 + drift;
    Set<String> names = new LinkedHashSet<>(a.cases().keySet());
    names.addAll(b.cases().keySet());
    Case none = new Case(List.of(), List.of());
    for (String name : names) {
      add(name, a.cases().getOrDefault(name, none), b.cases().getOrDefault(name, none));
    }
  }

  List<Row> rows() {
    return rows;
  }

  List<Gap> gaps() {
    return gaps;
  }

  /** What besides the program differs between the passes of a case, in words. */
  Set<String> differing() {
    return differing;
  }

  long count(String verdict) {
    return rows.stream().filter(row -> row.verdict().equals(verdict)).count();
  }

  /** Whether nothing is slower in B, or fails there only. */
  boolean passes() {
    return count("slower") == 0 && gaps.stream().noneMatch(Gap::worse);
  }

  private void add(String name, Case a, Case b) {
    addErrors(name, a, b);
    if (a.passes().isEmpty() || b.passes().isEmpty()) {
      if (!a.passes().isEmpty() || !b.passes().isEmpty()) {
        gaps.add(new Gap(name, "has figures only in " + (b.passes().isEmpty() ? "A" : "B"), false));
      }
      return;
    }
    String unitA = a.passes().get(0).unit();
    String unitB = b.passes().get(0).unit();
    if (!unitA.equals(unitB)) {
      gaps.add(new Gap(name, "is in " + unitA + " in A, but in " + unitB + " in B", false));
      return;
    }
    for (String field : Provenance.SURROUNDINGS) {
      Set<String> inA = a.values(field);
      Set<String> inB = b.values(field);
      if (inA.size() > 1 || !inA.equals(inB)) {
        differing.add(field + " is " + said(inA) + " in A, but " + said(inB) + " in B");
      }
    }
    rows.add(compare(name, a.passes(), b.passes()));
  }

  private static String said(Set<String> values) {
    return "\"" + String.join("\" or \"", values) + "\"";
  }

  private void addErrors(String name, Case a, Case b) {
    if (!b.errors().isEmpty()) {
      boolean worse = a.errors().isEmpty() && !a.passes().isEmpty();
      gaps.add(new Gap(name, "fails in B: " + b.errors().get(0), worse));
    }
    if (!a.errors().isEmpty()) {
      gaps.add(new Gap(name, "fails in A: " + a.errors().get(0), false));
    }
  }

  private Row compare(String name, List<Pass> a, List<Pass> b) {
    int pairs = Math.min(a.size(), b.size());
    boolean rate = a.get(0).isRate();
    double[] ratios = new double[pairs];
    for (int i = 0; i < pairs; i++) {
      double ratio = b.get(i).figure() / a.get(i).figure();
      ratios[i] = rate ? 1 / ratio : ratio;
    }
    Arrays.sort(ratios);
    boolean inTurns = inTurns(a.subList(0, pairs), b.subList(0, pairs));
    RatioInterval interval = RatioInterval.of(ratios);
    if (!inTurns) {
      interval = interval.widened(drift);
    }
    return new Row(
        name, a.get(0).unit(), median(a), median(b), interval, inTurns, interval.verdict(limit));
  }

  /** Whether each pair was measured before the next one began. */
  private static boolean inTurns(List<Pass> a, List<Pass> b) {
    List<Pass> all =
        Stream.concat(a.stream(), b.stream()).sorted(Comparator.comparing(Pass::date)).toList();
    for (int i = 0; i < a.size(); i++) {
      List<Pass> pair = all.subList(2 * i, 2 * i + 2);
      if (!pair.contains(a.get(i)) || !pair.contains(b.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static double median(List<Pass> passes) {
    double[] sorted = passes.stream().mapToDouble(Pass::figure).sorted().toArray();
    return Spread.quantile(sorted, 0.5);
  }
}
