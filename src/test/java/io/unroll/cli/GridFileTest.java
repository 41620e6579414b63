package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** {@code benchmarks/grid.txt}, and that {@code benchmarks/grid.py} reads the same from it. */
class GridFileTest {
  private static final Path GRID = Path.of("benchmarks", "grid.txt");

  /** What the script says of each case: as this test does. */
  private static final String SCRIPT =
      """
      import sys
      sys.path.insert(0, "benchmarks")
      import grid
      for case in grid.read("benchmarks/grid.txt"):
          print(case.cell, *case.shape, case.layers, case.direction, case.lengths, case.mode,
                ",".join(case.precisions), ",".join(case.sets),
                "%.0f %.0f" % (grid.operations(case), grid.least_bytes(case)), sep=" ")
      """;

  private static String describe(GridFile.Entry entry) {
    BenchCase what = entry.what();
    return String.join(
        " ",
        what.cell().name(),
        what.shape().toString().replace(',', ' '),
        Integer.toString(what.layers()),
        what.bidirectional() ? "both" : "one",
        what.ragged() ? "ragged" : "full",
        what.modeName(),
        String.join(",", entry.precisions()),
        String.join(",", entry.sets()),
        String.format(Locale.ROOT, "%.0f %.0f", what.operations(), what.leastBytes()));
  }

  @Test
  void theScriptsReadTheSame() throws IOException, InterruptedException {
    Process script;
    try {
      script = new ProcessBuilder("python3", "-c", SCRIPT).redirectErrorStream(true).start();
    } catch (IOException e) {
      Assumptions.abort("python3 is not there: " + e.getMessage());
      return;
    }
    String said = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, script.waitFor(), said);
    List<String> ours =
        GridFile.read(GRID).entries(List.of()).stream().map(GridFileTest::describe).toList();
    assertEquals(String.join("\n", ours), said.strip());
  }

  @Test
  void theGridHasAwkwardSizesAndEveryKind() throws IOException {
    List<BenchCase> all =
        GridFile.read(GRID).entries(List.of()).stream().map(GridFile.Entry::what).toList();
    for (int hidden : new int[] {129, 160, 200, 650}) {
      assertTrue(all.stream().anyMatch(c -> c.shape().hiddenSize() == hidden), "H=" + hidden);
    }
    for (int batch : new int[] {1, 3, 7, 33}) {
      assertTrue(all.stream().anyMatch(c -> c.shape().batch() == batch), "B=" + batch);
    }
    assertTrue(all.stream().anyMatch(c -> c.layers() > 1 && c.bidirectional() && c.ragged()));
    for (BenchCase.Mode mode : BenchCase.Mode.values()) {
      assertTrue(all.stream().anyMatch(c -> c.mode() == mode), mode::toString);
    }
    assertEquals(all.size(), Set.copyOf(all).size());
  }
}
