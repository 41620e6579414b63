package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.unroll.RequiredBackendsTest;
import io.unroll.data.TextCorpus;
import io.unroll.train.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The commands train, sample and eval as a user calls them, at small size. */
class TrainCommandTest {
  private static final String RHYME = "one two buckle my shoe, three four open the door.\n";
  private static final String KOREAN = "가는 말이 고와야 오는 말이 곱다. 🙂\n";

  @TempDir Path folder;
  private Path text;
  private Path run;

  @BeforeEach
  void write() throws IOException {
    text = Files.writeString(folder.resolve("rhyme.txt"), RHYME.repeat(20));
    run = folder.resolve("run");
  }

  /** Trains a small model; the options given take the place of those of its sizes. */
  private CommandRun train(Object... more) {
    List<Object> given = List.of(more);
    List<Object> args = new ArrayList<>(List.of("train", text, "--layers", 1));
    args.addAll(given.contains("--hidden") ? List.of() : List.of("--hidden", 12));
    args.addAll(given.contains("--embedding") ? List.of() : List.of("--embedding", 6));
    args.addAll(List.of("--seq-length", 8, "--batch", 4, "--evaluate-every", 5));
    args.addAll(given.contains("--device") ? List.of() : List.of("--device", "cpu"));
    args.addAll(List.of("--sample-every", 0));
    args.addAll(given);
    return CommandRun.of(args.toArray());
  }

  private byte[] weights(Path of) throws IOException {
    return Files.readAllBytes(of.resolve("checkpoint.safetensors"));
  }

  @Test
  void leavesCheckpointPictureAndMetrics() throws IOException {
    CommandRun done = train("--out", run, "--steps", 30).succeeded();
    assertTrue(done.out().contains("using cpu"), done.out());
    assertTrue(done.out().contains("1,000 characters"), done.out());
    assertTrue(done.out().contains("30 steps"), done.out());
    assertNotNull(ImageIO.read(run.resolve("loss.png").toFile()));
    List<String> lines = Files.readAllLines(run.resolve("metrics.jsonl"));
    JsonObject last = JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject();
    assertEquals(30, last.get("step").getAsInt());
    assertTrue(last.get("validationLoss").getAsDouble() > 0);
    double first = JsonParser.parseString(lines.get(0)).getAsJsonObject().get("loss").getAsDouble();
    assertTrue(last.get("loss").getAsDouble() < first, lines::toString);
    try (var left = Files.list(run)) {
      assertEquals(3, left.count(), "no temporary file stays");
    }
  }

  @Test
  void resumedRunIsBitwiseTheSame() throws IOException {
    Path other = folder.resolve("other");
    train("--out", run, "--steps", 31, "--dropout", 0.1).succeeded();
    train("--out", other, "--steps", 13, "--dropout", 0.1).succeeded();
    CommandRun.of("train", "--resume", other, "--steps", 31, "--device", "cpu").succeeded();
    assertArrayEquals(weights(run), weights(other));
    List<Integer> steps = new ArrayList<>();
    for (String line : Files.readAllLines(other.resolve("metrics.jsonl"))) {
      steps.add(JsonParser.parseString(line).getAsJsonObject().get("step").getAsInt());
    }
    assertEquals(steps.stream().sorted().distinct().toList(), steps);
    assertEquals(31, steps.get(steps.size() - 1));
  }

  @Test
  void oneHotInputTrainsResumesAndWrites() throws IOException {
    Path other = folder.resolve("other");
    train("--out", run, "--steps", 120, "--embedding", 0, "--learning-rate", 0.03).succeeded();
    train("--out", other, "--steps", 50, "--embedding", 0, "--learning-rate", 0.03).succeeded();
    CommandRun.of("train", "--resume", other, "--steps", 120, "--device", "cpu").succeeded();
    assertArrayEquals(weights(run), weights(other));
    try (Checkpoint checkpoint = Checkpoint.read(Runs.checkpoint(run))) {
      assertEquals("0", checkpoint.metadata("model.embedding_size"));
    }
    List<String> lines = Files.readAllLines(run.resolve("metrics.jsonl"));
    double first = JsonParser.parseString(lines.get(0)).getAsJsonObject().get("loss").getAsDouble();
    String end = lines.get(lines.size() - 1);
    double last = JsonParser.parseString(end).getAsJsonObject().get("loss").getAsDouble();
    assertTrue(last < first / 2, lines::toString);
    CommandRun written = CommandRun.of("sample", run, "--prime", "buckl", "--greedy");
    assertTrue(written.out().startsWith("buckle my"), written::toString);
  }

  static Stream<String> judged() {
    return RequiredBackendsTest.judged();
  }

