package io.unroll.device.opencl;

import io.unroll.DeviceException;

/** What OpenCL's return codes mean. Whoever calls OpenCL hands the code to this class. */
final class ReturnCode {
  private static final System.Logger LOGGER = System.getLogger(ReturnCode.class.getName());

  static final int SUCCESS = 0;
  static final int DEVICE_NOT_FOUND = -1;
  static final int MEM_OBJECT_ALLOCATION_FAILURE = -4;
  static final int OUT_OF_RESOURCES = -5;
  static final int OUT_OF_HOST_MEMORY = -6;
  static final int EXEC_STATUS_ERROR = -14;
  static final int INVALID_BUFFER_SIZE = -61;

  /** What the loader says that has found no driver: CL_PLATFORM_NOT_FOUND_KHR. */
  static final int PLATFORM_NOT_FOUND = -1001;

  /** Names of the codes -1 to -19. */
  private static final String[] RUN_TIME = {
    "DEVICE_NOT_FOUND",
    "DEVICE_NOT_AVAILABLE",
    "COMPILER_NOT_AVAILABLE",
    "MEM_OBJECT_ALLOCATION_FAILURE",
    "OUT_OF_RESOURCES",
    "OUT_OF_HOST_MEMORY",
    "PROFILING_INFO_NOT_AVAILABLE",
    "MEM_COPY_OVERLAP",
    "IMAGE_FORMAT_MISMATCH",
    "IMAGE_FORMAT_NOT_SUPPORTED",
    "BUILD_PROGRAM_FAILURE",
    "MAP_FAILURE",
    "MISALIGNED_SUB_BUFFER_OFFSET",
    "EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST",
    "COMPILE_PROGRAM_FAILURE",
    "LINKER_NOT_AVAILABLE",
    "LINK_PROGRAM_FAILURE",
    "DEVICE_PARTITION_FAILED",
    "KERNEL_ARG_INFO_NOT_AVAILABLE"
  };

  /** Names of the codes -30 to -68, without INVALID_ in front. */
  private static final String[] INVALID = {
    "VALUE",
    "DEVICE_TYPE",
    "PLATFORM",
    "DEVICE",
    "CONTEXT",
    "QUEUE_PROPERTIES",
    "COMMAND_QUEUE",
    "HOST_PTR",
    "MEM_OBJECT",
    "IMAGE_FORMAT_DESCRIPTOR",
    "IMAGE_SIZE",
    "SAMPLER",
    "BINARY",
    "BUILD_OPTIONS",
    "PROGRAM",
    "PROGRAM_EXECUTABLE",
    "KERNEL_NAME",
    "KERNEL_DEFINITION",
    "KERNEL",
    "ARG_INDEX",
    "ARG_VALUE",
    "ARG_SIZE",
    "KERNEL_ARGS",
    "WORK_DIMENSION",
    "WORK_GROUP_SIZE",
    "WORK_ITEM_SIZE",
    "GLOBAL_OFFSET",
    "EVENT_WAIT_LIST",
    "EVENT",
    "OPERATION",
    "GL_OBJECT",
    "BUFFER_SIZE",
    "MIP_LEVEL",
    "GLOBAL_WORK_SIZE",
    "PROPERTY",
    "IMAGE_DESCRIPTOR",
    "COMPILER_OPTIONS",
    "LINKER_OPTIONS",
    "DEVICE_PARTITION_COUNT"
  };

  private ReturnCode() {}

  /** As {@code CL_INVALID_WORK_GROUP_SIZE (-54)}. */
  static String name(int code) {
    return "CL_" + bareName(code) + " (" + code + ")";
  }

  private static String bareName(int code) {
    if (code <= -1 && code >= -RUN_TIME.length) {
      return RUN_TIME[-code - 1];
    }
    if (code <= -30 && code > -30 - INVALID.length) {
      return "INVALID_" + INVALID[-code - 30];
    }
    return switch (code) {
      case SUCCESS -> "SUCCESS";
      case PLATFORM_NOT_FOUND -> "PLATFORM_NOT_FOUND_KHR";
      default -> "code unknown to OpenCL 1.2";
    };
  }

  /** Whether a driver says with it that there is not enough memory. */
  static boolean isOutOfMemory(int code) {
    return code == MEM_OBJECT_ALLOCATION_FAILURE
        || code == OUT_OF_RESOURCES
        || code == OUT_OF_HOST_MEMORY
        || code == INVALID_BUFFER_SIZE;
  }

  /**
   * For calls whose failure leaves the device as it was.
   *
   * @throws DeviceException if the code is not CL_SUCCESS
   */
  static void require(int code, String call) {
    if (code != SUCCESS) {
      throw new DeviceException(call + " returned " + name(code));
    }
  }

  /**
   * For calls that give something back. A failure is logged and no more: whoever closes cannot do
   * better, and after a failed command these fail as well.
   */
  static void freed(int code, String call) {
    if (code != SUCCESS) {
      LOGGER.log(System.Logger.Level.WARNING, call + " returned " + name(code));
    }
  }
}
