package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetsTest {
  @ParameterizedTest
  @CsvSource({
    "sm_80,8,0,true",
    "sm_80,8,6,true",
    "sm_86,8,0,false",
    "sm_80,9,0,false",
    "sm_90a,9,0,true",
    "sm_90a,9,1,false",
    "sm_120,12,1,true",
    "compute_80,8,0,true",
    "compute_80,12,0,true",
    "compute_80,7,5,false",
    "something,8,0,false"
  })
  void runsOnWhatNvccPromises(String name, int major, int minor, boolean runs) {
    String refusal = Targets.of(List.of("13.0", name)).refusal(major, minor, 13000);
    assertEquals(runs, refusal == null, refusal);
  }

  @Test
  void saysWhatIsMissing() {
    Targets targets = Targets.of(List.of("13.0", "sm_80", "compute_80"));
    String device = targets.refusal(7, 5, 13010);
    assertTrue(device.contains("sm_75") && device.contains("sm_80, compute_80"), device);
    String driver = targets.refusal(8, 0, 12090);
    assertTrue(driver.contains("12.9") && driver.contains("580"), driver);
    assertNull(targets.refusal(8, 0, 13000));
    assertNull(Targets.of(List.of("12.4", "sm_80")).refusal(8, 0, 12000));
  }

  /** Those of the simulation. */
  @Test
  void nothingIsKnownOfImagesWithoutTargets() {
    assertNull(Targets.of(List.of()).refusal(9, 0, 13000));
  }
}
