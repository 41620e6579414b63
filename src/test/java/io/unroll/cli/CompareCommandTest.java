package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompareCommandTest {
  private static final int PAIRS = 9;
  private static final int NOISY_PAIRS = 12;

  @TempDir Path folder;

  /** A line of bench about one cell, which other fields follow. */
  private static String line(int second, String cell, String rest) {
    return """
        {"device":"cpu","cell":"%s","T":64,"B":32,"I":128,"H":128,"layers":1,"mode":"train",\
        "precision":"FP32","threads":2,"description":"cpu (native)","driver":"","cpu":"x","os":"y",\
        "jdk":"17","jvm":"","unroll":"0.1.0","commit":"abc","date":"%s",%s}
        """
        .formatted(cell, Instant.EPOCH.plusSeconds(second), rest);
  }

  private static String ms(double ms) {
    return "\"ms\":" + ms;
  }

  private Path file(String name, List<String> lines) throws IOException {
    return Files.writeString(folder.resolve(name), String.join("", lines));
  }

  /** Two sides that took turns, in which every pass of A took 10 ms and of B factor times that. */
  private void steady(double factor) throws IOException {
    List<String> a = new ArrayList<>();
    List<String> b = new ArrayList<>();
    for (int i = 0; i < PAIRS; i++) {
      a.add(line(2 * i, "gru", ms(10)));
      b.add(line(2 * i + 1, "gru", ms(10 * factor)));
    }
    file("a", a);
    file("b", b);
  }

  private CommandRun compare(Object... more) {
    List<Object> args =
        new ArrayList<>(List.of("bench", "compare", folder.resolve("a"), folder.resolve("b")));
    args.addAll(List.of(more));
    return CommandRun.of(args.toArray());
  }

  private static JsonObject json(CommandRun run) {
    assertEquals("", run.err());
    assertEquals(1, run.out().lines().count(), run.out());
    return JsonParser.parseString(run.out()).getAsJsonObject();
  }

  private static String verdict(CommandRun run) {
    JsonArray rows = json(run).getAsJsonArray("rows");
    assertEquals(1, rows.size(), rows::toString);
    return rows.get(0).getAsJsonObject().get("verdict").getAsString();
  }

  /**
   * A shared machine: its speed wanders by up to 30 %, each pass is off by 2 % besides, and one of
   * twenty takes half as long again.
   */
  private void noisy(long seed, double factor, boolean inTurns) throws IOException {
    Random random = new Random(seed);
    List<List<String>> sides = List.of(new ArrayList<>(), new ArrayList<>());
    double drift = 1;
    for (int i = 0; i < 2 * NOISY_PAIRS; i++) {
      int side = inTurns ? i % 2 : i / NOISY_PAIRS;
      drift = Math.max(1, Math.min(1.3, drift * (1 + 0.02 * random.nextGaussian())));
      double own = 1 + 0.02 * random.nextGaussian();
      double disturbed = random.nextInt(20) == 0 ? 1.5 : 1;
      double time = 10 * drift * own * disturbed * (side == 1 ? factor : 1);
      sides.get(side).add(line(i, "gru", ms(time)));
    }
    file("a", sides.get(0));
    file("b", sides.get(1));
  }

  @Test
  void seesAFifthThroughNoiseAndDriftAndNothingWhereNothingIs() throws IOException {
    int seen = 0;
    int falseAlarms = 0;
    int trials = 100;
    for (int seed = 0; seed < trials; seed++) {
      noisy(seed, 1.2, true);
      seen += verdict(compare("--json")).equals("slower") ? 1 : 0;
      noisy(seed, 1, true);
      String verdict = verdict(compare("--json"));
      falseAlarms += verdict.equals("slower") || verdict.equals("faster") ? 1 : 0;
    }
    assertTrue(seen >= 0.95 * trials, seen + " of " + trials + " seen");
    assertTrue(falseAlarms <= 0.01 * trials, falseAlarms + " false alarms in " + trials);
  }

  /** The factor is the machine's: it was slower while B was measured. */
  @Test
  void driftBetweenSidesThatTookNoTurnsIsNoSlowdown() throws IOException {
    int alarms = 0;
    int without = 0;
    int trials = 50;
    for (int seed = 0; seed < trials; seed++) {
      noisy(seed, 1.15, false);
      alarms += verdict(compare("--json")).equals("uncertain") ? 0 : 1;
      without += verdict(compare("--json", "--drift", "0")).equals("slower") ? 1 : 0;
    }
    assertEquals(0, alarms);
    assertTrue(without > trials / 2, without + " false alarms without --drift");
    assertTrue(compare().out().contains("took no turns"), compare().out());
  }

  @Test
  void printsWhatBecameSlowerAndEndsWith1() throws IOException {
    steady(1.2);
    CommandRun run = compare();
    assertEquals(1, run.exit(), run::toString);
    for (String word :
        List.of(
            "cpu gru 64,32,128,128 train FP32 2t",
            "1.200  1.200 to 1.200",
            "slower",
            "1 slower, 0 faster, 0 same, 0 uncertain",
            "Unroll 0.1.0 at abc")) {
      assertTrue(run.out().contains(word), () -> word + " in " + run.out());
    }
    assertFalse(run.out().contains("WARNING"), run.out());
    assertEquals("slower", verdict(compare("--json", "--threshold", "19.9")));
    assertEquals("same", verdict(compare("--json", "--threshold", "20.1")));
    steady(1 / 1.2);
    assertTrue(compare().succeeded().out().contains("1 faster"));
  }

  @Test
  void equalFilesAreTheSame() throws IOException {
    steady(1);
    assertEquals("same", verdict(compare("--json").succeeded()));
    CommandRun self = CommandRun.of("bench", "compare", folder.resolve("b"), folder.resolve("b"));
    assertTrue(self.succeeded().out().contains("1 same"), self.out());
    assertFalse(self.out().contains("WARNING"), self.out());
  }

  @Test
  void fewPassesAreUncertainHoweverFarApart() throws IOException {
    file("a", List.of(line(0, "gru", ms(1))));
    file("b", List.of(line(1, "gru", ms(9))));
    String out = compare().succeeded().out();
    assertTrue(out.contains("9.000") && out.contains("uncertain: needs 6 pairs"), out);
    JsonObject row = json(compare("--json")).getAsJsonArray("rows").get(0).getAsJsonObject();
    assertFalse(row.has("low"), row::toString);
  }

  @Test
  void severalFilesAreOneSide() throws IOException {
    for (int part = 0; part < 3; part++) {
      List<String> a = new ArrayList<>();
      List<String> b = new ArrayList<>();
      for (int i = 6 * part; i < 6 * part + 6; i += 2) {
        a.add(line(i, "gru", ms(10)));
        b.add(line(i + 1, "gru", ms(10)));
      }
      file("a" + part, a);
      file("b" + part, b);
    }
    Path a = folder.resolve("a");
    Path b = folder.resolve("b");
    CommandRun run =
        CommandRun.of("bench", "compare", a + "2," + a + "0," + a + "1", b + "0," + b + "1");
    assertTrue(run.succeeded().out().contains("    6  same"), run.out());
    assertFalse(run.out().contains("WARNING"), run.out());
  }

  @Test
  void namesWhatOnlyOneSideHas() throws IOException {
    steady(1);
    append("a", line(0, "lstm", ms(1)) + line(0, "relu", ms(1)) + "\n");
    append("b", line(0, "tanh", ms(1)) + line(0, "relu", "\"skipped\":\"no time\""));
    String out = compare().succeeded().out();
    assertTrue(out.contains("lstm 64,32,128,128 train FP32 2t has figures only in A"), out);
    assertTrue(out.contains("relu 64,32,128,128 train FP32 2t has figures only in A"), out);
    assertTrue(out.contains("tanh 64,32,128,128 train FP32 2t has figures only in B"), out);
    Files.delete(folder.resolve("a"));
    append("a", line(0, "lstm", ms(1)));
    compare().failed(2, "no case in common", "lstm", "only in A");
  }

  @Test
  void aCaseThatFailsInBAloneIsWorse() throws IOException {
    steady(1);
    append("b", line(40, "gru", "\"error\":\"the output holds NaN\""));
    CommandRun run = compare();
    assertEquals(1, run.exit());
    assertTrue(run.out().contains("fails in B: the output holds NaN"), run.out());
    append("a", line(40, "gru", "\"error\":\"the output holds NaN\""));
    assertTrue(compare().succeeded().out().contains("fails in A: the output holds NaN"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"description\":\"cpu (native)\"|\"description\":\"cpu (Java)\"|\"cpu (Java)\" in B",
        "\"driver\":\"\"|\"driver\":\"CUDA 13.0\"|\"CUDA 13.0\" in B",
        "\"jdk\":\"17\"|\"jdk\":\"25\"|jdk is \"17\" in A, but \"25\" in B",
        "\"cpu\":\"x\"|\"cpu\":\"z\"|cpu is \"x\" in A, but \"z\" in B",
        "\"os\":\"y\",| |os is \"y\" in A, but \"not known\" in B",
        "\"jvm\":\"\"|\"jvm\":\"-Xint\"|\"-Xint\" in B",
      })
  void saysWhatElseDiffers(String from, String to, String said) throws IOException {
    steady(1);
    Path b = folder.resolve("b");
    Files.writeString(b, Files.readString(b).replace(from, to == null ? "" : to));
    String out = compare().succeeded().out();
    assertTrue(out.contains("WARNING: ") && out.contains(said), out);
    JsonArray warnings = json(compare("--json")).getAsJsonArray("warnings");
    assertEquals(1, warnings.size());
    assertTrue(warnings.get(0).getAsString().contains(said), warnings::toString);
  }

  @Test
  void otherThreadsArePartOfTheCaseOnTheCpuAlone() throws IOException {
    steady(1);
    Path b = folder.resolve("b");
    Files.writeString(b, Files.readString(b).replace("\"threads\":2", "\"threads\":1"));
    compare().failed(2, "no case in common");
    for (String side : List.of("a", "b")) {
      Path file = folder.resolve(side);
      Files.writeString(
          file, Files.readString(file).replace("\"cpu\",\"cell", "\"cuda:1\",\"cell"));
    }
    assertTrue(compare().succeeded().out().contains("\ncuda gru 64,32,128,128 train FP32 "));
  }

  private static String ceiling(int second, String fields) {
    return """
        {"device":"cuda","ceiling":"copy","of":"by the driver",%s,"date":"%s"}
        """
        .formatted(fields, Instant.EPOCH.plusSeconds(second));
  }

  @Test
  void aHigherRateIsFaster() throws IOException {
    List<String> a = new ArrayList<>();
    List<String> b = new ArrayList<>();
    for (int i = 0; i < PAIRS; i++) {
      String figure = "\"outcome\":\"measured\",\"unit\":\"GB/s\",\"median\":";
      a.add(ceiling(2 * i, figure + 1000));
      b.add(ceiling(2 * i + 1, figure + 800));
    }
    String fact = "\"outcome\":\"measured\",\"unit\":\"\",\"median\":7";
    a.add(ceiling(99, fact).replace("copy", "reported"));
    file("a", a);
    file("b", b);
    CommandRun run = compare();
    assertEquals(1, run.exit(), run::toString);
    assertTrue(run.out().contains("cuda copy, by the driver"), run.out());
    assertFalse(run.out().contains("reported"), run.out());
    assertTrue(run.out().contains("1.250  1.250 to 1.250"), run.out());
    append("b", ceiling(99, "\"outcome\":\"failed\",\"why\":\"a stale word\""));
    assertTrue(compare().out().contains("fails in B: a stale word"));
    append("b", ceiling(99, "\"outcome\":\"not_run\",\"why\":\"needs sm_90\""));
    assertFalse(compare().out().contains("sm_90"));
    Path second = folder.resolve("b");
    Files.writeString(second, Files.readString(second).replace("GB/s", "us"));
    assertTrue(compare().out().contains("is in GB/s in A, but in us in B"), compare().out());
  }

  private void append(String name, String lines) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, (Files.exists(file) ? Files.readString(file) : "") + lines);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"cell\":\"gru\"|an object with cell or ceiling",
        "no JSON at all|no JSON at all",
        "[1]|[1]",
        "{\"kind\":\"environment\"}|cell or ceiling",
        "{\"cell\":\"gru\",\"device\":\"cpu\"}|has no \"T\"",
        "{\"ceiling\":\"copy\",\"of\":\"x\"}|has no \"device\"",
      })
  void aBrokenLineIsNamed(String broken, String said) throws IOException {
    steady(1);
    append("b", "\n" + broken + "\n");
    compare().failed(2, folder.resolve("b") + ", line " + (PAIRS + 2) + ": ", said);
  }

  @ParameterizedTest
  @CsvSource({"0", "-1", "NaN", "\"1\"", "null"})
  void aMedianMustBeANumberAbove0(String figure) throws IOException {
    steady(1);
    append("b", line(30, "gru", "\"ms\":" + figure));
    compare().failed(2, "line " + (PAIRS + 1), "above 0, but is ", figure);
  }

  @Test
  void refusesWhatMakesNoSense() throws IOException {
    steady(1);
    compare("--threshold", "-1").failed(2, "--threshold", "0 to 1000");
    compare("--drift", "NaN").failed(2, "--drift", "NaN");
    CommandRun.of("bench", "compare", folder.resolve("a")).failed(2, "B");
    CommandRun.of("bench", "compare", folder.resolve("a"), folder.resolve("no"))
        .failed(2, "no such file");
    append("b", line(30, "gru", ms(1)).replace("T00:", "?"));
    compare().failed(2, "line " + (PAIRS + 1), "date must be like");
  }

  @Test
  void readsWhatBenchPrints() throws IOException {
    String text =
        """
        gru,lstm 3,2,5,7
        gru 3,2,5,7 mode=train direction=both
        gru 3,2,5,7 mode=train lengths=ragged
        """;
    Path grid = Files.writeString(folder.resolve("grid"), text);
    for (int i = 0; i < 6; i++) {
      for (String side : List.of("a", "b")) {
        CommandRun run =
            CommandRun.of("bench", "--device", "reference", "--seconds", "0", "--grid", grid);
        append(side, run.succeeded().out());
      }
    }
    JsonObject found = json(compare("--json"));
    assertEquals(6, found.getAsJsonArray("rows").size(), found::toString);
    assertEquals("[]", found.getAsJsonArray("warnings").toString());
    assertEquals("[]", found.getAsJsonArray("gaps").toString());
    for (int i = 0; i < 6; i++) {
      JsonObject row = found.getAsJsonArray("rows").get(i).getAsJsonObject();
      assertTrue(row.get("in_turns").getAsBoolean(), row::toString);
      assertEquals(6, row.get("pairs").getAsInt());
    }
  }
}
