package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The words for what a driver refuses. The driver is asked for the names of its codes. */
class FaultsTest {
  @TempDir Path folder;

  private static final DeviceFiles OPEN =
      new DeviceFiles(Path.of("/dev"), List.of("nvidia0", "nvidiactl"), List.of());

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "34|lib64/stubs|CUDA_ERROR_STUB_LIBRARY (34)",
        "100|hidden by CUDA_VISIBLE_DEVICES|CUDA_ERROR_NO_DEVICE (100)",
        "304|modprobe nvidia-uvm|CUDA_ERROR_OPERATING_SYSTEM (304)",
        "802|nvidia-fabricmanager|CUDA_ERROR_SYSTEM_NOT_READY (802)",
        "803|restart the machine|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)",
        "804|remove cuda-compat|CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE (804)",
        "805|nvidia-cuda-mps-control -d|CUDA_ERROR_MPS_CONNECTION_FAILED (805)",
        "807|try again|CUDA_ERROR_MPS_SERVER_NOT_READY (807)",
        "808|end one of them|CUDA_ERROR_MPS_MAX_CLIENTS_REACHED (808)",
        "999|Install driver 580|CUDA_ERROR_UNKNOWN (999)"
      })
  void saysWhyThereIsNoDevice(int code, String cure, String name) {
    Devices.first();
    String words = Faults.ofInitialization(code, OPEN);
    assertTrue(words.contains(cure) && words.endsWith("(the driver says " + name + ")"), words);
  }

  /** A link to nowhere is a file that nobody can open, root neither. */
  @Test
  void namesTheFileThatCannotBeOpened() throws IOException {
    Devices.first();
    Files.createFile(folder.resolve("nvidiactl"));
    Files.createFile(folder.resolve("nvidia-modeset"));
    Path device = folder.resolve("nvidia0");
    Files.createSymbolicLink(device, folder.resolve("nowhere"));
    DeviceFiles files = DeviceFiles.in(folder);
    assertEquals(List.of("nvidia0", "nvidiactl"), files.names());
    for (int code : new int[] {100, 304}) {
      String words = Faults.ofInitialization(code, files);
      assertTrue(words.contains("may not read and write " + device), words);
      assertTrue(words.contains("usermod -aG"), words);
      assertFalse(words.contains("nvidiactl,"), words);
    }
  }

  @Test
  void saysWhichFilesThereAreWhereNoneIsOfADevice() throws IOException {
    Devices.first();
    Files.createFile(folder.resolve("nvidiactl"));
    String words = Faults.ofInitialization(100, DeviceFiles.in(folder));
    assertTrue(words.contains("(found: nvidiactl)") && words.contains("--gpus all"), words);
    String none = Faults.ofInitialization(304, DeviceFiles.in(folder.resolve("nought")));
    assertTrue(none.contains("(found: none of NVIDIA's)"), none);
  }

  @Test
  void tellsWhoMayOpenAFile() throws IOException {
    Path file = Files.createFile(folder.resolve("nvidia12"));
    assertTrue(DeviceFiles.in(folder).haveDevice());
    Files.setPosixFilePermissions(file, java.util.Set.of());
    List<String> closed = DeviceFiles.in(folder).closed();
    // Root may open it all the same.
    assertTrue(closed.isEmpty() || closed.get(0).contains("(---------, owner "), closed::toString);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "209|-Dunroll.cuda.targets=all|CUDA_ERROR_NO_BINARY_FOR_GPU (209)",
        "222|install driver 580|CUDA_ERROR_UNSUPPORTED_PTX_VERSION (222)",
        "221|libnvidia-ptxjitcompiler.so.1|CUDA_ERROR_JIT_COMPILER_NOT_FOUND (221)",
        "200|build again|CUDA_ERROR_INVALID_IMAGE (200)"
      })
  void saysWhyAnImageIsRefused(int code, String cure, String name) {
    Hardware hardware = Devices.first();
    DeviceException refusal =
        assertThrows(DeviceException.class, () -> Faults.requireLoaded(code, "step-gru", hardware));
    String words = refusal.getMessage();
    assertTrue(words.contains("step-gru") && words.contains(hardware.name()), words);
    assertTrue(words.contains(cure) && words.contains(name), words);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"46|nvidia-smi", "101|nvidia-smi", "2|hold so much of its memory", "808|end one"})
  void saysWhyADeviceCannotBeOpened(int code, String cure) {
    Hardware hardware = Devices.first();
    String words =
        assertThrows(DeviceException.class, () -> Faults.requireOpened(code, hardware))
            .getMessage();
    assertTrue(words.startsWith(hardware.name() + " cannot be opened: "), words);
    assertTrue(words.contains(cure), words);
  }
}
