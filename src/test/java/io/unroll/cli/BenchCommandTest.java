package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.unroll.CellSpec;
import io.unroll.device.DeviceKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class BenchCommandTest {
  private static CommandRun bench(Object... more) {
    List<Object> args = new ArrayList<>(List.of("bench"));
    for (String small : List.of("--seconds=0", "--shape=3,2,5,7")) {
      String option = small.substring(0, small.indexOf('='));
      if (Stream.of(more).noneMatch(given -> given.toString().startsWith(option))) {
        args.add(small);
      }
    }
    args.addAll(List.of(more));
    return CommandRun.of(args.toArray());
  }

  @ParameterizedTest
  @MethodSource("io.unroll.RequiredBackendsTest#available")
  void printsOneLineOfJson(String device) {
    String out =
        bench("--device", device, "--cell", "gru", "--layers", "2", "--json").succeeded().out();
    assertEquals(1, out.lines().count(), out);
    JsonObject line = JsonParser.parseString(out).getAsJsonObject();
    assertTrue(
        line.keySet()
            .containsAll(
                Set.of(
                    "device",
                    "cell",
                    "T",
                    "B",
                    "I",
                    "H",
                    "layers",
                    "mode",
                    "precision",
                    "threads",
                    "ms",
                    "gflops",
                    "p25",
                    "p75",
                    "runs",
                    "description",
                    "driver",
                    "cpu",
                    "os",
                    "jdk",
                    "jvm",
                    "software",
                    "unroll",
                    "commit",
                    "flags",
                    "date")),
        out);
    assertEquals(
        "--seconds=0 --shape=3,2,5,7 --device " + device + " --cell gru --layers 2 --json",
        line.get("flags").getAsString());
    Duration age = Duration.between(Instant.parse(line.get("date").getAsString()), Instant.now());
    assertTrue(age.toSeconds() >= 0 && age.toHours() < 1, out);
    assertTrue(line.get("commit").getAsString().matches("[0-9a-f]{12}(-dirty)?|unknown"), out);
    boolean hasDriver = device.equals("cuda") || device.equals("opencl");
    assertEquals(hasDriver, !line.get("driver").getAsString().isEmpty(), out);
    assertTrue(line.get("cpu").getAsString().matches(".+ x [1-9][0-9]*"), out);
    assertEquals("gru", line.get("cell").getAsString());
    assertEquals("train", line.get("mode").getAsString());
    assertEquals(5, line.get("I").getAsInt());
    assertEquals(7, line.get("H").getAsInt());
    assertEquals(Stopwatch.MIN_RUNS, line.get("runs").getAsInt());
    double ms = line.get("ms").getAsDouble();
    assertTrue(ms > 0 && line.get("p25").getAsDouble() <= ms, out);
    assertTrue(line.get("p75").getAsDouble() >= ms, out);
    double operations = 3 * 2.0 * 3 * 2 * ((5 + 7) + (7 + 7)) * 3 * 7;
    assertEquals(operations / ms / 1e6, line.get("gflops").getAsDouble(), 1e-9 * operations);
  }

  @Test
  void ceilingsAreRefusedInWordsWhereThereAreNone() {
    CommandRun.of("bench", "--device", "cpu", "--ceilings")
        .failed(1, "--ceilings is not possible here", "backend \"cpu\"", "cuda has");
  }

  @Test
  void ceilingsMeasureNoNetwork() {
    bench("--device", "cpu", "--ceilings").failed(2, "leave out --shape");
    CommandRun.of("bench", "--ceilings", "--cell", "gru").failed(2, "leave out --cell");
  }

  @Test
  void printsTokensOfAWholeStep() {
    String out = bench("--device", "reference", "--mode", "step").succeeded().out();
    assertTrue(out.contains("layers 1, step") && out.contains(" tokens/s, "), out);
    bench("--device", "reference", "--mode", "step", "--direction", "both")
        .failed(2, "char-rnn", "direction one");
  }

  @Test
  void printsForPeople() {
    String out = bench("--device", "reference", "--mode", "forward").succeeded().out();
    assertTrue(out.startsWith("using reference"), out);
    assertTrue(out.contains("lstm, T=3 B=2 I=5 H=7, layers 1, forward"), out);
    assertTrue(out.contains("GFLOP/s"), out);
  }

  @Test
  void countsTheProductsOfForwardOnce() {
    Shape shape = new Shape(3, 2, 5, 7);
    assertEquals(
        2.0 * 3 * 2 * (5 + 7) * 7,
        BenchCase.of(CellSpec.TANH, shape, 1, BenchCase.Mode.FORWARD).operations());
  }

  private static CommandRun grid(Path folder, String text, Object... more) throws IOException {
    Path file = Files.writeString(folder.resolve("grid.txt"), text);
    List<Object> args = new ArrayList<>(List.of("bench", "--device", "reference", "--grid", file));
    args.addAll(List.of(more));
    if (args.stream().noneMatch("--seconds"::equals)) {
      args.addAll(List.of("--seconds", "0"));
    }
    return CommandRun.of(args.toArray());
  }

  private static List<JsonObject> lines(CommandRun run) {
    return run.out().lines().map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
  }

  @Test
  void timesAGridInOneProcess(@TempDir Path folder) throws IOException {
    String text = "# a remark\n\ntanh,lstm 3,2,5,7\n  gru   2,1,3,4\n";
    List<JsonObject> lines = lines(grid(folder, text).succeeded());
    List<String> cases =
        lines.stream()
            .map(line -> line.get("cell").getAsString() + " " + line.get("mode").getAsString())
            .toList();
    assertEquals(
        List.of(
            "tanh forward", "tanh train", "lstm forward", "lstm train", "gru forward", "gru train"),
        cases);
    for (JsonObject line : lines) {
      assertTrue(line.get("ms").getAsDouble() > 0, line::toString);
      assertEquals("Unroll", line.get("software").getAsString());
    }
    assertEquals(4, lines.get(5).get("H").getAsInt());
  }

  @Test
  void aGridKeepsToItsBudget(@TempDir Path folder) throws IOException {
    String text = "tanh 3,2,5,7\n";
    long begun = System.nanoTime();
    grid(folder, text, "--seconds", "3600", "--budget", "1").succeeded();
    double spent = (System.nanoTime() - begun) / 1e9;
    assertTrue(spent > 0.5 && spent < 1800, spent + " s");
    for (JsonObject line : lines(grid(folder, text, "--budget", "0").succeeded())) {
      assertTrue(line.get("skipped").getAsString().contains("budget"), line::toString);
      assertFalse(line.has("ms"), line::toString);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'lstm 3,2,5,7 forward'|line 1|four integers",
        "'lstm layers=2'|line 1|cells, shapes and options",
        "'lstm 3,2,5,7 mode=infer'|line 1|forward, train, step",
        "'lstm 3,2,5,7 layers=0'|line 1|layers must be",
        "'lstm 3,2,5,7 direction=one,both'|line 1|one of one, both",
        "'lstm 3,2,5,7 lengths=short'|line 1|full, ragged",
        "'lstm 3,2,5,7 precision=INT8'|line 1|BF16",
        "'lstm 3,2,5,7 depth=2'|line 1|no option \"depth\"",
        "'lstm 3,2,5,7 mode=step direction=both'|line 1|char-rnn",
        "'lstm 3,2,1,7 mode=step'|line 1|vocabulary",
        "'gru 3,2,5,7\nlstm 3,2,5'|line 2|four integers",
        "'gru,gruu 3,2,5,7'|line 1|gruu",
        "'# nothing'|no line|lstm",
      })
  void refusesAGridThatMakesNoSense(String text, String first, String second, @TempDir Path folder)
      throws IOException {
    grid(folder, text.replace("\\n", "\n")).failed(2, "grid.txt", first, second);
  }

  @Test
  void aGridTimesWhatItsOptionsSay(@TempDir Path folder) throws IOException {
    String text =
        """
        tanh 4,3,5,7 2,1,3,4  mode=train layers=2 direction=both lengths=ragged  # a remark
        lstm 4,3,5,7          mode=step set=whole
        lstm 4,3,5,7          mode=step precision=FP64,FP32 set=again
        gru  4,3,5,7          precision=BF16
        """;
    List<JsonObject> lines = lines(grid(folder, text).succeeded());
    assertEquals(3, lines.size(), lines::toString);
    JsonObject ragged = lines.get(0);
    assertEquals("both", ragged.get("direction").getAsString());
    assertEquals("ragged", ragged.get("lengths").getAsString());
    assertEquals(2, ragged.get("layers").getAsInt());
    // Rows of 4, 4 and 3 steps; the second layer reads both directions of the first.
    double operations = 3 * 2.0 * 11 * 2 * ((5 + 7) + (14 + 7)) * 7;
    assertEquals(
        operations / ragged.get("ms").getAsDouble() / 1e6,
        ragged.get("gflops").getAsDouble(),
        1e-9 * operations);
    JsonObject step = lines.get(2);
    assertEquals("step", step.get("mode").getAsString());
    assertEquals(
        4 * 3 * 1e3 / step.get("ms").getAsDouble(),
        step.get("tokens_per_s").getAsDouble(),
        1e-9 * step.get("tokens_per_s").getAsDouble());
    // Weights, gradients and two moments of each in float64, and more.
    long weights = 4 * 7 * (5 + 7 + 2) + 8 * 5;
    assertTrue(step.get("memory_mb").getAsDouble() > 4 * 8 * weights / 1e6, step::toString);
    assertFalse(step.has("event_ms"), "the reference has no clock of its own");
    assertEquals(1, lines(grid(folder, text, "--sets", "again").succeeded()).size());
    grid(folder, text, "--sets", "none").failed(2, "no set \"none\"", "whole, again");
  }

  @Test
  void countsRaggedRowsAsTheyAre() {
    BenchCase ragged =
        new BenchCase(CellSpec.TANH, new Shape(9, 4, 5, 7), 1, false, true, BenchCase.Mode.FORWARD);
    assertArrayEquals(new int[] {9, 8, 7, 6}, ragged.lengths());
    assertEquals(2.0 * 30 * (5 + 7) * 7, ragged.operations());
    assertEquals(4.0 * (7 * (5 + 7 + 2) + 30 * (5 + 7)), ragged.leastBytes());
  }

  @Test
  void aGridTakesNoShapeBesides(@TempDir Path folder) throws IOException {
    CommandRun.of("bench", "--grid", folder.resolve("no")).failed(2, "no such file", "check");
    grid(folder, "gru 3,2,5,7", "--mode", "forward").failed(2, "--grid", "--mode");
  }

  @Test
  void interpolatesQuantiles() {
    double[] sorted = {1, 2, 4, 8};
    assertArrayEquals(
        new double[] {1, 1.75, 3, 5, 8},
        new double[] {
          Spread.quantile(sorted, 0),
          Spread.quantile(sorted, 0.25),
          Spread.quantile(sorted, 0.5),
          Spread.quantile(sorted, 0.75),
          Spread.quantile(sorted, 1)
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--shape=3,2,5|four integers|3,2,5",
        "--shape=3,2,5,0|four integers|3,2,5,0",
        "--shape=3,2,5,x|T,B,I,H|3,2,5,x",
        "--cell=gruu|gruu|tanh, relu, gru, lstm",
        "--layers=0|layers|at least 1",
        "--layers=two|two|--layers",
        "--mode=backward|backward|--mode",
        "--direction=back|back|--direction",
        "--lengths=long|long|--lengths",
        "--sets=quick|--sets|--grid",
        "--rows=gemm|--rows|--ceilings",
        "--seconds=-1|--seconds|0 to 3600",
        "--seconds=NaN|--seconds|NaN",
        "--budget=-1|--budget|0 to 3600",
        "--threads=-2|threads|-2",
        "--device=abacus|abacus|reference",
        "--precision=fp8|fp8|--precision"
      })
  void refusesWhatMakesNoSense(String option, String first, String second) {
    bench(option).failed(2, first, second);
  }

  @Test
  void profilesKernelsWhereTheDeviceTellsTheirTimes() {
    DeviceKind.OPENCL.require();
    String out = bench("--device", "opencl", "--profile", "--json").succeeded().out();
    JsonObject line = JsonParser.parseString(out).getAsJsonObject();
    double shares = 0;
    double before = 1;
    for (JsonElement element : line.getAsJsonArray("profile")) {
      JsonObject kernel = element.getAsJsonObject();
      double share = kernel.get("share").getAsDouble();
      assertTrue(share <= before, out);
      assertTrue(kernel.get("launches").getAsInt() >= line.get("runs").getAsInt(), out);
      assertTrue(kernel.get("total_ms").getAsDouble() > 0, out);
      assertTrue(kernel.get("median_us").getAsDouble() > 0, out);
      shares += share;
      before = share;
    }
    assertEquals(1, shares, 1e-9);
    assertTrue(out.contains("\"gemm_nt\"") && out.contains("_backward lstm\""), out);
    String text = bench("--device", "opencl", "--profile").succeeded().out();
    assertTrue(text.contains("On the device, over ") && text.contains("gemm_nt"), text);
  }

  @Test
  void withoutSuchAClockProfilingFails() {
    bench("--device", "reference", "--profile").failed(1, "--profile", "reference", "no clock");
  }

  @Test
  void aPrecisionThatTheDeviceLacksFails() {
    bench("--device", "reference", "--precision", "bf16").failed(1, "BF16", "FP64");
  }

  @Test
  void printsTheStacktraceOnRequest() {
    CommandRun run = bench("--device", "reference", "--precision", "bf16", "--stacktrace");
    assertEquals(1, run.exit());
    assertTrue(run.err().contains("\tat io.unroll."), run.err());
  }
}
