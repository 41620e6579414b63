package io.unroll.cli;

import io.unroll.CellSpec;
import io.unroll.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.TypeConversionException;

/**
 * What is to be timed, as {@code benchmarks/grid.txt} describes it: in each line cells with commas
 * between them, one shape T,B,I,H or several, and options {@code KEY=VALUE}. What follows a {@code
 * #} says nothing. {@code benchmarks/grid.py} reads the same.
 */
final class GridFile {
  private static final String EXAMPLE = "such as \"gru,lstm 64,32,512,512 layers=2\"";

  /**
   * A case of the file.
   *
   * @param precisions in which it is to be timed; empty for all
   * @param sets the names by which lines are chosen
   */
  record Entry(BenchCase what, Set<String> precisions, Set<String> sets) {
    boolean isFor(Precision precision) {
      return precisions.isEmpty() || precisions.contains(precision.name());
    }
  }

  /** A line that was taken apart. */
  private static final class Line {
    private final List<CellSpec> cells = new ArrayList<>();
    private final List<Shape> shapes = new ArrayList<>();
    private List<BenchCase.Mode> modes = List.of(BenchCase.Mode.FORWARD, BenchCase.Mode.TRAIN);
    private int layers = 1;
    private boolean both;
    private boolean ragged;
    private Set<String> precisions = Set.of();
    private Set<String> sets = Set.of();
  }

  private final Map<BenchCase, Entry> entries = new LinkedHashMap<>();

  private GridFile() {}

  /**
   * Reads a file.
   *
   * @throws InputException if a line is not of that form, or there is none; with its number
   */
  static GridFile read(Path file) throws IOException {
    GridFile grid = new GridFile();
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).replaceFirst("(^|\\s)#.*", "").strip();
      if (line.isEmpty()) {
        continue;
      }
      try {
        grid.add(parse(line));
      } catch (IllegalArgumentException | TypeConversionException e) {
        throw new InputException(file + ", line " + (i + 1) + ": " + e.getMessage());
      }
    }
    if (grid.entries.isEmpty()) {
      throw new InputException(file + " has no line " + EXAMPLE);
    }
    return grid;
  }

  /**
   * The cases that are in one of some sets, in the order of the file; a case that stands there
   * twice comes once.
   *
   * @param wanted names of sets; empty for all cases
   * @throws InputException if the file has no such set
   */
  List<Entry> entries(List<String> wanted) {
    Set<String> known = new LinkedHashSet<>();
    entries.values().forEach(entry -> known.addAll(entry.sets()));
    for (String name : wanted) {
      if (!known.contains(name)) {
        throw new InputException(
            "the grid has no set \"" + name + "\"; it has " + String.join(", ", known));
      }
    }
    return entries.values().stream()
        .filter(entry -> wanted.isEmpty() || wanted.stream().anyMatch(entry.sets()::contains))
        .toList();
  }

  private void add(Line line) {
    for (CellSpec cell : line.cells) {
      for (Shape shape : line.shapes) {
        for (BenchCase.Mode mode : line.modes) {
          BenchCase what = new BenchCase(cell, shape, line.layers, line.both, line.ragged, mode);
          Entry entry = new Entry(what, line.precisions, line.sets);
          entries.merge(what, entry, GridFile::joined);
        }
      }
    }
  }

  private static Entry joined(Entry first, Entry second) {
    Set<String> precisions = new LinkedHashSet<>();
    if (!first.precisions.isEmpty() && !second.precisions.isEmpty()) {
      precisions.addAll(first.precisions);
      precisions.addAll(second.precisions);
    }
    Set<String> sets = new LinkedHashSet<>(first.sets);
    sets.addAll(second.sets);
    return new Entry(first.what, precisions, sets);
  }

  private static Line parse(String text) {
    Line line = new Line();
    String[] words = text.split("\\s+", -1);
    for (String cell : words[0].split(",", -1)) {
      line.cells.add(CellSpec.of(cell));
    }
    for (String word : Arrays.asList(words).subList(1, words.length)) {
      int equals = word.indexOf('=');
      if (equals < 0) {
        line.shapes.add(new Shape.Converter().convert(word));
      } else {
        set(line, word.substring(0, equals), word.substring(equals + 1));
      }
    }
    if (line.shapes.isEmpty()) {
      throw new IllegalArgumentException(
          "must be cells, shapes and options, " + EXAMPLE + ", but is \"" + text + "\"");
    }
    return line;
  }

  private static void set(Line line, String key, String value) {
    switch (key) {
      case "mode" ->
          line.modes =
              list("mode", value, "forward", "train", "step").stream()
                  .map(mode -> BenchCase.Mode.valueOf(mode.toUpperCase(Locale.ROOT)))
                  .toList();
      case "layers" -> {
        if (!value.matches("[1-9][0-9]{0,3}")) {
          throw new IllegalArgumentException(
              "layers must be an integer from 1, but is \"" + value + "\"");
        }
        line.layers = Integer.parseInt(value);
      }
      case "direction" -> line.both = list("direction", value, "one", "both").contains("both");
      case "lengths" -> line.ragged = list("lengths", value, "full", "ragged").contains("ragged");
      case "precision" ->
          line.precisions =
              new LinkedHashSet<>(list("precision", value, "FP64", "FP32", "TF32", "FP16", "BF16"));
      case "set" -> line.sets = new LinkedHashSet<>(List.of(value.split(",", -1)));
      default ->
          throw new IllegalArgumentException(
              "there is no option \""
                  + key
                  + "\"; there are mode, layers, direction, lengths, precision and set");
    }
  }

  private static List<String> list(String key, String value, String... allowed) {
    List<String> values = List.of(value.split(",", -1));
    boolean isOne = key.equals("direction") || key.equals("lengths");
    if (!List.of(allowed).containsAll(values) || (isOne && values.size() > 1)) {
      throw new IllegalArgumentException(
          "%s must be %s %s, but is \"%s\""
              .formatted(key, isOne ? "one of" : "of", String.join(", ", allowed), value));
    }
    return values;
  }
}
