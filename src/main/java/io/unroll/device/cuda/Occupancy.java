package io.unroll.device.cuda;

import io.unroll.DeviceException;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/** How many groups of a kernel a device runs at once, asked before they are launched together. */
final class Occupancy {
  private Occupancy() {}

  /**
   * Groups of a kernel that fit on one processor.
   *
   * @param group lanes of a group
   * @param sharedBytes that each group asks for, besides what its text declares
   */
  static int ofProcessor(CUfunction kernel, int group, long sharedBytes) {
    int[] groups = new int[1];
    ReturnCode.require(
        JCudaDriver.cuOccupancyMaxActiveBlocksPerMultiprocessor(groups, kernel, group, sharedBytes),
        "cuOccupancyMaxActiveBlocksPerMultiprocessor");
    return groups[0];
  }

  /**
   * For groups that wait for one another: all of them must run, or none would end.
   *
   * @param what the kernel's name, for the message
   * @throws DeviceException if they do not fit; the backend stays usable
   */
  static void requireTogether(
      CUfunction kernel, String what, int groups, int group, long sharedBytes, Hardware hardware) {
    int each = ofProcessor(kernel, group, sharedBytes);
    int most = each * hardware.units();
    if (groups > most) {
      throw new DeviceException(
          ("%s needs %d groups of %d lanes at once, because they wait for one another, but %s runs"
                  + " %d: %d on each of %d processors, with %d registers a lane and %d bytes of"
                  + " memory a group. Take at most %d groups%s")
              .formatted(
                  what,
                  groups,
                  group,
                  hardware.name(),
                  most,
                  each,
                  hardware.units(),
                  attribute(kernel, CUfunction_attribute.CU_FUNC_ATTRIBUTE_NUM_REGS),
                  attribute(kernel, CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES)
                      + sharedBytes,
                  most,
                  most == 0 ? ", or groups that ask for less" : ""));
    }
  }

  private static int attribute(CUfunction kernel, int attribute) {
    int[] value = new int[1];
    ReturnCode.require(
        JCudaDriver.cuFuncGetAttribute(value, attribute, kernel), "cuFuncGetAttribute");
    return value[0];
  }
}
