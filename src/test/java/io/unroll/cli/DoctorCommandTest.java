package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
  @Test
  void showsTheMachineAndEveryBackend() {
    CommandRun run = CommandRun.of("doctor");
    assertEquals("", run.err());
    for (Backend.Availability found : Backend.list()) {
      String state = found.available() ? "available" : "unavailable";
      String line =
          run.out()
              .lines()
              .filter(l -> l.startsWith("  " + found.name() + " "))
              .findFirst()
              .orElseThrow();
      assertTrue(line.contains(" " + state + " ") && line.endsWith(found.detail()), line);
    }
    for (String word : new String[] {"Java", "System", "Cores", "Heap", Version.text()}) {
      assertTrue(run.out().contains(word), word + " in " + run.out());
    }
    boolean works = run.out().contains("--device best opens ");
    assertEquals(works ? 0 : 1, run.exit(), run.out());
    assertTrue(works || run.out().contains("--device best fails: "), run.out());
  }
}
