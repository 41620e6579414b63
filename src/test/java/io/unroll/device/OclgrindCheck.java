package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.CellSpec;
import io.unroll.RequiredBackendsTest;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kernel in Oclgrind, an interpreter that sees what no device reports: accesses outside of a
 * buffer, races between the lanes of a group, barriers that not all of them reach, values that were
 * never written. One line in its log is a failure.
 *
 * <p>Not among the tests of {@code mvn verify}, because it takes minutes: {@code ci/opencl} runs
 * it. Each part has a process of its own, whose environment Oclgrind reads.
 */
class OclgrindCheck {
  private static final String KERNELS = "io/unroll/kernels/";

  /**
   * Instead of a way: whether each value that is read was written. Only for what reads buffers that
   * the host has written whole: of a buffer filled or written in parts Oclgrind 21.10 remembers the
   * last part alone, so scratch of a device looks as if nobody had written it.
   */
  private static final String WRITTEN = "written";

  /** Where systems put it; {@code -Dunroll.oclgrind=FILE} names another. */
  private static final List<String> LIBRARIES =
      List.of(
          "/usr/lib/oclgrind/liboclgrind-rt.so",
          "/usr/lib64/oclgrind/liboclgrind-rt.so",
          "/usr/local/lib/liboclgrind-rt.so",
          "/usr/local/lib/oclgrind/liboclgrind-rt.so");

  private static Path library;

  @TempDir Path folder;

  /** Skips without Oclgrind; {@code -Dunroll.require=oclgrind} makes that a failure. */
  @BeforeAll
  static void find() {
    String given = System.getProperty("unroll.oclgrind");
    List<String> places = given == null ? LIBRARIES : List.of(given);
    library = places.stream().map(Path::of).filter(Files::isRegularFile).findFirst().orElse(null);
    String refusal = "Oclgrind is not installed (Debian: apt-get install oclgrind): " + places;
    assertFalse(
        library == null && RequiredBackendsTest.required().contains("oclgrind"), () -> refusal);
    assumeTrue(library != null, refusal);
  }

  /** A process's output and Oclgrind's log. */
  private record Outcome(int exit, String output, String log) {}

  private Outcome run(String part, int group, String way, List<Path> before) throws IOException {
    Path log = folder.resolve("log.txt");
    Path output = folder.resolve("output.txt");
    String classPath =
        Stream.concat(before.stream().map(Path::toString), classPath())
            .reduce((a, b) -> a + File.pathSeparator + b)
            .orElseThrow();
    Process process = start(part, group, way, classPath, log, output);
    try {
      assertTrue(process.waitFor(5, TimeUnit.MINUTES), () -> part + " hangs");
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      process.destroyForcibly();
    }
    assertTrue(Files.exists(log), () -> "Oclgrind wrote no log, so nobody watched");
    return new Outcome(process.exitValue(), Files.readString(output), Files.readString(log));
  }

  private static Stream<String> classPath() {
    return Stream.of(System.getProperty("java.class.path"));
  }

