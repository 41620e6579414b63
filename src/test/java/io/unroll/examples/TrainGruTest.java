package io.unroll.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TrainGruTest {
  private static final Path SOURCE = Path.of("src/examples/java/io/unroll/examples/TrainGru.java");

  @Test
  void learnsWhatItMustRememberToTheEnd() {
    Random random = new Random(2);
    List<float[][]> sequences = new ArrayList<>();
    int[] classes = new int[128];
    for (int i = 0; i < classes.length; i++) {
      float[][] sequence = new float[3 + random.nextInt(6)][2];
      for (float[] step : sequence) {
        step[0] = random.nextFloat() - 0.5f;
        step[1] = random.nextFloat() - 0.5f;
      }
      classes[i] = sequence[0][0] > 0 ? 1 : 0;
      sequences.add(sequence);
    }
    double loss = TrainGru.train(sequences, classes, 300);
    assertTrue(loss < 0.1, () -> "loss " + loss + ", guessing costs " + Math.log(2));
  }

  @Test
  void readmeShowsTheExampleAsItIs() throws IOException {
    List<String> shown = new ArrayList<>();
    boolean inside = false;
    for (String line : Files.readAllLines(SOURCE)) {
      if (line.strip().equals("// README end")) {
        inside = false;
      }
      if (inside) {
        shown.add(line.isEmpty() ? line : line.substring(4));
      }
      inside |= line.strip().equals("// README begin");
    }
    assertTrue(shown.size() >= 20, "the example is between the marks");
    String readme = Files.readString(Path.of("README.md"));
    String block = readme.substring(readme.indexOf("```java\n") + 8);
    assertEquals(String.join("\n", shown) + "\n", block.substring(0, block.indexOf("```")));
  }
}
