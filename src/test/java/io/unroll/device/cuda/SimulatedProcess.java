package io.unroll.device.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** {@code unroll} in a process of its own, whose simulated driver and device are made ill. */
final class SimulatedProcess {
  private static final long MINUTES = 3;

  private final Process process;
  private final Path output;

  private SimulatedProcess(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /** Skips the test on a real device. */
  static void require() {
    Assumptions.assumeTrue(Devices.first().isSimulated(), "a real device cannot be made ill");
  }

  /**
   * Starts a command line.
   *
   * @param folder for its temporary files and its output
   * @param ills variables of the simulation without their prefix, as {@code FAIL}
   * @param options of Java
   */
  static SimulatedProcess start(
      Path folder, Map<String, String> ills, List<String> options, Object... command)
      throws IOException {
    List<String> line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dunroll.opencl.library=none",
                "-Djava.io.tmpdir=" + folder));
    String images = System.getProperty(Images.PROPERTY);
    if (images != null) {
      line.add("-D" + Images.PROPERTY + "=" + images);
    }
    line.addAll(options);
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.unroll.cli.Main"));
    for (Object word : command) {
      line.add(word.toString());
    }
    Path output = Files.createTempFile(folder, "output", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(output.toFile());
    ills.forEach((name, value) -> builder.environment().put("UNROLL_CUDASIM_" + name, value));
    return new SimulatedProcess(builder.start(), output);
  }

  /** Its output up to now, without what the simulation itself explains. */
  String output() throws IOException {
    return Files.readString(output)
        .lines()
        .filter(line -> !line.startsWith("cudasim: ") && !line.contains("Picked up "))
        .reduce("", (all, line) -> all + line + "\n");
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for its end and gives what it said; fails if its exit code is another. */
  String end(int exit) throws IOException, InterruptedException {
    if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("it does not end: " + output());
    }
    if (process.exitValue() != exit) {
      throw new AssertionError("exit code " + process.exitValue() + ": " + output());
    }
    return output();
  }

  /** Ends it, whatever it does. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }
}
