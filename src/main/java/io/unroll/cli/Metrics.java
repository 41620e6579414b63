package io.unroll.cli;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.unroll.io.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** The figures of a run, one JSON object a line in metrics.jsonl. */
final class Metrics {
  /**
   * The figures at one step.
   *
   * @param loss mean over the steps since the line before, in nats a character
   * @param validationLoss measured at this step, or null
   * @param seconds of training, pauses between resumed parts not counted
   */
  record Line(
      long step,
      double epoch,
      double loss,
      Double validationLoss,
      double learningRate,
      double charactersPerSecond,
      double seconds) {}

  private static final Gson GSON = new Gson();

  private final Path file;
  private final List<Line> lines = new ArrayList<>();

  /**
   * Goes on with the lines up to a step; later ones, of a part of the run that is done again, go.
   *
   * @throws InputException if a line cannot be read
   */
  Metrics(Path file, long step) throws IOException {
    this.file = file;
    if (Files.exists(file)) {
      for (String text : Files.readAllLines(file)) {
        Line line = parse(text);
        if (line != null && line.step() <= step) {
          lines.add(line);
        }
      }
    }
    String kept = String.join("", lines.stream().map(line -> GSON.toJson(line) + "\n").toList());
    AtomicFile.write(file, out -> out.write(kept.getBytes(StandardCharsets.UTF_8)));
  }

  /** A killed process may have left half a line at the end; that one is null. */
  private static Line parse(String text) {
    try {
      return GSON.fromJson(text, Line.class);
    } catch (JsonParseException e) {
      return null;
    }
  }

  void add(Line line) throws IOException {
    lines.add(line);
    Files.writeString(file, GSON.toJson(line) + "\n", StandardOpenOption.APPEND);
  }

  List<Line> lines() {
    return lines;
  }

  /** Seconds of training so far. */
  double seconds() {
    return lines.isEmpty() ? 0 : lines.get(lines.size() - 1).seconds();
  }
}
