package io.unroll.device.opencl;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.DeviceException;
import org.junit.jupiter.api.Test;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;

class ReturnCodeTest {
  /** The ends of both tables and what is near a gap. */
  @Test
  void namesCodes() {
    assertEquals("CL_SUCCESS (0)", ReturnCode.name(CL10.CL_SUCCESS));
    assertEquals("CL_DEVICE_NOT_FOUND (-1)", ReturnCode.name(CL10.CL_DEVICE_NOT_FOUND));
    assertEquals("CL_MAP_FAILURE (-12)", ReturnCode.name(CL10.CL_MAP_FAILURE));
    assertEquals(
        "CL_KERNEL_ARG_INFO_NOT_AVAILABLE (-19)",
        ReturnCode.name(CL12.CL_KERNEL_ARG_INFO_NOT_AVAILABLE));
    assertEquals("CL_INVALID_VALUE (-30)", ReturnCode.name(CL10.CL_INVALID_VALUE));
    assertEquals(
        "CL_INVALID_WORK_GROUP_SIZE (-54)", ReturnCode.name(CL10.CL_INVALID_WORK_GROUP_SIZE));
    assertEquals(
        "CL_INVALID_GLOBAL_WORK_SIZE (-63)", ReturnCode.name(CL10.CL_INVALID_GLOBAL_WORK_SIZE));
    assertEquals(
        "CL_INVALID_DEVICE_PARTITION_COUNT (-68)",
        ReturnCode.name(CL12.CL_INVALID_DEVICE_PARTITION_COUNT));
    assertEquals("CL_PLATFORM_NOT_FOUND_KHR (-1001)", ReturnCode.name(-1001));
    assertEquals("CL_code unknown to OpenCL 1.2 (-25)", ReturnCode.name(-25));
    assertEquals("CL_code unknown to OpenCL 1.2 (-69)", ReturnCode.name(-69));
  }

  @Test
  void throwsUnlessItWentWell() {
    assertDoesNotThrow(() -> ReturnCode.require(0, "clThis"));
    String message =
        assertThrows(DeviceException.class, () -> ReturnCode.require(-5, "clThis")).getMessage();
    assertEquals("clThis returned CL_OUT_OF_RESOURCES (-5)", message);
  }
}
