package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.unroll.Backend;
import io.unroll.device.DeviceCeilings;
import io.unroll.device.DeviceCeilings.Outcome;
import io.unroll.device.DeviceCeilings.Row;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class CeilingsTableTest {
  private static final DeviceCeilings TWO =
      new DeviceCeilings() {
        @Override
        public void measure(double seconds, Predicate<String> wanted, Consumer<Row> each) {
          each.accept(
              new Row("copy", "kernel", "GB/s", List.of(1.0, 2.0, 4.0), Outcome.MEASURED, null));
          each.accept(new Row("flags", "2 blocks", "", List.of(), Outcome.FAILED, "a stale word"));
        }

        @Override
        public String caution() {
          return null;
        }
      };

  @Test
  void aLineOfJsonSaysWhereItComesFrom() {
    StringWriter text = new StringWriter();
    try (Backend backend = Backend.open("reference")) {
      Provenance provenance = new Provenance(backend, 2, List.of("--ceilings", "--json"));
      PrintWriter out = new PrintWriter(text, true);
      assertEquals(1, new CeilingsTable(provenance, TWO, out, true).print(0, name -> true));
    }
    List<JsonObject> lines =
        text.toString()
            .lines()
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .toList();
    assertEquals(2, lines.size());
    assertEquals(2, lines.get(0).get("median").getAsDouble());
    assertEquals("a stale word", lines.get(1).get("why").getAsString());
    for (JsonObject line : lines) {
      assertEquals("reference", line.get("device").getAsString());
      assertEquals("--ceilings --json", line.get("flags").getAsString());
      assertTrue(line.keySet().containsAll(Provenance.SURROUNDINGS), line::toString);
    }
  }
}
