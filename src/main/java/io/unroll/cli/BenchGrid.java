package io.unroll.cli;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.unroll.CellSpec;
import io.unroll.DeviceException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.TypeConversionException;

/** Many cases one after the other on one open device, within a time. */
final class BenchGrid {
  /** Warming up takes half as long as timing does. */
  private static final double WHOLE = 1.5;

  private static final double NANOS = 1e9;

  private final List<BenchCase> cases;

  private BenchGrid(List<BenchCase> cases) {
    this.cases = cases;
  }

  /**
   * Reads a file such as {@code benchmarks/grid.txt}: in each line cells, with commas between them,
   * and a shape T,B,I,H; both modes of each. What begins with {@code #} says nothing.
   *
   * @throws InputException if a line is not of that form, or there is none
   */
  static BenchGrid read(Path file) throws IOException {
    List<BenchCase> cases = new ArrayList<>();
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      try {
        addLine(line, cases);
      } catch (IllegalArgumentException | TypeConversionException e) {
        throw new InputException(file + ", line " + (i + 1) + ": " + e.getMessage());
      }
    }
    if (cases.isEmpty()) {
      throw new InputException(file + " has no line such as \"gru,lstm 64,32,512,512\"");
    }
    return new BenchGrid(cases);
  }

  private static void addLine(String line, List<BenchCase> cases) {
    String[] words = line.split("\\s+", -1);
    if (words.length != 2) {
      throw new IllegalArgumentException(
          "must be cells and a shape, such as \"gru,lstm 64,32,512,512\", but is \"" + line + "\"");
    }
    Shape shape = new Shape.Converter().convert(words[1]);
    for (String cell : words[0].split(",", -1)) {
      for (RecurrentBench.Mode mode : RecurrentBench.Mode.values()) {
        cases.add(new BenchCase(CellSpec.of(cell), shape, 1, mode));
      }
    }
  }

  /**
   * Prints a line of JSON for each case as soon as it is there. A case that fails has {@code error}
   * in place of its times, one for which no time is left {@code skipped}.
   *
   * @param most seconds to time a case; less where the budget is short
   * @param budget seconds for all
   * @return how many failed
   */
  int run(Provenance provenance, double most, double budget, PrintWriter out) {
    Gson gson = new Gson();
    long begun = System.nanoTime();
    int failures = 0;
    for (int i = 0; i < cases.size(); i++) {
      BenchCase next = cases.get(i);
      JsonObject line = next.describe(provenance);
      double left = budget - (System.nanoTime() - begun) / NANOS;
      if (left <= 0) {
        line.addProperty("skipped", "the budget of " + budget + " s was spent");
      } else {
        double seconds = Math.min(most, left / (cases.size() - i) / WHOLE);
        try (RecurrentBench bench = new RecurrentBench(provenance.backend(), next)) {
          next.addTimes(line, bench.measure(seconds));
        } catch (DeviceException | WorkFailedException e) {
          line.addProperty("error", e.getMessage());
          failures++;
        }
      }
      out.println(gson.toJson(line));
      out.flush();
    }
    return failures;
  }
}
