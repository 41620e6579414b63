package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsTest {
  @TempDir Path folder;

  private static Metrics.Line line(long step) {
    return new Metrics.Line(step, 0.5, 2.5, step % 2 == 0 ? 3.0 : null, 0.01, 1000, step * 1.5);
  }

  private static List<Long> steps(Metrics metrics) {
    return metrics.lines().stream().map(Metrics.Line::step).toList();
  }

  @Test
  void linesBehindTheCheckpointAndHalfALineAreDropped() throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    Metrics metrics = new Metrics(file, 0);
    for (long step = 1; step <= 5; step++) {
      metrics.add(line(step));
    }
    Files.writeString(file, "{\"step\":6,\"lo", StandardOpenOption.APPEND);
    Metrics resumed = new Metrics(file, 3);
    assertEquals(List.of(1L, 2L, 3L), steps(resumed));
    assertEquals(4.5, resumed.seconds());
    resumed.add(line(4));
    assertEquals(List.of(line(1), line(2), line(3), line(4)), new Metrics(file, 9).lines());
  }
}
