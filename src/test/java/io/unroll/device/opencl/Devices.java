package io.unroll.device.opencl;

import io.unroll.device.DeviceKind;

/** Devices for tests: real ones where there is a driver, and made-up ones. */
final class Devices {
  private Devices() {}

  /** The first device of this machine; skips the test, or fails it, where there is none. */
  static Hardware first() {
    DeviceKind.OPENCL.require();
    Installation installation = Installation.found();
    return installation.devices().get(installation.select("opencl"));
  }

  /** One that is nowhere. */
  static Hardware madeUp(Hardware.Kind kind, String name, String platform, String refusal) {
    return new Hardware(
        1,
        2,
        kind,
        name,
        "Vendor",
        platform,
        "Platform 7",
        "OpenCL 1.2",
        "driver 9",
        1L << 30,
        1L << 28,
        1 << 15,
        256,
        8,
        true,
        refusal);
  }

  /** A real one that says that it has so much memory. */
  static Hardware withMemory(Hardware real, long memoryBytes, long largestBufferBytes) {
    return new Hardware(
        real.platform(),
        real.device(),
        real.kind(),
        real.name(),
        real.vendor(),
        real.platformName(),
        real.platformVersion(),
        real.version(),
        real.driver(),
        memoryBytes,
        largestBufferBytes,
        real.localBytes(),
        real.largestGroup(),
        real.units(),
        real.exactDivision(),
        real.refusal());
  }
}
