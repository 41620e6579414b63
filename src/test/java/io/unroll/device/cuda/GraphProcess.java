package io.unroll.device.cuda;

import io.unroll.DeviceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What {@link CommandGraphsTest} lets a process of its own do: the simulation reads settings once.
 */
public final class GraphProcess {
  private static final String RESULT = "result: ";

  private GraphProcess() {}

  /**
   * Runs {@link #main} with settings of the simulation.
   *
   * @return what it has found, a line each
   */
  static List<String> run(Map<String, String> settings, String... options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-ea");
    command.add("-Dunroll.cuda.images=" + System.getProperty("unroll.cuda.images"));
    command.addAll(List.of(options));
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), GraphProcess.class.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(settings);
    Process process = builder.start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new AssertionError(output);
      }
      return output
          .lines()
          .filter(line -> line.startsWith(RESULT))
          .map(line -> line.substring(RESULT.length()))
          .toList();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      process.destroyForcibly();
    }
  }

  /**
   * Trains, and prints the digest and the counts; or the failures of the training and of what comes
   * after it.
   */
  public static void main(String[] args) {
    CudaDevice device = new CudaDevice("cuda:0", Installation.found().devices().get(0));
    try (device;
        SmallTraining training = new SmallTraining(device)) {
      training.steps(3, 10);
      say(training.outcome().digest());
      say(String.valueOf(device.graphCounts()));
    } catch (DeviceException e) {
      say(e.getMessage());
      try {
        device.synchronize();
      } catch (DeviceException | IllegalStateException again) {
        say(again.getMessage());
      }
    }
  }

  private static void say(String line) {
    System.out.println(RESULT + line);
  }
}
