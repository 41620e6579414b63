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

  /** What a driver says whose library and kernel module are of different versions. */
  static final int DRIVER_MISMATCH = CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH;

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
   * For calls that give something back. A failure is logged and no more: whoever closes cannot do
   * better, and after a failed command these fail as well.
   */
  static void freed(int code, String call) {
    if (code != SUCCESS) {
      LOGGER.log(System.Logger.Level.WARNING, call + " returned " + name(code));
    }
  }
}
