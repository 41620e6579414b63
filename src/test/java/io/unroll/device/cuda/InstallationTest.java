package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.BackendUnavailableException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InstallationTest {
  private static final Installation SEVERAL =
      new Installation(
          List.of(
              Devices.madeUp("NVIDIA GeForce GTX 1080", "too old"),
              Devices.madeUp("NVIDIA A100-SXM4", null),
              Devices.madeUp("NVIDIA H100 PCIe", null)),
          null);

  @ParameterizedTest
  @CsvSource({"cuda,1", "cuda:1,1", "cuda:2,2", "cuda:h100,2", "cuda: a100 ,1"})
  void selects(String selector, int number) {
    assertEquals(number, SEVERAL.select(selector));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cuda:3|no device goes by \"3\"",
        "cuda:radeon|no device goes by \"radeon\"",
        "cuda:nvidia|several devices go by \"nvidia\"",
        "cuda:|nothing stands behind the colon",
        "cuda:0|too old"
      })
  void refusesWithTheDevicesThatThereAre(String selector, String why) {
    String message =
        assertThrows(BackendUnavailableException.class, () -> SEVERAL.select(selector))
            .getMessage();
    assertTrue(message.startsWith("backend \"" + selector + "\" is unavailable: "), message);
    assertTrue(message.contains(why) && message.contains("GTX 1080"), message);
  }

  @Test
  void aSimulatedDeviceIsNoReal() {
    Hardware simulated = Devices.madeUp("simulated sm_90 (x86-64)", null);
    Installation installation = new Installation(List.of(simulated), null);
    assertTrue(installation.isUsable());
    assertFalse(installation.hasReal());
    assertTrue(SEVERAL.hasReal());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "libcuda.so.1: cannot open shared object|(libcuda.so.1 or nvcuda.dll) is not installed",
        "a.dll: Can't find dependent libraries|(libcuda.so.1 or nvcuda.dll) is not installed",
        "No resource found with name '/lib/a.so'|add the natives of this system",
        "another reason|JCuda's library cannot be loaded: another reason"
      })
  void explainsWhatCannotBeLoaded(String said, String why) {
    String explained = Installation.explain(new UnsatisfiedLinkError(said));
    assertTrue(explained.contains(why), explained);
  }
}
