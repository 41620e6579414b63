package io.unroll.device.cuda;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.BackendUnavailableException;
import io.unroll.DeviceException;
import io.unroll.Precision;
import io.unroll.device.GpuSelection;

/**
 * Opens a GPU of NVIDIA's as the backend {@code cuda}: FP32, and TF32 or BF16 if asked for. {@code
 * cuda:1} is the second device that the doctor lists, {@code cuda:h100} the one with that in its
 * name. A simulated device is opened by name only.
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
   * @param options the precision FP32, TF32, BF16 or null for FP32; threads say nothing here
   * @throws BackendUnavailableException if there is no such device, or if it lacks the precision
   */
  @Override
  public Backend open(String selector, BackendOptions options) {
    int number = Installation.found().select(selector);
    Hardware hardware = Installation.found().devices().get(number);
    Precision precision = options.precision() == null ? Precision.FP32 : options.precision();
    requirePrecision(selector, hardware, precision);
    try {
      return new CudaDevice(NAME + ":" + number, hardware, precision);
    } catch (DeviceException e) {
      throw new BackendUnavailableException(
          "backend \"%s\" is unavailable: %s".formatted(selector, e.getMessage()), e);
    }
  }

  /** Refuses a precision that a device lacks. */
  static void requirePrecision(String selector, Hardware hardware, Precision precision) {
    if (hardware.multiplies(precision)) {
      return;
    }
    String cure =
        precision == Precision.FP64
            ? "no GPU computes in FP64 here, only the backend reference does. Ask for FP32, TF32 or"
                + " BF16, or for no precision, which is FP32."
            : "%s needs sm_80 or newer, and %s is sm_%d%d. Ask for FP32, or for no precision."
                .formatted(precision, hardware.name(), hardware.major(), hardware.minor());
    throw GpuSelection.unavailable(selector, cure);
  }
}
