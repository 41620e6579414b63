package io.unroll.device.cuda;

import io.unroll.DeviceException;
import java.util.List;
import jcuda.driver.CUcomputemode;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;

/**
 * What the driver's codes mean for people where it is initialized, a device is opened or an image
 * is loaded, and what cures them. After NVIDIA's description of CUresult.
 */
final class Faults {
  static final String INSTALL = "Install driver 580 or newer, or use Backend.openBest().";

  /** Why a device cannot be used whose administrator has closed it. */
  static final String PROHIBITED =
      "its compute mode is Prohibited, so no program may use it: nvidia-smi -c DEFAULT, as the"
          + " administrator, opens it";

  private static final String ASK_THE_SERVER =
      "MPS, by which processes share the GPU, does not take this one: ";

  private Faults() {}

  /**
   * Why there is no device though the driver's library is there.
   *
   * @param code of cuInit, or of the first call after it
   * @param files what there is of the driver's files; null where it needs none
   */
  static String ofInitialization(int code, DeviceFiles files) {
    String cause =
        switch (code) {
          case CUresult.CUDA_ERROR_NO_DEVICE, CUresult.CUDA_ERROR_OPERATING_SYSTEM ->
              ofFiles(code, files);
          case CUresult.CUDA_ERROR_STUB_LIBRARY ->
              "the libcuda.so.1 that was loaded is the stub of the CUDA toolkit and no driver; take"
                  + " its folder, lib64/stubs, off LD_LIBRARY_PATH";
          case CUresult.CUDA_ERROR_SYSTEM_NOT_READY ->
              "the system is not ready: on machines with NVSwitch the service nvidia-fabricmanager"
                  + " must run (systemctl start nvidia-fabricmanager), in the driver's version";
          case CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH ->
              "the NVIDIA driver's library and kernel module are of different versions; restart the"
                  + " machine after an update of the driver, and in a container take no"
                  + " libcuda.so.1 of the image's own";
          case CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE ->
              "the libcuda.so.1 that was loaded is a forward compatibility package, which this GPU"
                  + " does not take: remove cuda-compat or take its folder off LD_LIBRARY_PATH, and"
                  + " install driver 580 or newer";
          case CUresult.CUDA_ERROR_MPS_CONNECTION_FAILED,
              CUresult.CUDA_ERROR_MPS_RPC_FAILURE,
              CUresult.CUDA_ERROR_MPS_SERVER_NOT_READY,
              CUresult.CUDA_ERROR_MPS_MAX_CLIENTS_REACHED,
              CUresult.CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED ->
              ofServer(code);
          default -> "the driver cannot be initialized. " + INSTALL;
        };
    return cause + " (the driver says " + ReturnCode.name(code) + ")";
  }

  private static String ofFiles(int code, DeviceFiles files) {
    if (files != null && !files.closed().isEmpty()) {
      return "the NVIDIA driver is installed, but this user may not read and write "
          + String.join(", ", files.closed())
          + ": join the group that may (usermod -aG GROUP USER, then log in again), or give the"
          + " container the device";
    }
    if (files != null && !files.haveDevice()) {
      return "the NVIDIA driver's library is installed, but "
          + files.folder()
          + " has no file of a device, such as nvidia0 (found: "
          + (files.names().isEmpty() ? "none of NVIDIA's" : String.join(", ", files.names()))
          + "): load the kernel module (nvidia-smi does it, modprobe nvidia), or start the"
          + " container with the GPU (docker run --gpus all)";
    }
    return code == CUresult.CUDA_ERROR_NO_DEVICE
        ? "the NVIDIA driver is installed, but it finds no device; is the GPU switched off, or"
            + " hidden by CUDA_VISIBLE_DEVICES?"
        : "the operating system refuses what the NVIDIA driver asks of it; dmesg says why. Is the"
            + " module nvidia-uvm loaded (modprobe nvidia-uvm)?";
  }

