package io.unroll.device.cpu;

import io.unroll.device.Device;

/** Opens each way to compute on the CPU for the tests of all devices. */
public final class CpuDevices {
  private CpuDevices() {}

  /** Plain Java, whether or not the native library is there. */
  public static Device java(int threads) {
    return new JavaDevice(threads);
  }

  /** The native library with the best instruction set of this processor. */
  public static Device best(int threads) {
    return new NativeDevice(threads);
  }

  /** The native library with AVX2, also where there is better. */
  public static Device avx2(int threads) {
    return new NativeDevice(threads, "avx2");
  }

  /** Why the native library cannot be used, or null. */
  public static String nativeRefusal() {
    return NativeLibrary.refusal();
  }

  /** Why AVX2 need not be tested beside the best instruction set, or null. */
  public static String avx2Refusal() {
    if (nativeRefusal() != null) {
      return nativeRefusal();
    }
    String best = Native.bestIsa();
    return best.equals("avx512") ? null : "AVX2 is the best here or not at all: " + best;
  }

  /** The Java thread, besides the caller, on which a device of two threads computes; or 0. */
  public static long worker(Device device) {
    return device instanceof JavaDevice java ? java.pool().threadId(1) : 0;
  }
}
