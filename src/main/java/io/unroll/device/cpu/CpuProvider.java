package io.unroll.device.cpu;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.BackendUnavailableException;
import io.unroll.Precision;

/**
 * Opens the CPU as the backend {@code cpu}: float32, one thread per core, by way of the native
 * library where it can be used and else in plain Java. Its description says which, and why.
 */
public final class CpuProvider implements Backend.Provider {
  private static final String NAME = "cpu";

  /** Called by {@link java.util.ServiceLoader}. */
  public CpuProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int rank() {
    return 30;
  }

  @Override
  public boolean automatic() {
    return true;
  }

  @Override
  public Backend.Availability probe() {
    int threads = BackendOptions.DEFAULT.resolvedThreads();
    return new Backend.Availability(
        NAME,
        true,
        NativeLibrary.refusal() == null
            ? NativeDevice.describe(threads)
            : JavaDevice.describe(threads));
  }

  /**
   * Opens the CPU.
   *
   * @param selector {@code cpu}: there is one, so it takes no number
   * @param options any number of threads; the precision FP32 or null
   * @throws BackendUnavailableException if the selector has a number, or for another precision
   */
  @Override
  public Backend open(String selector, BackendOptions options) {
    if (!selector.equals(NAME)) {
      throw new BackendUnavailableException(
          "backend \""
              + selector
              + "\" is unavailable: all cores together are the one backend \"cpu\". Open \"cpu\""
              + " and set the number of threads in BackendOptions.");
    }
    Precision precision = options.precision();
    if (precision != null && precision != Precision.FP32) {
      throw new BackendUnavailableException(
          "backend \"cpu\" is unavailable in "
              + precision
              + ": it computes in FP32 only. Ask for FP32, or for no precision.");
    }
    int threads = options.resolvedThreads();
    return NativeLibrary.refusal() == null ? new NativeDevice(threads) : new JavaDevice(threads);
  }
}