  private static String ofServer(int code) {
    return ASK_THE_SERVER
        + switch (code) {
          case CUresult.CUDA_ERROR_MPS_MAX_CLIENTS_REACHED,
              CUresult.CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED ->
              "it has as many clients as it can; end one of them";
          case CUresult.CUDA_ERROR_MPS_SERVER_NOT_READY ->
              "its server is starting or recovering; try again";
          default ->
              "its control daemon does not answer; start it (nvidia-cuda-mps-control -d) as the"
                  + " same user, or unset CUDA_MPS_PIPE_DIRECTORY";
        };
  }

  /**
   * Looks at the code by which the driver gives, or refuses, the context of a device.
   *
   * @throws DeviceException if it is not CUDA_SUCCESS
   */
  static void requireOpened(int code, Hardware hardware) {
    if (code != ReturnCode.SUCCESS) {
      throw new DeviceException(
          "%s cannot be opened: %s (cuDevicePrimaryCtxRetain returned %s)"
              .formatted(hardware.name(), ofOpening(code, hardware), ReturnCode.name(code)));
    }
  }

  private static String ofOpening(int code, Hardware hardware) {
    return switch (code) {
      case CUresult.CUDA_ERROR_DEVICE_UNAVAILABLE, CUresult.CUDA_ERROR_INVALID_DEVICE ->
          switch (hardware.number(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_MODE)) {
            case CUcomputemode.CU_COMPUTEMODE_PROHIBITED -> PROHIBITED;
            case CUcomputemode.CU_COMPUTEMODE_EXCLUSIVE_PROCESS ->
                "its compute mode is Exclusive_Process, and another process has it (nvidia-smi"
                    + " lists it): wait for its end, or let several share the device by"
                    + " nvidia-smi -c DEFAULT, as the administrator";
            default -> "it is busy or gone; nvidia-smi tells its state";
          };
      case CUresult.CUDA_ERROR_OUT_OF_MEMORY ->
          "other processes hold so much of its memory that there is no room for a context;"
              + " nvidia-smi lists them";
      case CUresult.CUDA_ERROR_MPS_CONNECTION_FAILED,
          CUresult.CUDA_ERROR_MPS_RPC_FAILURE,
          CUresult.CUDA_ERROR_MPS_SERVER_NOT_READY,
          CUresult.CUDA_ERROR_MPS_MAX_CLIENTS_REACHED,
          CUresult.CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED ->
          ofServer(code);
      default -> "nvidia-smi may tell more";
    };
  }

  /**
   * Looks at the code by which the driver takes, or refuses, an image.
   *
   * @param key of {@code modules.txt}
   * @throws DeviceException if it is not CUDA_SUCCESS; the backend stays usable
   */
  static void requireLoaded(int code, String key, Hardware hardware) {
    if (code != ReturnCode.SUCCESS) {
      throw new DeviceException(
          "the driver does not take the kernels %s%s on %s: %s (cuModuleLoadData returned %s)"
              .formatted(
                  key,
                  compiled(Images.targets()),
                  hardware.describe(),
                  ofLoading(code),
                  ReturnCode.name(code)));
    }
  }

  /** The version of CUDA, and for what; nothing for images of the simulation. */
  private static String compiled(List<String> targets) {
    return targets.isEmpty()
        ? ""
        : " (of CUDA %s, for %s)"
            .formatted(targets.get(0), String.join(", ", targets.subList(1, targets.size())));
  }

  private static String ofLoading(int code) {
    return switch (code) {
      case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU ->
          "this build has none for that GPU; build with -Dunroll.cuda.targets=all";
      case CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION ->
          "it is older than the compiler, and none are compiled for that GPU ahead; install driver"
              + " 580 or newer, or build with -Dunroll.cuda.targets=all";
      case CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND ->
          "its compiler, libnvidia-ptxjitcompiler.so.1, is missing; install all of the driver, or"
              + " build with -Dunroll.cuda.targets=all";
      case CUresult.CUDA_ERROR_OUT_OF_MEMORY ->
          "the device has no room for them; close what else holds its memory";
      default -> "the file is damaged or of another build; build again";
    };
  }
}
