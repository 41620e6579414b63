package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.RequiredBackendsTest;
import io.unroll.device.cpu.CpuDevices;
import io.unroll.reference.Arithmetic;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The ways to compute: what one must do, the others must. */
public enum DeviceKind {
  JAVA(null),
  /** The best instruction set of this processor. */
  NATIVE("native"),
  /** Also where there is a better one. */
  AVX2("native"),
  OPENCL("opencl"),
  CUDA("cuda"),
  CUDA_TF32("cuda", Precision.TF32),
  CUDA_BF16("cuda", Precision.BF16);

  /** The name in {@code -Dunroll.require}, or null for what is always there. */
  private final String requirement;

  private final Precision precision;

  DeviceKind(String requirement) {
    this(requirement, Precision.FP32);
  }

  DeviceKind(String requirement, Precision precision) {
    this.requirement = requirement;
    this.precision = precision;
  }

  /** How its matrix products round. */
  Arithmetic arithmetic() {
    return Arithmetic.of(precision);
  }

  /** Whether operands of matrix products lose bits that the buffers hold. */
  boolean rounds() {
    return precision != Precision.FP32;
  }

  /**
   * How near, in relation to their size, results of a few steps are that must be so near in FP32.
   */
  double near(double near) {
    return switch (precision) {
      case TF32 -> 0x1p-8;
      case BF16 -> 0x1p-5;
      default -> near;
    };
  }

  /**
   * Skips the tests, with the reason, if this kind is not there; {@code -Dunroll.require} makes
   * that a failure. {@code -Dunroll.test.only} skips those of other backends.
   */
  public void require() {
    String backend = isCpu() ? "cpu" : requirement;
    assumeTrue(RequiredBackendsTest.isWanted(backend), "-Dunroll.test.only leaves out " + backend);
    String refusal = refusal();
    boolean missing = refusal != null && !(this == AVX2 && CpuDevices.nativeRefusal() == null);
    assertFalse(
        missing && RequiredBackendsTest.required().contains(requirement),
        () -> "-Dunroll.require names " + requirement + ", but: " + refusal);
    assumeTrue(refusal == null, refusal);
  }

  private String refusal() {
    return switch (this) {
      case JAVA -> null;
      case NATIVE -> CpuDevices.nativeRefusal();
      case AVX2 -> CpuDevices.avx2Refusal();
      case OPENCL, CUDA, CUDA_TF32, CUDA_BF16 -> backendRefusal();
    };
  }

  private String backendRefusal() {
    for (Backend.Availability found : Backend.list()) {
      if (found.name().equals(requirement)) {
        return found.available() ? null : found.detail();
      }
    }
    return "this build of Unroll has no backend " + requirement;
  }

  /** Whether it computes on a number of threads that one can choose. */
  public boolean isCpu() {
    return this == JAVA || this == NATIVE || this == AVX2;
  }

  /**
   * Opens a device.
   *
   * @param threads on how many threads a CPU computes, the caller's included
   */
  public Device open(int threads) {
    return switch (this) {
      case JAVA -> CpuDevices.java(threads);
      case NATIVE -> CpuDevices.best(threads);
      case AVX2 -> CpuDevices.avx2(threads);
      case OPENCL, CUDA, CUDA_TF32, CUDA_BF16 ->
          Device.of(Backend.open(requirement, BackendOptions.DEFAULT.withPrecision(precision)));
    };
  }

  /** Opens the devices whose results must be equal: one for each of 1 to 3 threads of a CPU. */
  public List<Device> openAll() {
    return IntStream.rangeClosed(1, isCpu() ? 3 : 1).mapToObj(this::open).toList();
  }

  /**
   * Opens a device for each way to run a recurrence: on each number of threads of a CPU, and on a
   * GPU one that has only that way. All but the last may refuse some sizes.
   */
  public List<Device> openWays() {
    if (isCpu()) {
      return openAll();
    }
    List<Device> ways = new ArrayList<>();
    try {
      for (String way : List.of("block", "sequence", "step")) {
        System.setProperty("unroll.gpu.recurrence", way);
        Device device = open(0);
        device.fusedRecurrence(CellSpec.TANH, 1, 1, 1); // the first question reads the property
        ways.add(device);
      }
    } finally {
      System.clearProperty("unroll.gpu.recurrence");
    }
    return ways;
  }
}
