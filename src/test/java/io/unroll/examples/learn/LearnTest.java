package io.unroll.examples.learn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/learn.md: every snippet stands in a program, and what the page says of it is so. */
class LearnTest {
  private static final Path PAGE = Path.of("docs/learn.md");
  private static final Path SOURCES = Path.of("src/examples/java/io/unroll/examples/learn");
  private static final Pattern SNIPPET =
      Pattern.compile("<!-- (\\w+)\\.java: (\\w+) -->\n```java\n(.*?)```\n", Pattern.DOTALL);

  private static double[][] sequence(int steps, int features) {
    Random random = new Random(5);
    return IntStream.range(0, steps)
        .mapToObj(t -> random.doubles(features, -1, 1).toArray())
        .toArray(double[][]::new);
  }

  private static double lastMean(double[] losses) {
    return Arrays.stream(losses, losses.length - 20, losses.length).average().orElseThrow();
  }

  @Test
  void pageShowsTheProgramsAsTheyAre() throws IOException {
    Map<String, String> sources = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path file : files.toList()) {
        snippets(file, sources);
      }
    }
    String page = Files.readString(PAGE);
    Matcher shown = SNIPPET.matcher(page);
    Set<String> found = new HashSet<>();
    while (shown.find()) {
      String name = shown.group(1) + " " + shown.group(2);
      assertEquals(sources.get(name), shown.group(3), "the snippet " + name + " of the page");
      found.add(name);
    }
    assertEquals(sources.keySet(), found, "the page shows every snippet of the programs");
    int blocks = page.split("```java\n", -1).length - 1;
    assertEquals(blocks, found.size(), "every block of Java names the program that it is from");
  }

  /** What stands between {@code // learn NAME begin} and end, by class and name. */
  private static void snippets(Path file, Map<String, String> into) throws IOException {
    String name = file.getFileName().toString().replace(".java", "");
    List<String> lines = null;
    for (String line : Files.readAllLines(file)) {
      String[] mark = line.strip().split(" ");
      if (mark.length == 4 && mark[1].equals("learn") && mark[3].equals("end")) {
        into.put(name + " " + mark[2], String.join("\n", lines).strip() + "\n");
        lines = null;
      } else if (mark.length == 4 && mark[1].equals("learn") && mark[3].equals("begin")) {
        lines = new ArrayList<>();
      } else if (lines != null) {
        lines.add(line.isEmpty() ? line : line.substring(2));
      }
    }
  }

  @Test
  void loopsHaveTheRightGradients() {
    Unrolled loops = Unrolled.random(2, 5, new Random(1));
    double[][] x = sequence(7, 2);
    Unrolled d = new Unrolled(2, 5);
    loops.backward(x, 0.5, d);
    for (int j = 0; j < 5; j++) {
      for (int k = 0; k < 5; k++) {
        assertEquals(loops.measured(x, 0.5, j, k), d.wHh[j][k], 1e-9, "wHh " + j + " " + k);
      }
    }
  }

  @Test
  void loopsLearnToRemember() {
    Random random = new Random(1);
    Unrolled loops = Unrolled.random(1, 8, random);
    double loss = loops.learn(5, 4000, 0.05, random);
    assertTrue(loss < 0.05, () -> "loss " + loss + ", of always saying 0 it is 0.5");
  }

  @Test
  void layerIsTheLoops() {
    Unrolled loops = Unrolled.random(2, 5, new Random(1));
    double[][] x = sequence(7, 2);
    Unrolled d = new Unrolled(2, 5);
    loops.backward(x, 0.5, d);
    try (Backend backend = Backend.open("reference");
        Layer layer = new Layer(backend, CellSpec.TANH, 2, 5)) {
      layer.set(loops);
      layer.backward(x, 0.5);
      assertArrayEquals(
          Layer.flat(d.wIh),
          layer.parameters.get("rnn.weight_ih_l0").gradientToDoubles(),
          1e-12,
          "W_ih");
      assertArrayEquals(
          Layer.flat(d.wHh),
          layer.parameters.get("rnn.weight_hh_l0").gradientToDoubles(),
          1e-12,
          "W_hh");
      assertArrayEquals(
          d.bias, layer.parameters.get("rnn.bias_ih_l0").gradientToDoubles(), 1e-12, "b");
      assertArrayEquals(
          d.wOut, layer.parameters.get("out.weight").gradientToDoubles(), 1e-12, "W_out");
    }
  }

  @Test
  void gradientsOfACellAreChecked() {
    try (Backend backend = Backend.open("reference");
        Layer layer = new Layer(backend, CellSpec.GRU, 2, 5)) {
      double error = layer.largestError(sequence(7, 2));
      assertTrue(error < 1e-6, () -> "error " + error);
    }
  }

  @Test
  void openGatesRememberWhereOthersForget() {
    try (Backend backend = Backend.open("cpu");
        Layer tanh = new Layer(backend, CellSpec.TANH, 1, 32);
        Layer halfOpen = new Layer(backend, CellSpec.LSTM, 1, 32);
        Layer open = new Layer(backend, CellSpec.LSTM, 1, 32)) {
      open.remember(100);
      assertEquals(1, lastMean(tanh.learn(100, 200)), 0.1, "tanh forgets");
      assertEquals(1, lastMean(halfOpen.learn(100, 200)), 0.1, "gates that are half open forget");
      assertEquals(0, lastMean(open.learn(100, 200)), 0.05, "open gates remember");
    }
  }

  @Test
  void textIsLearnedByHeart() {
    String text = "to be, or not to be, that is the question.\n".repeat(20);
    try (Backend backend = Backend.open("cpu")) {
      String written = Text.write(backend, text, 200, 43);
      assertEquals(text.substring(0, 43), written);
    }
  }

  @Test
  void translatesNumbersThatItHasNotSeen() {
    try (Backend backend = Backend.open("cpu");
        Translator translator = new Translator(backend, 48)) {
      translator.learn(600);
      int[] unseen = IntStream.range(0, 1000).filter(n -> n % 7 == 0).toArray();
      long right =
          IntStream.of(unseen)
              .filter(n -> translator.translate(n, 3).get(0).equals(Integer.toString(n)))
              .count();
      assertTrue(right > 0.9 * unseen.length, () -> right + " of " + unseen.length);
    }
  }
}
