package io.unroll.examples;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.unroll.Backend;
import io.unroll.cli.Main;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Runs examples at their usual size on the CPU with three seeds and writes a file for each, a line
 * of JSON a seed: {@code ci/examples} draws the curves and fills the pages from them.
 */
public final class Figures {
  private static final long[] SEEDS = {1, 2, 3};
  private static final int POINTS = 100;
  private static final Path FOLDER = Path.of("docs/examples/data");

  private Figures() {}

  /**
   * @param names of the examples to run; none for all
   */
  public static void main(String[] names) throws IOException {
    List<String> known = Examples.all().stream().map(Example::name).toList();
    for (String name : names) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException("there is no example " + name + "; there are " + known);
      }
    }
    Files.createDirectories(FOLDER);
    for (Example example : Examples.all()) {
      if (names.length == 0 || List.of(names).contains(example.name())) {
        record(example);
      }
    }
  }

  private static void record(Example example) throws IOException {
    StringBuilder lines = new StringBuilder();
    try (Backend backend = Backend.open("cpu")) {
      for (long seed : SEEDS) {
        Setup setup = example.usual(backend, seed);
        long start = System.nanoTime();
        Learned learned = example.run(setup);
        double seconds = (System.nanoTime() - start) / 1e9;
        lines.append(line(example, setup, learned, seconds)).append('\n');
        System.out.printf(
            "%-14s seed %d: %s %.4f, %s %.4f, %.1f s%n",
            example.name(),
            seed,
            learned.measure(),
            learned.reached(),
            learned.baseline(),
            learned.baselineReached(),
            seconds);
      }
    }
    Files.writeString(FOLDER.resolve(example.name() + ".jsonl"), lines);
  }

  private static String line(Example example, Setup setup, Learned learned, double seconds)
      throws IOException {
    JsonObject line = new JsonObject();
    line.addProperty("example", example.name());
    line.addProperty("seed", setup.seed());
    line.addProperty("steps", setup.steps());
    line.addProperty("batch", setup.batch());
    line.addProperty("hiddenSize", setup.hiddenSize());
    line.addProperty("measure", learned.measure());
    line.addProperty("reached", learned.reached());
    line.addProperty("baseline", learned.baseline());
    line.addProperty("baselineReached", learned.baselineReached());
    line.addProperty("higherIsBetter", learned.higherIsBetter());
    line.addProperty("seconds", Math.round(10 * seconds) / 10.0);
    line.addProperty("device", setup.backend().description());
    line.addProperty("jdk", Runtime.version().toString());
    line.addProperty("commit", commit());
    Gson gson = new Gson();
    line.add("losses", gson.toJsonTree(means(learned.losses())));
    line.add("shown", gson.toJsonTree(learned.shown()));
    return gson.toJson(line);
  }

  /** Means over parts of equal length, to five digits. */
  private static double[] means(double[] losses) {
    int points = Math.min(POINTS, losses.length);
    return IntStream.range(0, points)
        .mapToDouble(
            i -> {
              int from = (int) ((long) losses.length * i / points);
              int to = (int) ((long) losses.length * (i + 1) / points);
              double mean = Arrays.stream(losses, from, to).average().orElseThrow();
              return Math.round(1e5 * mean) / 1e5;
            })
        .toArray();
  }

  private static String commit() throws IOException {
    try (InputStream text = Main.class.getResourceAsStream("commit.txt")) {
      return text == null ? "unknown" : new String(text.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