  /** The steps after the resumption have the loss that the other device would have had. */
  @ParameterizedTest
  @MethodSource("judged")
  void trainsResumesOnAnotherDeviceAndWritesTheSame(String device) throws IOException {
    Path other = folder.resolve("other");
    train("--out", run, "--steps", 40, "--device", device, "--dropout", 0.1).succeeded();
    Files.createDirectory(other);
    Files.copy(run.resolve("checkpoint.safetensors"), other.resolve("checkpoint.safetensors"));
    CommandRun.of("train", "--resume", run, "--steps", 45, "--device", device).succeeded();
    CommandRun.of("train", "--resume", other, "--steps", 45, "--device", "reference").succeeded();
    double expected = lossAtTheEnd(other);
    assertEquals(expected, lossAtTheEnd(run), 1e-4 * expected);
    assertEquals(
        sample("--seed", 5, "--device", "reference"), sample("--seed", 5, "--device", device));
    double loss =
        json(CommandRun.of("eval", run, "--json", "--device", device)).get("loss").getAsDouble();
    double exact =
        json(CommandRun.of("eval", run, "--json", "--device", "reference"))
            .get("loss")
            .getAsDouble();
    assertEquals(exact, loss, 1e-5 * exact);
  }

  private static double lossAtTheEnd(Path of) throws IOException {
    List<String> lines = Files.readAllLines(of.resolve("metrics.jsonl"));
    JsonObject last = JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject();
    assertEquals(45, last.get("step").getAsInt());
    return last.get("loss").getAsDouble();
  }

  @Test
  void initFromTakesTheWeightsToAnotherText() throws IOException {
    train("--out", run, "--steps", 5).succeeded();
    Path next = folder.resolve("next");
    Path door = Files.writeString(folder.resolve("door.txt"), "open the door. ".repeat(9));
    CommandRun.of(
            "train",
            door,
            "--init-from",
            run,
            "--out",
            next,
            "--steps",
            2,
            "--seq-length",
            8,
            "--batch",
            4,
            "--device",
            "cpu")
        .succeeded();
    assertNotEquals(weights(run).length, 0);
    CommandRun unknown =
        CommandRun.of(
            "train",
            Files.writeString(folder.resolve("z.txt"), "zebra ".repeat(50)),
            "--init-from",
            run,
            "--out",
            folder.resolve("zebra"),
            "--device",
            "cpu");
    unknown.failed(2, "U+007A");
    assertFalse(Files.exists(folder.resolve("zebra")));
  }

  @Test
  void koreanWorksLikeEnglish() throws IOException {
    text = Files.writeString(folder.resolve("속담.txt"), KOREAN.repeat(40));
    train("--out", run, "--steps", 120, "--learning-rate", 0.03).succeeded();
    CommandRun sample = CommandRun.of("sample", run, "--prime", "가는", "--length", 20, "--greedy");
    assertEquals(0, sample.exit(), sample::toString);
    assertTrue(sample.out().startsWith("가는 말이"), sample.out());
    CommandRun unknown = CommandRun.of("sample", run, "--prime", "a");
    assertEquals(2, unknown.exit());
    assertTrue(unknown.err().contains("U+0061"), unknown::toString);
  }

  @Test
  void sampleRepeatsBySeedAndHeedsItsOptions() {
    train("--out", run, "--steps", 40).succeeded();
    String first = sample("--seed", 1);
    assertEquals(first, sample("--seed", 1));
    assertNotEquals(first, sample("--seed", 2));
    assertEquals(sample("--greedy"), sample("--temperature", 0));
    assertEquals(sample("--greedy"), sample("--top-k", 1));
    assertEquals(101, first.length(), "100 characters and the end of the line");
  }

  private String sample(Object... more) {
    List<Object> args = new ArrayList<>(List.of("sample", run, "--length", 99, "--prime", "o"));
    args.addAll(List.of(more));
    CommandRun done = CommandRun.of(args.toArray());
    assertEquals(0, done.exit(), done::toString);
    return done.out();
  }

  @Test
  void evalMeasuresTheValidationPartOrAnotherText() throws IOException {
    train("--out", run, "--steps", 40).succeeded();
    JsonObject own = json(CommandRun.of("eval", run, "--json"));
    double loss = own.get("loss").getAsDouble();
    assertEquals(loss / Math.log(2), own.get("bitsPerCharacter").getAsDouble(), 1e-12);
    assertEquals(Math.exp(loss), own.get("perplexity").getAsDouble(), 1e-12);
    Path shuffled = Files.writeString(folder.resolve("noise.txt"), "eohs ym elkcub ".repeat(20));
    JsonObject noise = json(CommandRun.of("eval", run, shuffled, "--json"));
    assertTrue(noise.get("loss").getAsDouble() > loss, noise::toString);
  }

