package io.unroll.device.opencl;

import io.unroll.device.GpuSelection;
import java.util.ArrayList;
import java.util.List;

/**
 * What of OpenCL is installed on this machine: looked at once a process.
 *
 * @param devices those of all drivers: GPUs first, then accelerators, then CPUs
 * @param refusal why there is none, and what cures it; null if there is one
 */
record Installation(List<Hardware> devices, String refusal) {
  /** Thrown where the system has no library of any of the names. */
  static final class NoLoaderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoLoaderException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Initialized, and OpenCL with it, by the first question. */
  private static final class Attempt {
    static final Installation RESULT = attempt();
  }

  /** What was found. Never throws. */
  static Installation found() {
    return Attempt.RESULT;
  }

  private static Installation attempt() {
    try {
      return Loader.load();
    } catch (LinkageError | RuntimeException e) {
      return missing(explain(e));
    }
  }

  /** What went wrong in {@link Loader#load}, and what cures it. */
  static String explain(Throwable thrown) {
    if (thrown instanceof NoLoaderException) {
      return thrown.getMessage();
    }
    String said = thrown.toString();
    if (thrown instanceof NoClassDefFoundError && said.contains("lwjgl")) {
      return "LWJGL is not on the class path; add org.lwjgl:lwjgl and org.lwjgl:lwjgl-opencl"
          + " (found: "
          + thrown.getMessage()
          + ")";
    }
    if (thrown instanceof LinkageError) {
      return "LWJGL cannot load its own library ("
          + said
          + "); add the natives of this system, such as org.lwjgl:lwjgl:natives-linux, to the class"
          + " path";
    }
    return "OpenCL does not work here: " + said;
  }

  static Installation missing(String why) {
    return new Installation(List.of(), why);
  }

  /** Sorts devices that drivers named in any order; those of one kind keep theirs. */
  static Installation of(List<Hardware> devices) {
    List<Hardware> sorted = new ArrayList<>(devices);
    sorted.sort((a, b) -> a.kind().compareTo(b.kind()));
    return sorted.isEmpty()
        ? missing(
            "a driver is installed, but it finds no device; is the GPU switched off, or may this"
                + " user not open it (on Linux: groups video and render)?")
        : new Installation(List.copyOf(sorted), null);
  }

  /** Whether there is a GPU that Unroll can use. */
  boolean hasGpu() {
    return devices.stream().anyMatch(Installation::isUsableGpu);
  }

  private static boolean isUsableGpu(Hardware device) {
    return device.kind() == Hardware.Kind.GPU && device.refusal() == null;
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
   * @param selector {@code opencl}, or with a number or a part of a name behind a colon
   * @throws io.unroll.BackendUnavailableException if that is none or several, or one that cannot be
   *     used
   */
  int select(String selector) {
    return selection().select(selector);
  }

  private GpuSelection selection() {
    return new GpuSelection(OpenClProvider.NAME, devices, refusal);
  }
}
