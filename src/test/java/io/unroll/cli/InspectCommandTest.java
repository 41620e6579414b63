package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.Vocabulary;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import io.unroll.train.Observation;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The page of inspect, unpacked again and held against the model. */
class InspectCommandTest {
  /** It has marks of the page's frame, the end of a script, a quote, and an emoji. */
  static final String TEXT =
      "{{units}} </script> if (\"one two\" < 3) { // \uD83D\uDE42\n  a = b[i];\n}\n\n".repeat(20);

  @TempDir Path folder;
  private Path text;

  @BeforeEach
  void write() throws IOException {
    text = Files.writeString(folder.resolve("code.txt"), TEXT);
  }

  /** A checkpoint of a model with its first weights. */
  static Path checkpoint(Path folder, CellSpec cell, String symbols) throws IOException {
    Path file = folder.resolve(cell + ".safetensors");
    CharRnn.Config config = new CharRnn.Config(cell, 6, 2, 4, 0.1);
    try (Backend backend = Backend.open("cpu");
        CharRnn model = new CharRnn(backend, Vocabulary.of(symbols), config, 5)) {
      Checkpoint.Writer writer = Checkpoint.of(model.parameters());
      model.metadata().forEach(writer::metadata);
      writer.write(file);
    }
    return file;
  }

  private CommandRun inspect(Object... args) {
    Object[] all = new Object[args.length + 3];
    all[0] = "inspect";
    System.arraycopy(args, 0, all, 1, args.length);
    all[args.length + 1] = "--device";
    all[args.length + 2] = "cpu";
    return CommandRun.of(all);
  }

  private static String element(String page, String id) {
    int from = page.indexOf('>', page.indexOf("<script id=\"" + id + "\"")) + 1;
    return page.substring(from, page.indexOf("</script>", from));
  }

  static JsonObject facts(String page) {
    return JsonParser.parseString(element(page, "facts")).getAsJsonObject();
  }

  private static byte[] rows(String page, String id) throws IOException {
    byte[] packed = Base64.getDecoder().decode(element(page, id));
    return new InflaterInputStream(new ByteArrayInputStream(packed)).readAllBytes();
  }

  static List<CellSpec> cells() {
    return CellSpec.all();
  }

  @ParameterizedTest
  @MethodSource("cells")
  void pageHasTheUnitsAndGuessesOfTheModel(CellSpec cell) throws IOException {
    Path file = checkpoint(folder, cell, TEXT);
    CommandRun run = inspect(file, text, "--length", 700);
    assertEquals(0, run.exit(), run::toString);
    assertTrue(run.out().contains("700 characters"), run.out());
    String page = Files.readString(folder.resolve("inspect.html"));
    JsonObject facts = facts(page);
    String read = TEXT.substring(0, TEXT.offsetByCodePoints(0, 700));
    assertEquals(read, facts.get("text").getAsString());
    byte[] units = rows(page, "packed-units");
    byte[] guesses = rows(page, "packed-guesses");
    assertEquals(12 * cell.stateCount() * 700, units.length);
    try (Backend backend = Backend.open("cpu");
        Checkpoint checkpoint = Checkpoint.read(file);
        CharRnn model = CharRnn.load(checkpoint, backend)) {
      int[] ids = model.vocabulary().encode(read);
      Observation seen = Observation.of(model, ids);
      for (var each : facts.getAsJsonArray("units")) {
        JsonObject unit = each.getAsJsonObject();
        float[] exact =
            seen.values(
                unit.get("state").getAsInt(),
                unit.get("layer").getAsInt(),
                unit.get("unit").getAsInt());
        assertShows(exact, units, unit.get("row").getAsInt(), unit.get("scale").getAsDouble());
      }
      for (int t = 0; t < ids.length; t++) {
        assertEquals(seen.guess(t, 0), guesses[t] & 255);
        assertEquals(255 * seen.guessProbability(t, 0), guesses[700 + t] & 255, 0.51);
      }
      assertEquals(seen.bitsPerCharacter(), facts.get("bits").getAsDouble(), 1e-3);
      assertEquals(2 * cell.gateCount(), facts.getAsJsonArray("gates").size());
    }
  }

  /** All but the hundredth that is cut off lie within half a step. */
  private static void assertShows(float[] exact, byte[] rows, int row, double scale) {
    int far = 0;
    for (int t = 0; t < exact.length; t++) {
      double shown = (rows[row * exact.length + t] - 15) * scale / 15;
      far += Math.abs(shown - exact[t]) > scale / 15 * 0.51 + 1e-4 ? 1 : 0;
    }
    assertTrue(far <= exact.length / 100, far + " of " + exact.length);
  }

