package io.unroll.device.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.device.DeviceKind;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machines that lack something, each in a process of its own: OpenCL is looked for once. */
class LoaderTest {
  @TempDir Path folder;

  /** Its five lines. Nothing else may be printed, by LWJGL or by Java. */
  private static List<String> run(
      String leftOut, Map<String, String> environment, String... options) throws IOException {
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> leftOut == null || !new File(entry).getName().matches(leftOut))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", classPath, OpenClProcess.class.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), output);
      return output.lines().filter(line -> !line.contains("Picked up ")).toList();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static void assertMissing(List<String> lines, String why) {
    assertEquals(4, lines.size(), () -> String.join("\n", lines));
    assertTrue(lines.get(0).startsWith("missing: ") && lines.get(0).contains(why), lines.get(0));
    assertEquals(lines.get(0), lines.get(1));
    assertTrue(
        lines.get(2).startsWith("refused: backend \"opencl\" is unavailable: "), lines.get(2));
    assertTrue(lines.get(2).contains(why), lines.get(2));
    assertTrue(lines.get(3).startsWith("using cpu"), lines.get(3));
    assertTrue(lines.get(3).contains(why), lines.get(3));
  }

  @Test
  void noLoader() throws IOException {
    assertMissing(
        run(null, Map.of(), "-Dunroll.opencl.library=libnowhere.so.1"),
        "-Dunroll.opencl.library=libnowhere.so.1 cannot be loaded");
  }

  @Test
  void noOpenClLibrary() throws IOException {
    Path file = Files.writeString(folder.resolve("libOpenCL.so"), "no library");
    assertMissing(
        run(null, Map.of(), "-Dunroll.opencl.library=" + file), file + " cannot be loaded");
  }

  @Test
  void noDriver() throws IOException {
    DeviceKind.OPENCL.require();
    assertMissing(
        run(null, Map.of("OCL_ICD_VENDORS", folder.toString())),
        "the OpenCL loader is installed, but no driver");
  }

  @Test
  void noDevice() throws IOException {
    Assumptions.assumeTrue(
        Devices.first().platformVersion().contains("PoCL"), "only PoCL can do without devices");
    assertMissing(run(null, Map.of("POCL_DEVICES", "none")), "it finds no device");
  }

  @Test
  void noLwjgl() throws IOException {
    assertMissing(run("lwjgl-.*[.]jar", Map.of()), "LWJGL is not on the class path");
    assertMissing(run("lwjgl-opencl-.*[.]jar", Map.of()), "LWJGL is not on the class path");
  }

  /** Here LWJGL prints besides. */
  @Test
  void noNativesOfLwjgl() throws IOException {
    List<String> lines =
        run("lwjgl-.*natives.*[.]jar", Map.of()).stream()
            .filter(line -> line.matches("(missing|refused|using)\\b.*"))
            .toList();
    assertMissing(lines, "add the natives of this system");
  }

  @Test
  void everythingIsThere() throws IOException {
    Hardware first = Devices.first();
    List<String> lines = run(null, Map.of());
    assertEquals(4, lines.size(), () -> String.join("\n", lines));
    assertTrue(lines.get(0).startsWith("available: opencl:0 "), lines.get(0));
    assertTrue(lines.get(2).startsWith("opened: opencl:"), lines.get(2));
    assertTrue(lines.get(2).contains(first.name()), lines.get(2));
    boolean gpu = Installation.found().hasGpu();
    assertTrue(lines.get(3).startsWith(gpu ? "using opencl" : "using cpu"), lines.get(3));
    assertEquals(!gpu, lines.get(3).contains("there is no GPU that it can use"), lines.get(3));
  }
}
