package io.unroll.device.opencl;

import io.unroll.device.GpuSelection;
import java.util.Locale;
import java.util.stream.Stream;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;

/**
 * What a driver tells about one device; a list of facts, one field each.
 *
 * @param platform OpenCL's handle of the driver
 * @param device OpenCL's handle of the device
 * @param kind GPU, accelerator or CPU
 * @param name the device's name
 * @param vendor who made it
 * @param platformName the driver's name
 * @param platformVersion of the driver as a whole
 * @param version OpenCL's version on this device
 * @param driver the version of the driver
 * @param memoryBytes memory of the device
 * @param largestBufferBytes the most that one buffer may have
 * @param localBytes memory that the work items of one group share
 * @param largestGroup the most work items in a group
 * @param units its compute units
 * @param exactDivision whether it can round divisions and square roots correctly
 * @param refusal why Unroll cannot use it, or null
 */
record Hardware(
    long platform,
    long device,
    Kind kind,
    String name,
    String vendor,
    String platformName,
    String platformVersion,
    String version,
    String driver,
    long memoryBytes,
    long largestBufferBytes,
    long localBytes,
    long largestGroup,
    int units,
    boolean exactDivision,
    String refusal)
    implements GpuSelection.Found {
  private static final double GIB = 1 << 30;

  /** The kinds, in the order of preference. */
  enum Kind {
    GPU,
    ACCELERATOR,
    CPU;

    static Kind of(long type) {
      if ((type & CL10.CL_DEVICE_TYPE_GPU) != 0) {
        return GPU;
      }
      return (type & CL10.CL_DEVICE_TYPE_CPU) != 0 ? CPU : ACCELERATOR;
    }

    @Override
    public String toString() {
      return this == ACCELERATOR ? "accelerator" : name();
    }
  }

  /**
   * Asks the driver.
   *
   * @throws io.unroll.DeviceException if it gives no answer
   */
  static Hardware of(long platform, long device) {
    String version = Info.text(Info.device(device, CL10.CL_DEVICE_VERSION));
    long rounding = Info.number(Info.device(device, CL10.CL_DEVICE_SINGLE_FP_CONFIG));
    long largestGroup = number(device, CL10.CL_DEVICE_MAX_WORK_GROUP_SIZE);
    return new Hardware(
        platform,
        device,
        Kind.of(number(device, CL10.CL_DEVICE_TYPE)),
        Info.text(Info.device(device, CL10.CL_DEVICE_NAME)),
        Info.text(Info.device(device, CL10.CL_DEVICE_VENDOR)),
        Info.text(Info.platform(platform, CL10.CL_PLATFORM_NAME)),
        Info.text(Info.platform(platform, CL10.CL_PLATFORM_VERSION)),
        version,
        Info.text(Info.device(device, CL10.CL_DRIVER_VERSION)),
        number(device, CL10.CL_DEVICE_GLOBAL_MEM_SIZE),
        number(device, CL10.CL_DEVICE_MAX_MEM_ALLOC_SIZE),
        number(device, CL10.CL_DEVICE_LOCAL_MEM_SIZE),
        largestGroup,
        (int) number(device, CL10.CL_DEVICE_MAX_COMPUTE_UNITS),
        (rounding & CL12.CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0,
        refusal(device, version, rounding, largestGroup));
  }

  private static long number(long device, int name) {
    return Info.number(Info.device(device, name));
  }

  private static String refusal(long device, String version, long rounding, long largestGroup) {
    if (version.startsWith("OpenCL 1.0") || version.startsWith("OpenCL 1.1")) {
      return "its driver offers " + version + ", but Unroll needs OpenCL 1.2: update the driver";
    }
    if (number(device, CL10.CL_DEVICE_AVAILABLE) == 0) {
      return "its driver says that it is not available";
    }
    if (number(device, CL10.CL_DEVICE_COMPILER_AVAILABLE) == 0) {
      return "its driver has no compiler";
    }
    if (number(device, CL10.CL_DEVICE_ENDIAN_LITTLE) == 0) {
      return "its numbers have the most significant byte first";
    }
    if ((rounding & CL10.CL_FP_INF_NAN) == 0) {
      return "its float32 has no NaN and no infinity";
    }
    if (largestGroup < WorkGroup.SMALL) {
      return "its work groups have at most "
          + largestGroup
          + " items, but Unroll needs "
          + WorkGroup.SMALL;
    }
    return null;
  }

  @Override
  public boolean isCalled(String part) {
    String wanted = part.toLowerCase(Locale.ROOT);
    return Stream.of(name, vendor, platformName, platformVersion)
        .anyMatch(text -> text.toLowerCase(Locale.ROOT).contains(wanted));
  }

  /** Name, kind, driver, version and memory. */
  @Override
  public String describe() {
    return "%s: %s, %s, driver %s, %s, %.1f GiB"
            .formatted(name, kind, platformName, driver, version, memoryBytes / GIB)
        + (refusal == null ? "" : "; cannot be used: " + refusal);
  }
}