  @Test
  void pageFetchesNothing() throws IOException {
    inspect(checkpoint(folder, CellSpec.GRU, TEXT), text);
    String page = Files.readString(folder.resolve("inspect.html"));
    assertTrue(page.contains("default-src 'none'"));
    String outside = page.replace("http://www.w3.org/2000/svg", "");
    assertFalse(outside.contains("http:") || outside.contains("https:"), "an address");
    assertFalse(outside.contains("src=") || outside.contains("@import"), "a reference");
    assertEquals(4, page.split("</script>", -1).length - 1, "the text ends no script");
  }

  @Test
  void sizeLeavesOutTheLeastSensitive() throws IOException {
    Path file = checkpoint(folder, CellSpec.LSTM, TEXT);
    Path out = folder.resolve("small.html");
    CommandRun run = inspect(file, text, "--out", out, "--size", "0.0001");
    assertTrue(run.out().contains("1 of 24 units"), run.out());
    int best = -1;
    int most = -1;
    JsonArray units = facts(Files.readString(out)).getAsJsonArray("units");
    for (int u = 0; u < units.size(); u++) {
      JsonObject unit = units.get(u).getAsJsonObject();
      for (var held : unit.getAsJsonArray("held")) {
        if (Math.abs(held.getAsInt()) > most) {
          most = Math.abs(held.getAsInt());
          best = u;
        }
      }
    }
    assertEquals(0, units.get(best).getAsJsonObject().get("row").getAsInt());
  }

  @Test
  void manyCharactersTakeTwoBytes() throws IOException {
    StringBuilder symbols = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      symbols.appendCodePoint(0xAC00 + i);
    }
    Path file = checkpoint(folder, CellSpec.TANH, symbols.toString());
    Files.writeString(text, symbols);
    assertEquals(0, inspect(file, text).exit());
    byte[] guesses = rows(Files.readString(folder.resolve("inspect.html")), "packed-guesses");
    assertEquals((3 * Observation.GUESSES + 1) * 300, guesses.length);
    boolean above = false;
    for (int t = 0; t < 300; t++) {
      for (int rank = 0; rank < Observation.GUESSES; rank++) {
        above |= guesses[(3 * rank + 1) * 300 + t] == 1;
      }
    }
    assertTrue(above, "some guess has a number above 255");
  }

  @Test
  void readsTheTextKeptForValidation() throws IOException {
    Path run = folder.resolve("run");
    CommandRun.of(
            "train",
            text,
            "--out",
            run,
            "--steps",
            3,
            "--hidden",
            6,
            "--seq-length",
            8,
            "--batch",
            4,
            "--validation",
            "0.2",
            "--sample-every",
            0,
            "--device",
            "cpu")
        .succeeded();
    assertEquals(0, inspect(run).exit());
    JsonObject facts = facts(Files.readString(run.resolve("inspect.html")));
    assertTrue(TEXT.endsWith(facts.get("text").getAsString()));
    int all = TEXT.codePointCount(0, TEXT.length());
    double read = facts.get("text").getAsString().codePoints().count();
    assertEquals(all / 5.0, read, 1);
  }

  @Test
  void badInputIsRefused() throws IOException {
    Path file = checkpoint(folder, CellSpec.RELU, TEXT);
    inspect(file, text, "--length", 1).failed(2, "--length", "2");
    inspect(file, text, "--size", 0).failed(2, "--size");
    inspect(folder.resolve("none")).failed(2, "none");
    Path korean = Files.writeString(folder.resolve("korean.txt"), "가");
    assertUnknown(inspect(file, korean));
    CommandRun far = inspect(file, text, "--out", folder.resolve("no/page.html"));
    assertTrue(far.exit() == 2 && far.err().contains("create it first"), far::toString);
  }

  private static void assertUnknown(CommandRun run) {
    assertEquals(2, run.exit());
    assertTrue(run.err().contains("U+AC00"), run::toString);
  }

  @Test
  void levelsKeepTheSignAndTheFewLargestAreCut() {
    float[] values = new float[200];
    values[0] = 100;
    for (int t = 1; t < values.length; t++) {
      values[t] = t % 2 == 0 ? -1 : 0.5f;
    }
    PackedRows.Scaled scaled = PackedRows.scaled(values);
    assertEquals(1, scaled.scale());
    assertArrayEquals(
        new byte[] {30, 23, 0},
        new byte[] {scaled.levels()[0], scaled.levels()[1], scaled.levels()[2]});
    assertEquals(15, PackedRows.scaled(new float[9]).levels()[4], "nothing is 0");
  }
}
