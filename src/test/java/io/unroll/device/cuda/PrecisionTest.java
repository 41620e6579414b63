package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.BackendUnavailableException;
import io.unroll.Precision;
import io.unroll.device.DeviceKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Which precisions a device is opened in, and that it says so. */
class PrecisionTest {
  private static Hardware made(int major, int minor) {
    return Devices.madeUp("NVIDIA T4", major, minor, null);
  }

  @ParameterizedTest
  @CsvSource({
    "7,5,FP32,true",
    "7,5,TF32,false",
    "7,5,BF16,false",
    "8,0,TF32,true",
    "8,0,BF16,true",
    "12,0,BF16,true",
    "9,0,FP64,false"
  })
  void fragmentsNeedSm80(int major, int minor, Precision precision, boolean there) {
    assertEquals(there, made(major, minor).multiplies(precision));
  }

  @Test
  void aRefusalSaysWhatIsFoundAndWhatCures() {
    assertEquals(
        "backend \"cuda\" is unavailable: BF16 needs sm_80 or newer, and NVIDIA T4 is sm_75. Ask for"
            + " FP32, or for no precision.",
        refusal(Precision.BF16));
    String wide = refusal(Precision.FP64);
    assertTrue(wide.contains("only the backend reference does"), wide);
    CudaProvider.requirePrecision("cuda", made(7, 5), Precision.FP32);
  }

  private static String refusal(Precision precision) {
    return assertThrows(
            BackendUnavailableException.class,
            () -> CudaProvider.requirePrecision("cuda", made(7, 5), precision))
        .getMessage();
  }

  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"FP32", "TF32", "BF16"})
  void anOpenDeviceTellsItsPrecision(Precision precision) {
    DeviceKind.CUDA.require();
    try (Backend backend = Backend.open("cuda", BackendOptions.DEFAULT.withPrecision(precision))) {
      assertEquals(precision, backend.precision());
      assertEquals(
          precision != Precision.FP32,
          backend.description().contains("float32 with " + precision + " products"),
          backend.description());
    }
    try (Backend backend = Backend.open("cuda")) {
      assertEquals(Precision.FP32, backend.precision());
    }
  }
}
