package io.unroll.device.cuda;

import io.unroll.device.GpuSelection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.JCudaDriver;

/**
 * What of CUDA is installed on this machine: looked at once a process.
 *
 * @param devices in the order of the driver
 * @param refusal why there is none, and what cures it; null if there is one
 */
record Installation(List<Hardware> devices, String refusal) {
  /** Initialized, and the driver with it, by the first question. */
  private static final class Attempt {
    static final Installation RESULT = attempt();
  }

  /** What was found. Never throws. */
  static Installation found() {
    return Attempt.RESULT;
  }

  private static Installation attempt() {
    try {
      DriverLibrary.load();
      return ask();
    } catch (IOException | LinkageError | RuntimeException e) {
      return missing(explain(e));
    }
  }

  private static Installation ask() {
    int code = JCudaDriver.cuInit(0);
    int[] count = new int[1];
    if (code == ReturnCode.SUCCESS) {
      code = JCudaDriver.cuDeviceGetCount(count);
    }
    if (code != ReturnCode.SUCCESS || count[0] == 0) {
      return missing(
          Faults.ofInitialization(
              code == ReturnCode.SUCCESS ? ReturnCode.NO_DEVICE : code, DeviceFiles.found()));
    }
    if (!Images.areThere()) {
      return missing(
          "this build of Unroll has no kernels for CUDA: nvcc was missing when it was built, or it"
              + " was told to leave them out. Put nvcc 13 on the path and build again, or use"
              + " Backend.openBest().");
    }
    int[] driver = new int[1];
    ReturnCode.require(JCudaDriver.cuDriverGetVersion(driver), "cuDriverGetVersion");
    Targets targets = Targets.of(Images.targets());
    List<Hardware> devices = new ArrayList<>();
    for (int i = 0; i < count[0]; i++) {
      devices.add(Hardware.of(i, driver[0], targets));
    }
    return new Installation(List.copyOf(devices), null);
  }

  /** What went wrong when the libraries were loaded, and what cures it. */
  static String explain(Throwable thrown) {
    String said = String.valueOf(thrown.getMessage());
    if (thrown instanceof NoClassDefFoundError && said.contains("jcuda")) {
      return "JCuda is not on the class path; add org.jcuda:jcuda and org.jcuda:jcuda-natives"
          + " (found: "
          + said
          + ")";
    }
    if (thrown instanceof LinkageError) {
      return explainLinkage(said);
    }
    return "CUDA does not work here: " + thrown;
  }

  /** JCuda's message is that of two attempts, with their stacks. */
  private static String explainLinkage(String said) {
    if (said.contains("No resource found")) {
      return "JCuda has no library for %s on %s; add the natives of this system, such as"
              .formatted(System.getProperty("os.name"), System.getProperty("os.arch"))
          + " org.jcuda:jcuda-natives:linux-x86_64, to the class path where there are any";
    }
    if (said.contains("libcuda.so") || said.contains("dependent libraries")) {
      return "the NVIDIA driver (libcuda.so.1 or nvcuda.dll) is not installed. " + Faults.INSTALL;
    }
    return "JCuda's library cannot be loaded: "
        + said.lines().filter(line -> line.contains("Error:")).findFirst().orElse(said).strip();
  }

  static Installation missing(String why) {
    return new Installation(List.of(), why);
  }

  /** Whether there is a real device that Unroll can use. */
  boolean hasReal() {
    return devices.stream().anyMatch(device -> device.refusal() == null && !device.isSimulated());
  }

  /** Whether there is any device that Unroll can use. */
  boolean isUsable() {
    return selection().isUsable();
  }

  /** Every device with its number, one after the other, or why there is none. */
  String describe() {
    return selection().describe();
  }

  /**
   * The number of the device that a user means.
   *
   * @param selector {@code cuda}, or with a number or a part of a name behind a colon
   * @throws io.unroll.BackendUnavailableException if that is none or several, or one that cannot be
   *     used
   */
  int select(String selector) {
    return selection().select(selector);
  }

  private GpuSelection selection() {
    return new GpuSelection(CudaProvider.NAME, devices, refusal);
  }
}
