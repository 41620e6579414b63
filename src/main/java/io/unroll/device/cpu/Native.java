package io.unroll.device.cpu;

import java.nio.ByteBuffer;

/**
 * The functions of the native library {@code unroll_cpu}, native/cpu/jni.cpp. Addresses and handles
 * travel as long; nothing is checked there, so all that is passed must be right.
 */
final class Native {
  /** What {@link #version} must be. It changes with every change of a function or its meaning. */
  static final int VERSION = 5;

  private Native() {}

  /** The version of the functions that the library was built with. */
  static native int version();

  /** The best instruction set that the library has and this processor runs, or null. */
  static native String bestIsa();

  /** What the processor lacks when {@link #bestIsa} is null. */
  static native String missing();

  /**
   * Opens the CPU and starts its threads.
   *
   * @param isa as from {@link #bestIsa}
   * @param threads how many compute, the caller included
   * @param cacheBytes a core's own second-level cache, or 0 if unknown
   * @return a handle, or 0 if the instruction set does not run here or there is no memory
   */
  static native long open(String isa, int threads, long cacheBytes);

  /** Stops the threads and frees the scratch memory. */
  static native void close(long handle);

  /** Bytes aligned to a cache line, undefined; 0 if there is no memory. */
  static native long allocate(long bytes);

  /** How often memory was allocated, by {@link #allocate} or as scratch, since the library came. */
  static native long allocations();

  /** Frees what {@link #allocate} gave. */
  static native void release(long address);

  /** Where the bytes of a direct buffer lie. */
  static native long address(ByteBuffer direct);

  static native void copyInFloats(float[] source, int from, long target, int count);

  static native void copyInInts(int[] source, int from, long target, int count);

  static native void copyOutFloats(long source, float[] target, int to, int count);

  static native void copyOutInts(long source, int[] target, int to, int count);

  /** {@link io.unroll.device.Device#gemm}; add is beta. */
  static native void multiply(
      long handle,
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      long a,
      int lda,
      long b,
      int ldb,
      boolean add,
      long c,
      int ldc);

  /** The number of a kernel by its name in {@link io.unroll.device.Kernel}, or FILL; or -1. */
  static native int kernel(long handle, String name);

  /** The number of a cell with just this name and these counts, or -1. */
  static native int cell(
      long handle,
      String name,
      int gates,
      int states,
      int reserved,
      int unitWeights,
      boolean inputAndRecurrentAdd);

  /**
   * Runs all items of a kernel.
   *
   * @param args address of the arguments in the order of {@link io.unroll.device.Kernel}, eight
   *     bytes each: an address (0 for an absent buffer), a long or a double
   */
  static native void launch(long handle, int kernel, long items, long args);

  /** Runs CELL_FORWARD or CELL_BACKWARD of a cell. */
  static native void launchCell(long handle, int cell, boolean backward, long items, long args);

  /**
   * Runs all steps of a sequence.
   *
   * @param call address of a {@code Recurrence} of native/cpu/isa.h
   */
  static native void recurrence(long handle, boolean backward, long call);
}
