package io.unroll.device;

import io.unroll.Backend;
import io.unroll.CellSpec;

/**
 * What a device must offer so that the engine can run every cell, layer, loss and optimizer on it:
 * nine verbs and four optional capabilities.
 *
 * <p>Work is queued in order; {@link #copyOut} and {@link #synchronize} wait for it. Matrices are
 * row-major. Arguments have been checked by the caller; a device only asserts them. Not
 * thread-safe.
 */
public interface Device extends Backend {
  /**
   * The device behind a backend.
   *
   * @throws IllegalArgumentException if the backend is not one that Unroll opened
   */
  static Device of(Backend backend) {
    if (backend instanceof Device device) {
      return device;
    }
    throw new IllegalArgumentException(
        "the backend is a "
            + (backend == null ? "null" : backend.getClass().getName())
            + ", which is no device of Unroll; take one from Backend.open or Backend.openBest");
  }

  /**
   * The driver beneath it with its version, such as {@code CUDA 13.0}; empty where there is none.
   */
  default String driver() {
    return "";
  }

  /**
   * Allocates a buffer of undefined content.
   *
   * @param length in elements, at least 1
   * @param purpose for the ledger and for messages, such as {@code "activations"}
   * @throws io.unroll.OutOfDeviceMemoryException if the device has too little memory; it stays
   *     usable
   * @throws io.unroll.DeviceException if it can hold no buffer that long; it stays usable
   */
  DeviceBuffer allocate(ElementType type, long length, String purpose);

  /** Copies count floats from the host into a REAL buffer. */
  void copyIn(float[] source, int from, DeviceBuffer target, long at, int count);

  /** Copies count doubles from the host into a REAL buffer; rounds to the device's type. */
  void copyIn(double[] source, int from, DeviceBuffer target, long at, int count);

  /** Copies count integers from the host into an INT buffer. */
  void copyIn(int[] source, int from, DeviceBuffer target, long at, int count);

  /** Waits for the queue and copies count reals to the host, rounded to float. */
  void copyOut(DeviceBuffer source, long at, float[] target, int to, int count);

  /** Waits for the queue and copies count reals to the host. */
  void copyOut(DeviceBuffer source, long at, double[] target, int to, int count);

  /** Waits for the queue and copies count integers of an INT buffer to the host. */
  void copyOut(DeviceBuffer source, long at, int[] target, int to, int count);

  /** Sets count elements of a REAL buffer. */
  void fill(DeviceBuffer target, long at, long count, double value);

  /**
   * {@code C = op(A) op(B) + beta C} with op(A) [m,k], op(B) [k,n], C [m,n], row-major. C overlaps
   * neither A nor B; with beta 0 it is not read. Takes BLAS's own list of parameters, so that
   * nothing has to be wrapped in an object on the hot path.
   *
   * @param transposeA whether A is stored as [k,m]
   * @param transposeB whether B is stored as [n,k]
   * @param lda distance between stored rows of A, in elements; ldb and ldc likewise
   * @param beta 0 or 1
   */
  void gemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      DeviceBuffer a,
      long aAt,
      int lda,
      DeviceBuffer b,
      long bAt,
      int ldb,
      double beta,
      DeviceBuffer c,
      long cAt,
      int ldc);

  /**
   * Makes a kernel ready.
   *
   * @param cell the cell, for {@link Kernel#CELL_FORWARD} and {@link Kernel#CELL_BACKWARD}; else
   *     null
   */
  DeviceKernel compile(Kernel kernel, CellSpec cell);

  /**
   * Queues a kernel.
   *
   * @param items how many items to run; 0 does nothing
   * @param args read before this returns, so the caller may fill it again
   */
  void launch(DeviceKernel kernel, long items, KernelArgs args);

  /** Whether, and how, this device runs all steps in one call for these sizes. */
  FusedRecurrence.Offer fusedRecurrence(CellSpec cell, int steps, int batch, int hiddenSize);

  /** A way to time single kernels, or why this device has none; opening it costs nothing. */
  default DeviceProfiler.Offer profiler() {
    return DeviceProfiler.Offer.refused(
        "backend \"" + name() + "\" has no clock for single kernels");
  }

  /** A way to time work by the device's own clock, or why it has none; asking costs nothing. */
  default DeviceTimer.Offer timer() {
    return DeviceTimer.Offer.refused(
        "backend \"" + name() + "\" has no clock of its own; cuda has");
  }

  /** A way to measure what this device can do at best, or why it has none; asking costs nothing. */
  default DeviceCeilings.Offer ceilings() {
    return DeviceCeilings.Offer.refused(
        "backend \"" + name() + "\" has no kernels that measure its ceilings; cuda has");
  }
}
