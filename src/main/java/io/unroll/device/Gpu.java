package io.unroll.device;

import io.unroll.CellSpec;
import java.util.List;
import java.util.Map;

/**
 * A device that runs the text of {@code kernels/gpu}: groups of {@link #groupSize} lanes that share
 * a memory of their own. {@link GpuKernels}, {@link GpuGemm} and {@link GpuRecurrences} tell it
 * what to launch.
 */
public interface Gpu extends Device {
  /** The lanes of a group, 256 or 64: the macro {@code GROUP} of a text that does not choose it. */
  int groupSize();

  /** Where its buffers are entered. */
  Ledger ledger();

  /** How many groups it runs at once at least, one on each of its processors. */
  int computeUnits();

  /** Whether it runs the text of {@code kernels/cuda} as well, which no other compiler reads. */
  default boolean runsCudaText() {
    return false;
  }

  /** Bytes that a group may have of its own memory. */
  long groupMemoryBytes();

  /** Bytes that it may have where an entry asks for them: {@link GpuEntry#groupMemory}. */
  default long mostGroupMemoryBytes() {
    return groupMemoryBytes();
  }

  /**
   * The constants of the programs that were compiled of a file for a cell before. A device that
   * compiles on the user's machine compiles with any constants, but nothing of {@code
   * kernels/cuda}.
   *
   * @param file a path below {@code kernels/}
   */
  default List<Map<String, Integer>> programs(String file, CellSpec cell) {
    return List.of();
  }

  /**
   * Whether {@link #entry} can give an entry. A device that compiles on the user's machine has all;
   * one whose programs were compiled before has those.
   */
  default boolean has(GpuEntry entry) {
    return true;
  }

  /**
   * Compiles an entry; the second time it is at hand.
   *
   * @throws io.unroll.DeviceException if its text does not compile; with file and line
   */
  DeviceKernel entry(GpuEntry entry);

  /**
   * Queues groups of an entry.
   *
   * @param kernel what {@link #entry} gave
   * @param groups how many groups, at least 1
   * @param items the entry's last parameter
   * @param args its other parameters; read before this returns
   */
  void launchGroups(DeviceKernel kernel, long groups, long items, KernelArgs args);

  /**
   * Reals of scratch that {@link #gemmByLibrary} wants; 0 where there is no such library, and
   * {@link GpuGemm} launches kernels.
   */
  default long libraryScratch() {
    return 0;
  }

  /**
   * Queues what {@link Device#gemm} asks for by a library of the GPU's maker; the same parameters,
   * of which m, n and k are not 0. The library may write to the scratch until the product is done.
   */
  default void gemmByLibrary(
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
      int ldc,
      DeviceBuffer scratch) {
    throw new UnsupportedOperationException(name() + " has no library of matrix products");
  }
}
