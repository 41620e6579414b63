package io.unroll.device.cuda;

import io.unroll.device.DeviceKind;

/** Devices for tests: real or simulated ones where there is a driver, and made-up ones. */
final class Devices {
  private Devices() {}

  /** The first device of this machine; skips the test, or fails it, where there is none. */
  static Hardware first() {
    DeviceKind.CUDA.require();
    Installation installation = Installation.found();
    return installation.devices().get(installation.select("cuda"));
  }

  /** One that is nowhere. */
  static Hardware madeUp(String name, String refusal) {
    return madeUp(name, 9, 0, refusal);
  }

  /** One of that compute capability that is nowhere. */
  static Hardware madeUp(String name, int major, int minor, String refusal) {
    return new Hardware(7, name, major, minor, 13000, 1L << 30, 48 << 10, 227 << 10, 8, refusal);
  }

  /** A real one that says that it has so much memory. */
  static Hardware withMemory(Hardware real, long memoryBytes) {
    return new Hardware(
        real.ordinal(),
        real.name(),
        real.major(),
        real.minor(),
        real.driver(),
        memoryBytes,
        real.groupMemoryBytes(),
        real.mostGroupMemoryBytes(),
        real.units(),
        real.refusal());
  }
}
