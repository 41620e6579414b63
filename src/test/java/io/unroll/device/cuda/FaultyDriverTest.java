package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a user sees of a driver or a device that refuses or fails: whole command lines, each in a
 * process of its own, on the simulated device.
 */
class FaultyDriverTest {
  private static final Map<String, String> WELL = Map.of();
  private static final int STEPS = 12;

  /** Late enough for the first checkpoint, early enough for the end; kernels that run. */
  private static final int KERNELS = 180;

  @TempDir Path folder;

  @BeforeEach
  void simulated() {
    SimulatedProcess.require();
  }

  private SimulatedProcess start(Map<String, String> ills, Object... command) throws IOException {
    return SimulatedProcess.start(folder, ills, List.of(), command);
  }

  private SimulatedProcess train(Map<String, String> ills, Object... more) throws IOException {
    Path text = folder.resolve("text.txt");
    if (!Files.exists(text)) {
      Files.writeString(text, "hickory dickory dock, the mouse ran up the clock. ".repeat(40));
    }
    List<Object> command =
        new ArrayList<>(List.of("train", "--device", "cuda", "--quiet", "--sample-every", 0));
    command.addAll(Arrays.asList(more));
    if (!command.contains("--resume")) {
      command.addAll(
          List.of(text, "--cell", "gru", "--layers", 1, "--hidden", 12, "--seq-length", 6));
      command.addAll(List.of("--embedding", 5, "--evaluate-every", 1000));
      if (!command.contains("--batch")) {
        command.addAll(List.of("--batch", 3));
      }
    }
    return start(ills, command.toArray());
  }

