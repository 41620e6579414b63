package io.unroll.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.unroll.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a device can do at best, as {@code bench --ceilings --json} found it, for {@link Bound}.
 *
 * @param file where it was read
 * @param lines of JSON, those with a figure
 */
record MeasuredCeilings(Path file, List<JsonObject> lines) {
  private static final double GIGA = 1e9;
  private static final double TERA = 1e12;

  /**
   * Reads a file; other lines than of ceilings say nothing here.
   *
   * @throws InputException if it has no figure of a ceiling, or is no JSON
   */
  static MeasuredCeilings read(Path file) throws IOException {
    List<JsonObject> lines;
    try {
      lines =
          Files.readAllLines(file).stream()
              .filter(line -> !line.isBlank())
              .map(line -> JsonParser.parseString(line).getAsJsonObject())
              .filter(line -> line.has("ceiling") && line.has("median"))
              .toList();
    } catch (JsonParseException | IllegalStateException e) {
      throw new InputException(file + " is not what \"unroll bench --ceilings --json\" printed");
    }
    if (lines.isEmpty()) {
      throw new InputException(
          file + " has no figure of \"unroll bench --ceilings --json\"; measure them first");
    }
    return new MeasuredCeilings(file, lines);
  }

  /** The device that was measured, as its backend describes it, without the precision. */
  String device() {
    return device(lines.get(0).get("description").getAsString());
  }

  /** The same of the description of a backend: name and hardware. */
  static String device(String description) {
    return description.replaceFirst(",.*", "").replaceFirst("^[^(]*\\(", "");
  }

  /** Floating-point operations in a second: in FP32 without tensor cores. */
  double operations(Precision precision) {
    return precision == Precision.FP32
        ? TERA * figure("fma", "FP32")
        : TERA * figure("mma", precision.name());
  }

  /** The same of the backend's product of large matrices; NaN if it was not measured. */
  double gemm(Precision precision) {
    return lines.stream()
        .filter(line -> line.get("ceiling").getAsString().equals("gemm"))
        .filter(line -> line.get("of").getAsString().startsWith(precision + ","))
        .mapToDouble(line -> TERA * line.get("median").getAsDouble())
        .findFirst()
        .orElse(Double.NaN);
  }

  /** Bytes in a second that memory takes and gives. */
  double memory() {
    return GIGA * Math.max(figure("copy", "by a kernel"), figure("copy", "by the driver"));
  }

  /** Bytes in a second that all processors together read from the second cache. */
  double cache() {
    return GIGA * figure("read", "");
  }

  /** Seconds that a group waits for its lanes. */
  double barrier() {
    return figure("block_barrier", "") / 1e9;
  }

  /** Seconds from a launch to the next within a graph. */
  double launch() {
    return figure("kernel_boundary", "graph") / 1e6;
  }

  /** Processors that the device reports. */
  double processors() {
    return figure("reported", "processors");
  }

  private double figure(String ceiling, String of) {
    return lines.stream()
        .filter(line -> line.get("ceiling").getAsString().equals(ceiling))
        .filter(line -> of.isEmpty() || line.get("of").getAsString().equals(of))
        .mapToDouble(line -> line.get("median").getAsDouble())
        .findFirst()
        .orElseThrow(
            () ->
                new InputException(
                    "%s has no figure of %s%s; measure the ceilings anew"
                        .formatted(file, ceiling, of.isEmpty() ? "" : ", " + of)));
  }
}
