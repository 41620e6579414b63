package io.unroll.cli;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.unroll.device.DeviceCeilings;
import io.unroll.device.DeviceCeilings.Outcome;
import io.unroll.device.DeviceCeilings.Row;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.Predicate;

/** Prints what a device can do at best, each row as soon as it is measured. */
final class CeilingsTable {
  private final Provenance provenance;
  private final DeviceCeilings ceilings;
  private final PrintWriter out;
  private final boolean json;
  private final Gson gson = new Gson();
  private int failed;

  CeilingsTable(Provenance provenance, DeviceCeilings ceilings, PrintWriter out, boolean json) {
    this.provenance = provenance;
    this.ceilings = ceilings;
    this.out = out;
    this.json = json;
  }

  /**
   * Measures and prints.
   *
   * @param seconds for each row at least
   * @param wanted whether rows of a name are measured
   * @return how many rows were wrong
   */
  int print(double seconds, Predicate<String> wanted) {
    if (!json) {
      if (ceilings.caution() != null) {
        out.println(ceilings.caution());
      }
      out.println("ceiling         of                                     median  (quartiles)");
    }
    ceilings.measure(seconds, wanted, this::print);
    return failed;
  }

  private void print(Row row) {
    if (row.outcome() == Outcome.FAILED) {
      failed++;
    }
    out.println(json ? gson.toJson(asJson(row)) : asText(row));
    out.flush();
  }

  private JsonObject asJson(Row row) {
    JsonObject line = new JsonObject();
    line.addProperty("ceiling", row.name());
    line.addProperty("of", row.variant());
    line.addProperty("outcome", row.outcome().name().toLowerCase(Locale.ROOT));
    if (row.why() != null) {
      line.addProperty("why", row.why());
    }
    if (row.outcome() == Outcome.MEASURED) {
      line.addProperty("unit", row.unit());
      line.addProperty("median", quantile(row, 0.5));
      line.addProperty("p25", quantile(row, 0.25));
      line.addProperty("p75", quantile(row, 0.75));
      line.addProperty("runs", row.figures().size());
    }
    provenance.addTo(line);
    return line;
  }

  private static double quantile(Row row, double share) {
    return Spread.quantile(
        row.figures().stream().mapToDouble(Double::doubleValue).toArray(), share);
  }

  private static String asText(Row row) {
    String head = String.format(Locale.ROOT, "%-15s %-34s ", row.name(), row.variant());
    return switch (row.outcome()) {
      case MEASURED ->
          row.figures().size() == 1
              ? head + String.format(Locale.ROOT, "%,10.0f", quantile(row, 0.5))
              : head
                  + String.format(
                      Locale.ROOT,
                      "%,10.3f  (%,.3f to %,.3f) %s",
                      quantile(row, 0.5),
                      quantile(row, 0.25),
                      quantile(row, 0.75),
                      row.unit());
      case PASSED -> head + "      right";
      case FAILED -> head + "     FAILED  " + row.why();
      case NOT_RUN -> head + "    not run  " + row.why();
    };
  }
}
