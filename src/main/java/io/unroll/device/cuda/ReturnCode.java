package io.unroll.device.cuda;

import io.unroll.DeviceException;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** What the driver's return codes mean. Whoever calls the driver hands the code to this class. */
final class ReturnCode {
  private static final System.Logger LOGGER = System.getLogger(ReturnCode.class.getName());

  static final int SUCCESS = CUresult.CUDA_SUCCESS;
  static final int OUT_OF_MEMORY = CUresult.CUDA_ERROR_OUT_OF_MEMORY;
  static final int UNKNOWN = CUresult.CUDA_ERROR_UNKNOWN;
  static final int NO_DEVICE = CUresult.CUDA_ERROR_NO_DEVICE;

  private ReturnCode() {}

  /** As {@code CUDA_ERROR_OUT_OF_MEMORY (2)}. */
  static String name(int code) {
    String[] name = new String[1];
    int asked = JCudaDriver.cuGetErrorName(code, name);
    String known = asked == SUCCESS ? name[0] : null;
    return (known == null ? "a code unknown to the driver" : known) + " (" + code + ")";
  }

  /**
   * For calls whose failure leaves the device as it was.
   *
   * @throws DeviceException if the code is not CUDA_SUCCESS
   */
  static void require(int code, String call) {
    if (code != SUCCESS) {
      throw new DeviceException(call + " returned " + name(code));
    }
  }

  /**
   * Whether a context that met this is lost: every later call of the process for it returns the
   * same, whatever it asks.
   */
  static boolean isLasting(int code) {
    return switch (code) {
      case CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
          CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
          CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
          CUresult.CUDA_ERROR_ASSERT,
          CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
          CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
          CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
          CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
          CUresult.CUDA_ERROR_INVALID_PC,
          CUresult.CUDA_ERROR_LAUNCH_FAILED,
          CUresult.CUDA_ERROR_EXTERNAL_DEVICE ->
          true;
      default -> false;
    };
  }

  /**
   * For calls that give something back. A failure is logged and no more: whoever closes cannot do
   * better. After a lasting one nothing is logged: the call that met it first has told, and all
   * goes with the context.
   */
  static void freed(int code, String call) {
    if (code != SUCCESS && !isLasting(code)) {
      warn(call + " returned " + name(code));
    }
  }

  /** Tells of a failure that nobody is there to be thrown at. */
  static void warn(String message) {
    LOGGER.log(System.Logger.Level.WARNING, message);
  }
}
