package io.unroll.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.data.SequenceBatch;
import io.unroll.data.SequenceDataset;
import io.unroll.data.TokenVocabulary;
import io.unroll.data.TokenVocabulary.Splitting;
import io.unroll.examples.data.Reviews;
import io.unroll.train.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/data.md shows compiles, runs and does what the page says. */
class DataGuideTest {
  private static final Path SOURCE = Path.of("src/examples/java/io/unroll/examples/DataGuide.java");

  @TempDir Path folder;

  @Test
  void thePageShowsTheCodeAsItIs() throws IOException {
    List<String> expected = new ArrayList<>();
    StringBuilder block = null;
    for (String line : Files.readAllLines(SOURCE)) {
      if (line.strip().equals("// page begin")) {
        block = new StringBuilder();
      } else if (line.strip().equals("// page end")) {
        expected.add(block.toString());
        block = null;
      } else if (block != null) {
        block.append(line.isEmpty() ? line : line.substring(4)).append('\n');
      }
    }
    String page = Files.readString(Path.of("docs/data.md"));
    List<String> shown =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(page)
            .results()
            .map((MatchResult match) -> match.group(1))
            .toList();
    assertEquals(expected, shown);
    assertTrue(expected.size() >= 8, "the snippets are between the marks");
  }

  @Test
  void aModelIsLearnedSavedAndUsed() throws IOException {
    StringBuilder csv = new StringBuilder("text,label\n");
    for (Reviews.Review review : Reviews.write(300, 1)) {
      csv.append('"').append(review.text()).append("\",").append(review.label()).append('\n');
    }
    Path file = Files.writeString(folder.resolve("reviews.csv"), csv.toString());
    Path saved = folder.resolve("model.safetensors");
    double accuracy = DataGuide.learn(file, saved);
    assertTrue(accuracy > 0.95, () -> "accuracy " + accuracy + " on what it was trained on");
    Reviews.Review first = Reviews.write(1, 1).get(0);
    assertEquals(first.label(), DataGuide.use(saved, first.text()));
  }

  @Test
  void sensorsWithGapsAreReadAndPredicted() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("hours.csv"),
            "machine,hour,temperature,load\na,0,20,5\na,1,,6\na,2,22,7\nb,0,19,NA\nb,1,18,2\n");
    SequenceDataset data = DataGuide.sensors(file);
    assertEquals(2, data.size());
    SequenceBatch batch = data.batch(new int[] {0, 1});
    assertArrayEquals(new int[] {2, 1}, batch.lengths());
    assertArrayEquals(new float[] {20, 5, 19, Float.NaN, Float.NaN, 6, 0, 0}, batch.inputs());
    assertArrayEquals(new float[] {22, 7, 18, 2}, batch.targets().values());
    List<float[][]> sequences = List.of(new float[][] {{20, 5}, {21, 6}}, new float[][] {{19, 1}});
    try (Backend backend = Backend.open("cpu");
        Model model = new Model(backend, DataGuide.sensors(sequences), 1)) {
      assertEquals(4, model.config().input().size());
      assertEquals(2, model.predict(data).get(1)[0].length);
    }
  }

  @Test
  void jsonLinesHoldALabelForEachToken() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("tags.jsonl"),
            "{\"tokens\": [\"not\", \"bad\"], \"tags\": [\"ADV\", \"ADJ\"]}\n");
    TokenVocabulary words =
        TokenVocabulary.of(Splitting.SPACES, List.of("<unk>", "<s>", "</s>", "bad"));
    SequenceBatch batch = DataGuide.tags(file, words, List.of("ADJ", "ADV")).batch(new int[] {0});
    assertArrayEquals(new int[] {0, 3}, batch.tokens());
    assertArrayEquals(new int[] {1, 0}, batch.targets().classes());
  }

  @Test
  void aLanguageModelWritesWhatItRead() {
    try (Backend backend = Backend.open("cpu")) {
      assertEquals(
          "the sea is calm today, perplexity 1",
          DataGuide.write(backend, List.of("The sea is calm today")));
    }
  }

  @Test
  void measuresAreThoseOfTheirDefinitions() {
    double[] found =
        DataGuide.measure(
            List.of(new int[] {1, 2}, new int[] {3}), List.of(new int[] {1, 2, 4}, new int[] {3}));
    assertArrayEquals(new double[] {0.25, 0.5, 1, 37.99178428257963}, found, 1e-9);
  }
}