  private static JsonObject json(CommandRun done) {
    assertEquals(0, done.exit(), done::toString);
    return JsonParser.parseString(done.out()).getAsJsonObject();
  }

  @Test
  void badInputIsRefusedAndNothingIsWritten() throws IOException {
    Path none = folder.resolve("none");
    Path empty = Files.writeString(folder.resolve("empty.txt"), "");
    Path latin =
        Files.write(folder.resolve("latin.txt"), "café".getBytes(StandardCharsets.ISO_8859_1));
    Path small = Files.writeString(folder.resolve("small.txt"), "short");
    CommandRun.of("train", empty, "--out", none).failed(2, "empty.txt");
    CommandRun.of("train", latin, "--out", none).failed(2, "latin.txt", "3");
    CommandRun.of("train", small, "--out", none).failed(2, "5 characters");
    CommandRun.of("train", folder.resolve("absent"), "--out", none).failed(2, "absent");
    train("--out", none, "--hidden", 0).failed(2, "--hidden must be at least 1");
    train("--out", none, "--embedding", -1).failed(2, "--embedding must be at least 0");
    CommandRun.of("train", text, "--batch", 400, "--out", none).failed(2, "T*B+1");
    train("--out", none, "--dropout", 1).failed(2, "--dropout");
    train("--out", none, "--learning-rate", "NaN").failed(2, "learning rate");
    train("--out", none, "--epochs", 1, "--steps", 1).failed(2, "not both");
    CommandRun.of("train", text, "--device", "abacus", "--out", none).failed(2, "abacus");
    train("--resume", run, "--out", none).failed(2, "--resume");
    CommandRun.of("train", "--resume", none).failed(2, "none");
    CommandRun.of("sample", none).failed(2, "none");
    assertFalse(Files.exists(none));
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    train("--out", run, "--steps", 3).succeeded();
    byte[] before = weights(run);
    train("--out", run, "--steps", 3).failed(2, "already holds a checkpoint", "--resume");
    assertArrayEquals(before, weights(run));
    CommandRun.of("train", "--resume", run, "--hidden", 9).failed(2, "--hidden", "--resume");
    Files.writeString(text, "another text ".repeat(90));
    CommandRun.of("train", "--resume", run, "--steps", 9).failed(2, "has changed");
    assertArrayEquals(before, weights(run));
  }

  @Test
  void divergedRunStopsAndKeepsTheLastGoodCheckpoint() throws IOException {
    diverge("--checkpoint-every", 0).failed(1, "step 2", "learning rate", "No checkpoint");
    diverge("--checkpoint-every", 1).failed(1, "no checkpoint was written");
    assertFalse(Files.exists(run.resolve("checkpoint.safetensors")));
  }

  private CommandRun diverge(Object... more) {
    List<Object> args = new ArrayList<>(List.of("--out", run, "--steps", 9));
    args.addAll(List.of("--optimizer", "sgd", "--learning-rate", "1e300", "--clip-norm", 0));
    args.addAll(List.of(more));
    return train(args.toArray());
  }

  @Test
  void damagedCheckpointIsRefused() throws IOException {
    train("--out", run, "--steps", 2).succeeded();
    byte[] good = weights(run);
    Path file = run.resolve("checkpoint.safetensors");
    Files.write(file, Arrays.copyOf(good, good.length - 5));
    CommandRun.of("sample", run).failed(2, "checkpoint.safetensors");
    byte[] oversized = good.clone();
    oversized[6] = 1;
    Files.write(file, oversized);
    CommandRun.of("sample", run).failed(2, "checkpoint.safetensors", "header");
    CommandRun.of("train", "--resume", run).failed(2, "checkpoint.safetensors");
  }

  /** The system refuses to let the file grow, as a full disk does. */
  @Test
  void fullDiskKeepsTheOldCheckpoint() throws IOException, InterruptedException {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "needs sh and ulimit");
    train("--out", run, "--steps", 2).succeeded();
    byte[] before = weights(run);
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "ulimit -f 8; exec \"$0\" \"$@\"",
                java.toString(),
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "train",
                "--resume",
                run.toString(),
                "--steps",
                "5")
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertEquals(1, process.waitFor(), () -> read(output));
    assertTrue(read(output).contains("the old file is untouched"), () -> read(output));
    assertArrayEquals(before, weights(run));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void embeddedCorpusIsThisProjectsSource() throws IOException {
    TextCorpus corpus = Corpora.open(null);
    assertTrue(corpus.text().contains("class TrainCommandTest"));
    assertTrue(corpus.ids().length > 500_000);
    assertEquals("unroll", Corpora.runName(Corpora.source(null)));
    assertEquals("rhyme", Corpora.runName(Corpora.source(text)));
  }
}
