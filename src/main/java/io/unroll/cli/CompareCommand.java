package io.unroll.cli;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.unroll.cli.Comparison.Gap;
import io.unroll.cli.Comparison.Row;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tells from two sides of measurements what became slower. */
@Command(
    name = "compare",
    description = {
      "Tells from two sides of measurements what became slower.",
      "",
      "Each side is a file of lines that \"unroll bench\" printed with --json or --grid, or several"
          + " with commas between them. A line is a pass: its median counts. The i-th pass of a"
          + " case in A is paired with the i-th in B, in the order of their dates.",
      "",
      "B/A is the median of the pairs' ratios; above 1, B is slower, and rates are turned over. The"
          + " interval has that median with 95 %% at least. A case is slower, faster or same if its"
          + " whole interval lies above, below or within the threshold, else uncertain.",
      "",
      "Let A and B take turns, a process for each pass: machines drift. Six pairs are the fewest"
          + " that have an interval; nine bear a disturbed one. Sides that took no turns are"
          + " compared with intervals widened by --drift.",
      "",
      "Ends with 1 if something is slower in B, or fails there only."
    },
    footer = {
      "  for i in 1 2 3 4 5 6 7 8 9; do",
      "    java -jar a.jar bench --json >> a.jsonl",
      "    java -jar b.jar bench --json >> b.jsonl",
      "  done",
      "  unroll bench compare a.jsonl b.jsonl",
      "  unroll bench compare a1.jsonl,a2.jsonl b.jsonl --threshold 10 --json"
    })
final class CompareCommand implements Callable<Integer> {
  private static final double PERCENT = 100;

  @Parameters(
      index = "0",
      arity = "1",
      split = ",",
      paramLabel = "A",
      description = "What to compare with, such as the program before a change (no default).")
  List<Path> a;

  @Parameters(
      index = "1",
      arity = "1",
      split = ",",
      paramLabel = "B",
      description = "What may have become slower (no default).")
  List<Path> b;

  @Option(
      names = "--threshold",
      paramLabel = "PERCENT",
      defaultValue = "5",
      description = "A smaller difference does not matter (default: ${DEFAULT-VALUE}).")
  double threshold;

  @Option(
      names = "--drift",
      paramLabel = "PERCENT",
      defaultValue = "30",
      description =
          "How much the machine may have changed between sides that took no turns (default:"
              + " ${DEFAULT-VALUE}).")
  double drift;

