package io.unroll.cli;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What some files of JSON lines by {@code bench} hold, by what was timed. */
final class BenchFiles {
  /**
   * What one line measured.
   *
   * @param date when
   * @param figure such as milliseconds; a median
   * @param unit of the figure
   * @param line all of it
   */
  record Pass(Instant date, double figure, String unit, JsonObject line) {
    /** Whether more is better. */
    boolean isRate() {
      return unit.endsWith("/s");
    }
  }

  /**
   * All lines about the same.
   *
   * @param passes those with a figure, the earliest first
   * @param errors why others have none
   */
  record Case(List<Pass> passes, List<String> errors) {
    /** The values of a field in all passes; {@code not known} where a line lacks it. */
    Set<String> values(String field) {
      Set<String> values = new TreeSet<>();
      for (Pass pass : passes) {
        values.add(text(pass.line(), field, "not known"));
      }
      return values;
    }
  }

  private final Map<String, Case> cases = new LinkedHashMap<>();
  private final Set<String> builds = new LinkedHashSet<>();

  /**
   * Reads files, of which one can be several run together.
   *
   * @throws InputException if a line is none of bench's; with its file and number
   */
  static BenchFiles read(List<Path> files) throws IOException {
    BenchFiles read = new BenchFiles();
    for (Path file : files) {
      List<String> lines = Files.readAllLines(file);
      for (int i = 0; i < lines.size(); i++) {
        if (!lines.get(i).isBlank()) {
          try {
            read.add(lines.get(i));
          } catch (IllegalArgumentException e) {
            throw new InputException(file + ", line " + (i + 1) + ": " + e.getMessage());
          }
        }
      }
    }
    read.cases.values().forEach(one -> one.passes().sort(Comparator.comparing(Pass::date)));
    return read;
  }

  /** By name, in the order in which they first came. */
  Map<String, Case> cases() {
    return cases;
  }

  /** Versions and commits of Unroll that measured. */
  Set<String> builds() {
    return builds;
  }

  private void add(String text) {
    JsonObject line = parse(text);
    boolean ceiling = line.has("ceiling");
    Case found = new Case(new ArrayList<>(), new ArrayList<>());
    String name = ceiling ? ceilingName(line) : networkName(line);
    String why = text(line, ceiling ? "why" : "error", "");
    if (ceiling && !text(line, "outcome", "").equals("failed")) {
      why = "";
    }
    String unit = ceiling ? text(line, "unit", "") : "ms";
    JsonElement figure = line.get(ceiling ? "median" : "ms");
    if (!why.isEmpty()) {
      cases.computeIfAbsent(name, key -> found).errors().add(why);
    } else if (figure != null && !unit.isEmpty()) {
      builds.add(text(line, "unroll", "?") + " at " + text(line, "commit", "?"));
      Pass pass = new Pass(date(line), positive(figure), unit, line);
      cases.computeIfAbsent(name, key -> found).passes().add(pass);
    }
  }

  private static JsonObject parse(String text) {
    try {
      JsonElement line = JsonParser.parseString(text);
      if (line.isJsonObject()
          && (line.getAsJsonObject().has("cell") || line.getAsJsonObject().has("ceiling"))) {
        return line.getAsJsonObject();
      }
    } catch (JsonParseException e) {
      // Said below: what was found tells more than where the parser gave up.
    }
    throw new IllegalArgumentException(
        "must be what \"unroll bench --json\" printed, an object with cell or ceiling, but is "
            + (text.length() > 60 ? text.substring(0, 60) + "..." : text));
  }

  private static String networkName(JsonObject line) {
    String kind = kind(line);
    List<String> words = new ArrayList<>(List.of(kind));
    words.add(required(line, "cell"));
    words.add(
        String.join(
            ",", List.of("T", "B", "I", "H").stream().map(f -> required(line, f)).toList()));
    String layers = required(line, "layers");
    if (!layers.equals("1")) {
      words.add(layers + " layers");
    }
    if (text(line, "direction", "one").equals("both")) {
      words.add("both directions");
    }
    if (text(line, "lengths", "full").equals("ragged")) {
      words.add("ragged");
    }
    words.add(required(line, "mode"));
    words.add(required(line, "precision"));
    if (kind.equals("cpu")) {
      words.add(required(line, "threads") + "t");
    }
    return String.join(" ", words);
  }

  private static String ceilingName(JsonObject line) {
    return kind(line) + " " + required(line, "ceiling") + ", " + required(line, "of");
  }

  /** Without the number of one among several. */
  private static String kind(JsonObject line) {
    return required(line, "device").replaceFirst(":.*", "");
  }

  private static Instant date(JsonObject line) {
    String date = required(line, "date");
    try {
      return Instant.parse(date);
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException(
          "date must be like 2026-11-24T12:00:00Z, but is " + date, e);
    }
  }

  private static double positive(JsonElement figure) {
    double value = Double.NaN;
    if (figure.isJsonPrimitive() && figure.getAsJsonPrimitive().isNumber()) {
      value = figure.getAsDouble();
    }
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("the median must be a number above 0, but is " + figure);
    }
    return value;
  }

  private static String required(JsonObject line, String field) {
    String value = text(line, field, "");
    if (value.isEmpty()) {
      throw new IllegalArgumentException(
          "has no \"" + field + "\"; measure again with this version of Unroll");
    }
    return value;
  }

  private static String text(JsonObject line, String field, String otherwise) {
    JsonElement value = line.get(field);
    return value == null || !value.isJsonPrimitive() ? otherwise : value.getAsString();
  }
}
