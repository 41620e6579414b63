package io.unroll.device.cuda;

import io.unroll.Precision;
import io.unroll.device.GpuSelection;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import jcuda.driver.CUcomputemode;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/**
 * What the driver tells about one device; a list of facts, one field each.
 *
 * @param ordinal its number at the driver
 * @param name the device's name
 * @param major of its compute capability
 * @param minor of its compute capability
 * @param driver the driver's version of CUDA, as 13000
 * @param memoryBytes memory of the device
 * @param groupMemoryBytes memory that the lanes of one group share without asking for more
 * @param mostGroupMemoryBytes memory that they share where a launch asks for it
 * @param units its multiprocessors
 * @param refusal why Unroll cannot use it, or null
 */
record Hardware(
    int ordinal,
    String name,
    int major,
    int minor,
    int driver,
    long memoryBytes,
    long groupMemoryBytes,
    long mostGroupMemoryBytes,
    int units,
    String refusal)
    implements GpuSelection.Found {
  private static final double GIB = 1 << 30;
  private static final int MAX_NAME = 256;

  /**
   * Asks the driver, which must be initialized.
   *
   * @param driver its version of CUDA
   * @throws io.unroll.DeviceException if it gives no answer
   */
  static Hardware of(int ordinal, int driver, Targets targets) {
    CUdevice device = new CUdevice();
    ReturnCode.require(JCudaDriver.cuDeviceGet(device, ordinal), "cuDeviceGet");
    byte[] name = new byte[MAX_NAME];
    ReturnCode.require(JCudaDriver.cuDeviceGetName(name, MAX_NAME, device), "cuDeviceGetName");
    long[] memory = new long[1];
    ReturnCode.require(JCudaDriver.cuDeviceTotalMem(memory, device), "cuDeviceTotalMem");
    int major = number(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    int minor = number(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    return new Hardware(
        ordinal,
        text(name),
        major,
        minor,
        driver,
        memory[0],
        number(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK),
        number(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        number(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
        refusal(device, targets.refusal(major, minor, driver)));
  }

  private static String refusal(CUdevice device, String ofImages) {
    int mode = number(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_MODE);
    return ofImages == null && mode == CUcomputemode.CU_COMPUTEMODE_PROHIBITED
        ? Faults.PROHIBITED
        : ofImages;
  }

  /** What the driver says of one of the device's attributes. */
  int number(int attribute) {
    CUdevice device = new CUdevice();
    ReturnCode.require(JCudaDriver.cuDeviceGet(device, ordinal), "cuDeviceGet");
    return number(device, attribute);
  }

  private static int number(CUdevice device, int attribute) {
    int[] value = new int[1];
    ReturnCode.require(
        JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
    return value[0];
  }

  private static String text(byte[] bytes) {
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8).strip();
  }

  /** Whether it is none, but a program that acts for one; its name says so. */
  boolean isSimulated() {
    return name.startsWith("simulated");
  }

  /**
   * Whether it has matrix products in a precision: all have FP32, sm_80 and newer TF32 and BF16.
   */
  boolean multiplies(Precision precision) {
    return precision == Precision.FP32 || (precision != Precision.FP64 && major >= 8);
  }

  @Override
  public boolean isCalled(String part) {
    return name.toLowerCase(Locale.ROOT).contains(part.toLowerCase(Locale.ROOT));
  }

  /** Name, compute capability, driver and memory. */
  @Override
  public String describe() {
    return "%s: sm_%d%d, driver for CUDA %s, %.1f GiB"
            .formatted(name, major, minor, Targets.text(driver), memoryBytes / GIB)
        + (refusal == null ? "" : "; cannot be used: " + refusal);
  }
}