  @Option(names = "--json", description = "Print one line of JSON and nothing else.")
  boolean json;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    requireShare("--threshold", threshold);
    requireShare("--drift", drift);
    BenchFiles first = BenchFiles.read(a);
    BenchFiles second = BenchFiles.read(b);
    Comparison found = new Comparison(first, second, threshold / PERCENT, drift / PERCENT);
    if (found.rows().isEmpty() && found.passes()) {
      throw new InputException(
          names(a)
              + " and "
              + names(b)
              + " have figures of no case in common"
              + (found.gaps().isEmpty() ? "" : "; " + found.gaps().get(0)));
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(new Gson().toJson(asJson(found)));
    } else {
      print(out, "A", a, first.builds());
      print(out, "B", b, second.builds());
      print(out, found);
    }
    return found.passes() ? 0 : 1;
  }

  private static void requireShare(String name, double percent) {
    if (!(percent >= 0 && percent <= 1000)) {
      throw new InputException(name + " must be from 0 to 1000 percent, but is " + percent);
    }
  }

  private static String names(List<Path> files) {
    return String.join(", ", files.stream().map(Path::toString).toList());
  }

  private static void print(PrintWriter out, String side, List<Path> files, Set<String> builds) {
    out.println(side + ": " + names(files) + ", Unroll " + String.join(" | ", builds));
  }

  private void print(PrintWriter out, Comparison found) {
    found.differing().forEach(difference -> warn(out, difference));
    long apart = found.rows().stream().filter(row -> !row.inTurns()).count();
    if (apart > 0) {
      warn(
          out,
          String.format(
              Locale.ROOT,
              "in %d of %d cases A and B took no turns; intervals are widened by %.3g %%: --drift",
              apart,
              found.rows().size(),
              drift));
    }
    int width = found.rows().stream().mapToInt(row -> row.name().length()).max().orElse(4);
    String head = "%n%-" + width + "s %11s %11s         %6s  %-16s %5s  %s%n";
    out.printf(head, "case", "A", "B", "B/A", "95 % interval", "pairs", "");
    for (Row row : found.rows()) {
      print(out, row, width);
    }
    for (Gap gap : found.gaps()) {
      out.println(gap);
    }
    out.println();
    for (String verdict : List.of("slower", "faster", "same", "uncertain")) {
      out.print(found.count(verdict) + " " + verdict + (verdict.equals("uncertain") ? "" : ", "));
    }
    out.printf(Locale.ROOT, "; a difference counts from %.3g %% on%n", threshold);
  }

  private void warn(PrintWriter out, String what) {
    out.println(styled("@|bold,yellow WARNING:|@ ") + what);
  }

  private void print(PrintWriter out, Row row, int width) {
    RatioInterval ratio = row.ratio();
    boolean none = ratio.low() == 0;
    String style =
        switch (row.verdict()) {
          case "slower" -> "red";
          case "faster", "same" -> "green";
          default -> "yellow";
        };
    out.printf(
        Locale.ROOT,
        "%-" + width + "s %,11.4g %,11.4g %-7s %6.3f  %-16s %5d  %s%s%n",
        row.name(),
        row.a(),
        row.b(),
        row.unit(),
        ratio.median(),
        none ? "" : String.format(Locale.ROOT, "%.3f to %.3f", ratio.low(), ratio.high()),
        ratio.pairs(),
        styled("@|" + style + " " + row.verdict() + "|@"),
        none ? ": needs " + RatioInterval.MIN_PAIRS + " pairs" : "");
  }

  private String styled(String markup) {
    return spec.commandLine().getColorScheme().ansi().string(markup);
  }

  private JsonObject asJson(Comparison found) {
    JsonObject all = new JsonObject();
    all.add("a", array(a.stream().map(Path::toString).toList()));
    all.add("b", array(b.stream().map(Path::toString).toList()));
    all.addProperty("threshold_percent", threshold);
    all.addProperty("drift_percent", drift);
    all.addProperty("confidence_percent", RatioInterval.CONFIDENCE);
    for (String verdict : List.of("slower", "faster", "same", "uncertain")) {
      all.addProperty(verdict, found.count(verdict));
    }
    all.add("warnings", array(found.differing()));
    JsonArray rows = new JsonArray();
    found.rows().forEach(row -> rows.add(asJson(row)));
    all.add("rows", rows);
    JsonArray gaps = new JsonArray();
    for (Gap gap : found.gaps()) {
      JsonObject line = new JsonObject();
      line.addProperty("case", gap.name());
      line.addProperty("what", gap.what());
      line.addProperty("worse", gap.worse());
      gaps.add(line);
    }
    all.add("gaps", gaps);
    return all;
  }

  private static JsonArray array(Iterable<String> values) {
    JsonArray array = new JsonArray();
    values.forEach(array::add);
    return array;
  }

  private static JsonObject asJson(Row row) {
    JsonObject line = new JsonObject();
    line.addProperty("case", row.name());
    line.addProperty("unit", row.unit());
    line.addProperty("a", row.a());
    line.addProperty("b", row.b());
    line.addProperty("ratio", row.ratio().median());
    if (row.ratio().low() > 0) {
      line.addProperty("low", row.ratio().low());
      line.addProperty("high", row.ratio().high());
    }
    line.addProperty("pairs", row.ratio().pairs());
    line.addProperty("in_turns", row.inTurns());
    line.addProperty("verdict", row.verdict());
    return line;
  }
}
