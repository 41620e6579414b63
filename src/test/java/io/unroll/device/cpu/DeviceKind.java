package io.unroll.device.cpu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.RequiredBackendsTest;
import io.unroll.device.DeviceBuffer;

/** The ways to compute on the CPU: what one must do, the others must. */
enum DeviceKind {
  JAVA,
  /** The best instruction set of this processor. */
  NATIVE,
  /** Also where there is a better one. */
  AVX2;

  /**
   * Skips the tests if the native library is not there; {@code -Dunroll.require=native} makes that
   * a failure.
   */
  void require() {
    String refusal = this == JAVA ? null : NativeLibrary.refusal();
    assertFalse(
        refusal != null && RequiredBackendsTest.required().contains("native"),
        () -> "-Dunroll.require names native, but: " + refusal);
    assumeTrue(refusal == null, refusal);
    assumeTrue(
        this != AVX2 || Native.bestIsa().equals("avx512"),
        () -> "AVX2 is the best here or not at all: " + Native.bestIsa());
  }

  CpuDevice open(int threads) {
    return switch (this) {
      case JAVA -> new JavaDevice(threads);
      case NATIVE -> new NativeDevice(threads);
      case AVX2 -> new NativeDevice(threads, "avx2");
    };
  }

  /** Closes a device together with all that it holds. */
  static void close(CpuDevice device) {
    device.ledger().live().forEach(DeviceBuffer::close);
    device.close();
  }
}
