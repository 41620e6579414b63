package io.unroll.device.opencl;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.BackendUnavailableException;
import io.unroll.DeviceException;
import io.unroll.Precision;
import io.unroll.device.GpuSelection;

/**
 * Opens a device by its OpenCL 1.2 driver as the backend {@code opencl}: float32. {@code opencl:1}
 * is the second device that the doctor lists, {@code opencl:geforce} the one with that in its name;
 * {@link Backend#openBest} takes a GPU only.
 */
public final class OpenClProvider implements Backend.Provider {
  static final String NAME = "opencl";

  /** Called by {@link java.util.ServiceLoader}. */
  public OpenClProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int rank() {
    return 20;
  }

  @Override
  public boolean automatic() {
    return true;
  }

  @Override
  public Backend.Availability probe() {
    Installation installation = Installation.found();
    return new Backend.Availability(NAME, installation.isUsable(), installation.describe());
  }

  /**
   * Opens the best device, which must be a GPU: a CPU is faster without OpenCL.
   *
   * @throws BackendUnavailableException if there is no usable GPU
   */
  @Override
  public Backend openBest(BackendOptions options) {
    Installation installation = Installation.found();
    if (installation.refusal() == null && !installation.hasGpu()) {
      throw GpuSelection.unavailable(
          NAME,
          "there is no GPU that it can use; other devices are taken only when asked for by name: "
              + installation.describe());
    }
    return open(NAME, options);
  }

  /**
   * Opens a device.
   *
   * @param selector {@code opencl}, or with a number or a part of a name behind a colon
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
      return new OpenClDevice(NAME + ":" + number, Installation.found().devices().get(number));
    } catch (DeviceException e) {
      throw new BackendUnavailableException(
          "backend \"%s\" is unavailable: %s".formatted(selector, e.getMessage()), e);
    }
  }
}
