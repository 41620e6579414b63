package io.unroll.device.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.BackendUnavailableException;
import io.unroll.device.opencl.Hardware.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InstallationTest {
  private static final Installation SEVERAL =
      Installation.of(
          List.of(
              Devices.madeUp(Kind.CPU, "Xeon", "Portable Computing Language", null),
              Devices.madeUp(Kind.GPU, "GeForce RTX 4090", "NVIDIA CUDA", "too old"),
              Devices.madeUp(Kind.ACCELERATOR, "Board", "Boards", null),
              Devices.madeUp(Kind.GPU, "GeForce RTX 3080", "NVIDIA CUDA", null)));

  /** GPUs first, and those of one kind in the order of their drivers. */
  @ParameterizedTest
  @CsvSource({
    "opencl,1",
    "opencl:1,1",
    "opencl:2,2",
    "opencl:3,3",
    "opencl:3080,1",
    "opencl:xeon,3",
    "opencl:Portable,3",
    "opencl: board ,2"
  })
  void selects(String selector, int number) {
    if (selector.equals("opencl:3080")) {
      // Digits alone are a number.
      assertThrows(BackendUnavailableException.class, () -> SEVERAL.select(selector));
      assertEquals(number, SEVERAL.select("opencl:RTX 3080"));
    } else {
      assertEquals(number, SEVERAL.select(selector));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "opencl:4|no device goes by \"4\"",
        "opencl:radeon|no device goes by \"radeon\"",
        "opencl:geforce|several devices go by \"geforce\"",
        "opencl:|nothing stands behind the colon",
        "opencl:0|too old"
      })
  void refusesWithTheDevicesThatThereAre(String selector, String why) {
    String message =
        assertThrows(BackendUnavailableException.class, () -> SEVERAL.select(selector))
            .getMessage();
    assertTrue(message.startsWith("backend \"" + selector + "\" is unavailable: "), message);
    assertTrue(message.contains(why), message);
    assertTrue(message.contains("GeForce RTX 4090"), message);
    assertEquals(!selector.equals("opencl:0"), message.contains("opencl:3 Xeon: CPU"), message);
  }

  @Test
  void tellsNumberKindDriverAndMemory() {
    String text = SEVERAL.describe();
    assertTrue(
        text.contains("opencl:2 Board: accelerator, Boards, driver driver 9, OpenCL 1.2, 1.0 GiB"),
        text);
    assertTrue(text.contains("cannot be used: too old"), text);
  }

  @Test
  void knowsWhetherAGpuServes() {
    assertTrue(SEVERAL.hasGpu() && SEVERAL.isUsable());
    Installation old =
        Installation.of(List.of(Devices.madeUp(Kind.GPU, "GeForce", "CUDA", "too old")));
    assertFalse(old.hasGpu() || old.isUsable());
    Installation cpu = Installation.of(List.of(Devices.madeUp(Kind.CPU, "Xeon", "PoCL", null)));
    assertTrue(!cpu.hasGpu() && cpu.isUsable());
  }

  @Test
  void aDriverWithoutDeviceIsARefusal() {
    Installation none = Installation.of(List.of());
    assertFalse(none.isUsable());
    String message =
        assertThrows(BackendUnavailableException.class, () -> none.select("opencl")).getMessage();
    assertTrue(message.contains("it finds no device"), message);
  }
}