  private static void assertSays(String said, String... words) {
    for (String word : words) {
      assertTrue(said.contains(word), () -> "no \"" + word + "\" in " + said);
    }
    assertFalse(said.contains("\tat "), said);
    assertFalse(said.contains("a defect of Unroll"), said);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cuInit:1:803|of different versions",
        "cuInit:1:804|cuda-compat",
        "cuInit:1:304|CUDA_ERROR_OPERATING_SYSTEM (304)",
        "cuDeviceGetCount:1:100|CUDA_ERROR_NO_DEVICE (100)"
      })
  void theDoctorSaysWhyThereIsNone(String fail, String why)
      throws IOException, InterruptedException {
    String said = start(Map.of("FAIL", fail), "doctor").end(0);
    String line = said.lines().filter(each -> each.contains("  cuda  ")).findFirst().orElse(said);
    assertSays(line, "unavailable", why);
  }

  @Test
  void aDriverThatIsOlderThanTheImagesIsRefused() throws IOException, InterruptedException {
    Path images = Files.createDirectory(folder.resolve("images"));
    Files.writeString(images.resolve("elements.fatbin"), "UNROLL_CUDASIM elements\n");
    Files.writeString(images.resolve("keys.txt"), "elements\n");
    Files.writeString(images.resolve("targets.txt"), "13.0 sm_90a compute_80\n");
    String option = "-D" + Images.PROPERTY + "=" + images;
    for (String version : List.of("12080", "13000")) {
      String said =
          SimulatedProcess.start(folder, Map.of("DRIVER", version), List.of(option), "doctor")
              .end(0);
      assertEquals(
          version.equals("12080"),
          said.contains(
              "its driver has CUDA 12.8, the kernels are of CUDA 13.0: install driver 580"),
          said);
    }
  }

  @ParameterizedTest
  @CsvSource({"209,targets=all", "222,install driver 580"})
  void anImageThatTheDriverRefusesIsNamed(int code, String cure)
      throws IOException, InterruptedException {
    String said = train(Map.of("FAIL", "cuModuleLoadData:1:" + code), "--steps", 1).end(1);
    assertSays(said, "does not take the kernels ", "(" + code + ")", cure);
  }

  @Test
  void aProhibitedDeviceSaysWhoOpensIt() throws IOException, InterruptedException {
    String said = train(Map.of("MODE", "prohibited"), "--steps", 1).end(1);
    assertSays(said, "backend \"cuda\" is unavailable", "Prohibited", "nvidia-smi -c DEFAULT");
  }

  @Test
  void anExclusiveDeviceIsOneProcessesOnly() throws IOException, InterruptedException {
    Map<String, String> exclusive = Map.of("MODE", "exclusive:" + folder.resolve("lock"));
    SimulatedProcess first = train(exclusive, "--minutes", 5);
    try {
      while (first.isAlive() && !first.output().contains("parameters")) {
        Thread.sleep(20);
      }
      String said = train(exclusive, "--steps", 1).end(1);
      assertSays(said, "unavailable", "Exclusive_Process", "CUDA_ERROR_DEVICE_UNAVAILABLE (46)");
      assertTrue(first.isAlive(), first.output());
    } finally {
      first.kill();
    }
    train(exclusive, "--steps", 1, "--out", folder.resolve("after")).end(0);
  }

  /** They unpack JCuda's library at the same time, and train the same. */
  @Test
  void twoProcessesShareADevice() throws IOException, InterruptedException {
    List<SimulatedProcess> both =
        List.of(
            train(WELL, "--steps", STEPS, "--out", folder.resolve("one")),
            train(WELL, "--steps", STEPS, "--out", folder.resolve("two")));
    for (SimulatedProcess each : both) {
      each.end(0);
    }
    assertArrayEquals(weights("one"), weights("two"));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(
          List.of(), left.filter(file -> file.getFileName().toString().contains("jcuda")).toList());
    }
  }

  private byte[] weights(String run) throws IOException {
    return Files.readAllBytes(folder.resolve(run).resolve("checkpoint.safetensors"));
  }

  @Test
  void whatDoesNotFitIsRefusedWithThePlanAndTheLargestBatch()
      throws IOException, InterruptedException {
    Map<String, String> small = Map.of("MEMORY", "400000");
    String said = train(small, "--batch", 70, "--steps", 1).end(1);
    assertSays(said, "a batch of 70 needs", "activations", "holds 0.4 MB");
    String largest = said.replaceAll("(?s).*the largest batch that fits is (\\d+).*", "$1");
    assertTrue(Integer.parseInt(largest) < 70, said);
    train(small, "--batch", largest, "--steps", 2).end(0);
  }

  @Test
  void memoryThatOthersHoldIsNamed() throws IOException, InterruptedException {
    Map<String, String> taken = Map.of("MEMORY", "4000000", "TAKEN", "3600000");
    String said = train(taken, "--batch", 70, "--steps", 1).end(1);
    assertSays(
        said,
        "are free, so other processes and the driver hold",
        "CUDA_ERROR_OUT_OF_MEMORY (2)",
        "a batch of 70 needs",
        "but not all of it was free; a batch of");
  }

  @ParameterizedTest
  @ValueSource(ints = {700, 719})
  void trainingGoesOnFromTheCheckpointAfterADeviceFailed(int code)
      throws IOException, InterruptedException {
    Path whole = folder.resolve("whole");
    train(WELL, "--steps", STEPS, "--out", whole).end(0);
    Path broken = folder.resolve("broken");
    Map<String, String> fails = Map.of("FAIL", "kernel:" + KERNELS + ":" + code);
    String said = train(fails, "--steps", STEPS, "--checkpoint-every", 2, "--out", broken).end(1);
    assertSays(
        said,
        "error: backend \"cuda:0\" failed",
        "(" + code + ")",
        "can only be closed",
        "the checkpoint " + broken.resolve("checkpoint.safetensors") + " is of step ",
        "in a new process, with: java -jar target/unroll-cli.jar train --resume "
            + broken
            + " --device cuda");
    assertFalse(said.contains("WARNING"), said);
    int step = Integer.parseInt(said.replaceAll("(?s).* is of step (\\d+).*", "$1"));
    assertTrue(step >= 2 && step < STEPS && step % 2 == 0, said);
    train(WELL, "--resume", broken, "--steps", STEPS).end(0);
    assertArrayEquals(weights("whole"), weights("broken"));
  }

  @Test
  void aFailureBeforeTheFirstCheckpointSaysSo() throws IOException, InterruptedException {
    String said =
        train(Map.of("FAIL", "kernel:60:700"), "--steps", STEPS, "--out", folder.resolve("new"))
            .end(1);
    assertSays(said, "no checkpoint had been written yet", "--checkpoint-every");
  }

  @Test
  void ceilingsAreMeasuredOverMoreBlocks() throws IOException, InterruptedException {
    String said =
        start(
                Map.of("PROCESSORS", "24"),
                "bench",
                "--device",
                "cuda",
                "--ceilings",
                "--json",
                "--seconds",
                "0")
            .end(0);
    for (String name : List.of("grid_sync", "flag_in_data", "flags")) {
      assertTrue(
          said.lines()
              .anyMatch(
                  line ->
                      line.contains("\"" + name + "\"")
                          && line.contains("\"24 blocks\"")
                          && line.contains("\"measured\"")
                          && line.contains("\"simulated: figures mean nothing\"")),
          said);
    }
  }
}
