package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machines that lack something, each in a process of its own: CUDA is looked for once. */
class DriverLibraryTest {
  private static final String JCUDA = "libJCudaDriver-12.6.0-linux-x86_64.so";

  @TempDir Path folder;

  /** Its four lines. Nothing else may be printed, by JCuda or by Java. */
  private List<String> run(String leftOut) throws IOException {
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> leftOut == null || !new File(entry).getName().matches(leftOut))
            .collect(Collectors.joining(File.pathSeparator));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:-UsePerfData",
                "-Dunroll.opencl.library=none",
                "-Dunroll.cpu.native=false",
                "-Djava.io.tmpdir=" + folder,
                "-cp",
                classPath,
                CudaProcess.class.getName())
            .redirectErrorStream(true)
            .start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), output);
      List<String> lines = output.lines().filter(line -> !line.contains("Picked up ")).toList();
      assertEquals(4, lines.size(), output);
      assertEquals(lines.get(0), lines.get(1));
      assertEquals("next: true", lines.get(3));
      return lines;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static void assertMissing(List<String> lines, String why) {
    assertTrue(lines.get(0).startsWith("missing: "), lines.get(0));
    assertTrue(lines.get(0).contains(why), lines.get(0));
  }

  @Test
  void noDriver() throws IOException {
    Assumptions.assumeTrue(
        Installation.found().devices().isEmpty(), "there is a driver on this machine");
    List<String> lines = run(null);
    assertMissing(lines, "the NVIDIA driver (libcuda.so.1 or nvcuda.dll) is not installed");
    assertEquals("left: []", lines.get(2));
  }

  @Test
  void noJcuda() throws IOException {
    assertMissing(run("jcuda-[0-9].*[.]jar"), "JCuda is not on the class path");
  }

  @Test
  void noNativesOfJcuda() throws IOException {
    assertMissing(run("jcuda-natives.*[.]jar"), "add the natives of this system");
  }

  /** What somebody has put where JCuda would look is not loaded. */
  @Test
  void aFileInJcudasPlaceIsNotTouched() throws IOException {
    String answer = run(null).get(0);
    Files.writeString(folder.resolve(JCUDA), "no library");
    List<String> lines = run(null);
    assertEquals(answer, lines.get(0));
    assertEquals("left: [" + JCUDA + "]", lines.get(2));
  }
}
