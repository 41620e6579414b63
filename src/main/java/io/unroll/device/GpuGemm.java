package io.unroll.device;

import java.util.List;
import java.util.Map;

/**
 * {@link Device#gemm} by the text of {@code kernels/cuda/gemm.h}, or on a device that does not run
 * it by that of {@code kernels/gpu/gemm.h}.
 */
public final class GpuGemm {
  /** Groups for each processor that hide one another's waiting. */
  private static final int GROUPS_PER_UNIT = 2;

  /** Products of a slice that pay for writing and reading its sums once more. */
  private static final int SHORTEST_SLICE = 256;

  /** What a group of cuda/gemm.h computes of C, at most and where C is small. */
  private static final int LARGE_TILE = 128;

  private static final int SMALL_TILE = 64;

  private final Gpu gpu;
  private final GpuWorkspace workspace;
  private final GpuWorkspace libraryScratch;
  private final KernelArgs args = new KernelArgs();
  private final DeviceKernel[] kernels = new DeviceKernel[8];
  private DeviceKernel sum;

  /** Of a device; compiles nothing yet. */
  public GpuGemm(Gpu gpu) {
    this.gpu = gpu;
    this.workspace = new GpuWorkspace(gpu, "slices of matrix products");
    this.libraryScratch = new GpuWorkspace(gpu, "scratch of matrix products");
  }

  /**
   * Queues what {@link Device#gemm} asks for, by the library of the GPU's maker where there is one;
   * the same parameters.
   */
  public void run(
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
      int ldc) {
    if (m > 0 && n > 0 && k > 0 && gpu.libraryScratch() > 0) {
      DeviceBuffer scratch = libraryScratch.reals(gpu.libraryScratch());
      gpu.gemmByLibrary(
          transposeA, transposeB, m, n, k, a, aAt, lda, b, bAt, ldb, beta, c, cAt, ldc, scratch);
      return;
    }
    if (m == 0 || n == 0) {
      return;
    }
    boolean canBeCut = ldc == n && (long) m * n <= Integer.MAX_VALUE;
    int tile = tile(m, n, canBeCut ? k : 0);
    long tiles = tiles(m, n, tile);
    int slices = canBeCut ? slices(tiles, k) : 1;
    args.clear().buffer(a, aAt).buffer(b, bAt);
    if (slices == 1) {
      args.buffer(c, cAt);
    } else {
      args.buffer(workspace.reals((long) slices * m * n), 0);
    }
    args.i32(m).i32(n).i32(k).i32(lda).i32(ldb).i32(ldc).i32(slices).real(slices == 1 ? beta : 0);
    gpu.launchGroups(
        kernel(transposeA, transposeB, tile), groups(slices * tiles), slices * tiles, args);
    if (slices > 1) {
      addSlices(slices, m * n, beta, c, cAt);
    }
  }

  /** How many rows and columns of C a group computes. */
  private int tile(int m, int n, int depthThatCanBeCut) {
    if (!gpu.runsCudaText()) {
      return 4 * (int) Math.sqrt(gpu.groupSize());
    }
    long slices = Math.max(1, depthThatCanBeCut / SHORTEST_SLICE);
    boolean fills = slices * tiles(m, n, LARGE_TILE) >= gpu.computeUnits();
    return Math.min(m, n) > SMALL_TILE && fills ? LARGE_TILE : SMALL_TILE;
  }

  private static long tiles(int m, int n, int tile) {
    return GpuKernels.pieces(m, tile) * GpuKernels.pieces(n, tile);
  }

  /** One for each tile; those of gpu/gemm.h go round. */
  private long groups(long tiles) {
    return gpu.runsCudaText() ? tiles : Math.min(tiles, GpuKernels.MOST_GROUPS);
  }

  private DeviceKernel kernel(boolean transposeA, boolean transposeB, int tile) {
    int which = (transposeA ? 2 : 0) + (transposeB ? 1 : 0) + (tile == LARGE_TILE ? 4 : 0);
    if (kernels[which] == null) {
      String name = "gemm_" + (transposeA ? 't' : 'n') + (transposeB ? 't' : 'n') + "_kernel";
      kernels[which] = gpu.entry(entry(name, tile));
    }
    return kernels[which];
  }

  private GpuEntry entry(String name, int tile) {
    if (!gpu.runsCudaText()) {
      return GpuEntry.of("gpu/gemm.h", name);
    }
    int precision = GpuPack.macro(gpu.precision());
    Map<String, Integer> constants = Map.of("PRECISION", precision, "TILE", tile);
    return new GpuEntry(List.of("cuda/gemm.h"), name, constants);
  }

  private void addSlices(int slices, int size, double beta, DeviceBuffer c, long cAt) {
    if (sum == null) {
      sum = gpu.compile(Kernel.COLUMN_SUM, null);
    }
    args.clear().buffer(workspace.reals((long) slices * size), 0).buffer(c, cAt);
    args.i32(slices).i32(size).real(beta);
    gpu.launch(sum, size, args);
  }

  /** So many that every processor has work, if k is long enough to be worth it. */
  private int slices(long tiles, int k) {
    long wanted = GpuKernels.pieces((long) GROUPS_PER_UNIT * gpu.computeUnits(), tiles);
    return (int) Math.max(1, Math.min(wanted, k / SHORTEST_SLICE));
  }
}
