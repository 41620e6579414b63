package io.unroll.device.cuda;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.BackendUnavailableException;
import io.unroll.DeviceException;
import io.unroll.Precision;
import io.unroll.device.GpuSelection;

/**
 * Opens a GPU of NVIDIA's as the backend {@code cuda}: float32. {@code cuda:1} is the second device
 * that the doctor lists, {@code cuda:h100} the one with that in its name. A simulated device is
 * opened by name only.
 */
public final class CudaProvider implements Backend.Provider {
  static final String NAME = "cuda";

  /** Called by {@link java.util.ServiceLoader}. */
  public CudaProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int rank() {
    return 10;
  }

  @Override
  public boolean automatic() {
    return true;
  }

  @Override
  public Backend.Availability probe() {
    Installation installation = Installation.found();
    String products = installation.isUsable() ? "; " + CublasLibrary.found().describe() : "";
    return new Backend.Availability(
        NAME, installation.isUsable(), installation.describe() + products);
  }

  /**
   * Opens the first device, which must be real.
   *
   * @throws BackendUnavailableException if there is no usable one
   */
  @Override
  public Backend openBest(BackendOptions options) {
    Installation installation = Installation.found();
    if (installation.isUsable() && !installation.hasReal()) {
      throw GpuSelection.unavailable(
          NAME, "a simulated device is taken only when asked for: " + installation.describe());
    }
    return open(NAME, options);
  }

  /**
   * Opens a device.
   *
   * @param selector {@code cuda}, or with a number or a part of a name behind a colon
   * @param options the precision FP32 or null; threads say nothing here
   * @throws BackendUnavailableException if there is no such device, or for another precision
   */
  @Override
  public Backend open(String selector, BackendOptions options) {
    int number = Installation.found().select(selector);
    Precision precision = options.precision();
    if (precision != null && precision != Precision.FP32) {
      throw GpuSelection.unavailable(
          selector,
          "it computes in FP32 only, not in " + precision + ". Ask for FP32, or for no precision.");
    }
    try {
      return new CudaDevice(NAME + ":" + number, Installation.found().devices().get(number));
    } catch (DeviceException e) {
      throw new BackendUnavailableException(
          "backend \"%s\" is unavailable: %s".formatted(selector, e.getMessage()), e);
    }
  }
}