  /**
   * Starts it.
   *
   * @param way one of the ways that a GPU has to run a recurrence; or {@link #WRITTEN}
   */
  private Process start(String part, int group, String way, String classPath, Path log, Path output)
      throws IOException {
    boolean written = way.equals(WRITTEN);
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-ea",
            "--enable-native-access=ALL-UNNAMED",
            "-Dunroll.opencl.library=" + library,
            "-Dunroll.opencl.group=" + group,
            "-Dunroll.opencl.cache=off",
            "-Dunroll.test.guards=0",
            "-Dunroll.gpu.recurrence=" + (written ? "any" : way),
            "-cp",
            classPath,
            OclgrindRun.class.getName(),
            part);
    Map<String, String> environment = builder.environment();
    environment.putAll(
        Map.of(
            "OCLGRIND_CHECK_API", "1",
            "OCLGRIND_DATA_RACES", "1",
            "OCLGRIND_LOG", log.toString(),
            "OCLGRIND_UNIFORM_WRITES", "1"));
    if (written) {
      // Not optimized, because a compiler may use a value that nobody wrote as it likes.
      environment.putAll(
          Map.of("OCLGRIND_BUILD_OPTIONS", "-cl-opt-disable", "OCLGRIND_UNINITIALIZED", "1"));
    }
    return builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
  }

  static Stream<Arguments> parts() {
    Stream<Arguments> cells =
        CellSpec.all().stream()
            .flatMap(
                cell ->
                    Stream.of("sequence", "step").map(way -> Arguments.of(cell.name(), 64, way)));
    return Stream.concat(
        Stream.of(
            Arguments.of(OclgrindRun.KERNELS, 64, WRITTEN),
            Arguments.of(OclgrindRun.PRODUCTS, 64, WRITTEN),
            Arguments.of(OclgrindRun.KERNELS, 256, "any"),
            Arguments.of(OclgrindRun.PRODUCTS, 256, "any"),
            Arguments.of("lstm", 256, "sequence"),
            Arguments.of("lstm", 256, "step"),
            Arguments.of(OclgrindRun.TRAINING, 64, "any")),
        cells);
  }

  @ParameterizedTest(name = "{0} in groups of {1}, {2}")
  @MethodSource("parts")
  void nothingIsFound(String part, int group, String way) throws IOException {
    Outcome outcome = run(part, group, way, List.of());
    assertEquals("", outcome.log, outcome.output);
    assertEquals(0, outcome.exit, outcome.output);
    assertTrue(outcome.output.contains("Oclgrind"), outcome.output);
  }

  /**
   * A mistake in one kernel.
   *
   * @param what how one would describe it
   * @param file below kernels/
   * @param right what stands there, once
   * @param wrong what is put in its place
   * @param part the run that uses it
   * @param way that of the run
   * @param found what Oclgrind says then
   */
  record Fault(
      String what, String file, String right, String wrong, String part, String way, String found) {
    @Override
    public String toString() {
      return what;
    }
  }

  /** A line of group_sum. */
  private static final String SUM_OF_FIRST =
      "  for (int lane = 1; lane < FIRST_LANES; lane++) value += ";

  static Stream<Fault> faults() {
    String race = "data race";
    return Stream.of(
        new Fault(
            "no barrier between writing and reading the sums of columns",
            "gpu/reductions.h",
            "    sums[LANE] = sum;\n    BARRIER();",
            "    sums[LANE] = sum;",
            OclgrindRun.KERNELS,
            "any",
            race),
        new Fault(
            "no barrier before the first step of a sequence",
            "gpu/sequence.h",
            "      slice[floats + e] = 0.0f;\n    }\n    BARRIER();",
            "      slice[floats + e] = 0.0f;\n    }",
            "gru",
            "sequence",
            race),
        new Fault(
            "a barrier that only the first lanes reach",
            "gpu/group.h",
            "  }\n  BARRIER();\n  value = scratch[0];\n" + SUM_OF_FIRST,
            "    BARRIER();\n  }\n  value = scratch[0];\n" + SUM_OF_FIRST,
            OclgrindRun.KERNELS,
            "any",
            "divergence"),
        new Fault(
            "one element too many read",
            "gpu/reductions.h",
            "first + LANE < rows ? AT(index",
            "first + LANE <= rows ? AT(index",
            OclgrindRun.KERNELS,
            "any",
            "Invalid read"),
        new Fault(
            "one element too many written",
            "gpu/launch.h",
            "i < items; i += GROUPS * GROUP",
            "i <= items; i += GROUPS * GROUP",
            OclgrindRun.KERNELS,
            "any",
            "Invalid write"),
        new Fault(
            "sums that begin anywhere",
            "gpu/gemm.h",
            "for (int j = 0; j < MICRO; j++) sum[i][j] = 0.0f;",
            ";",
            OclgrindRun.PRODUCTS,
            WRITTEN,
            "Uninitialized"));
  }

  /** A check that cannot go red is none. */
  @ParameterizedTest
  @MethodSource("faults")
  void plantedFaultIsFound(Fault fault) throws IOException {
    Path kernels = folder.resolve("planted");
    Path file = kernels.resolve(KERNELS + fault.file);
    Files.createDirectories(file.getParent());
    Files.writeString(file, plant(fault));
    Outcome outcome = run(fault.part, 64, fault.way, List.of(kernels));
    assertTrue(outcome.log.contains(fault.found), () -> outcome.log + outcome.output);
  }

  private static String plant(Fault fault) throws IOException {
    String name = "/" + KERNELS + fault.file;
    try (InputStream content = OclgrindCheck.class.getResourceAsStream(name)) {
      String text = new String(content.readAllBytes(), StandardCharsets.UTF_8);
      int at = text.indexOf(fault.right);
      assertTrue(at >= 0 && at == text.lastIndexOf(fault.right), () -> fault + " fits not once");
      return text.replace(fault.right, fault.wrong);
    }
  }
}
