package io.unroll.device;

/** {@link Device#gemm} by the text of {@code kernels/gpu/gemm.h}. */
public final class GpuGemm {
  /** Groups for each processor that hide one another's waiting. */
  private static final int GROUPS_PER_UNIT = 2;

  /** Products of a slice that pay for writing and reading its sums once more. */
  private static final int SHORTEST_SLICE = 256;

  private final Gpu gpu;
  private final GpuWorkspace workspace;
  private final GpuWorkspace libraryScratch;
  private final KernelArgs args = new KernelArgs();
  private final DeviceKernel[] kernels = new DeviceKernel[4];
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
    int square = 4 * (int) Math.sqrt(gpu.groupSize());
    long squares = GpuKernels.pieces(m, square) * GpuKernels.pieces(n, square);
    boolean canBeCut = ldc == n && (long) m * n <= Integer.MAX_VALUE;
    int slices = canBeCut ? slices(squares, k) : 1;
    args.clear().buffer(a, aAt).buffer(b, bAt);
    if (slices == 1) {
      args.buffer(c, cAt);
    } else {
      args.buffer(workspace.reals((long) slices * m * n), 0);
    }
    args.i32(m).i32(n).i32(k).i32(lda).i32(ldb).i32(ldc).i32(slices).real(slices == 1 ? beta : 0);
    gpu.launchGroups(
        kernel(transposeA, transposeB), most(slices * squares), slices * squares, args);
    if (slices > 1) {
      addSlices(slices, m * n, beta, c, cAt);
    }
  }

  private static long most(long groups) {
    return Math.min(groups, GpuKernels.MOST_GROUPS);
  }

  private DeviceKernel kernel(boolean transposeA, boolean transposeB) {
    int which = (transposeA ? 2 : 0) + (transposeB ? 1 : 0);
    if (kernels[which] == null) {
      String name = "gemm_" + (transposeA ? 't' : 'n') + (transposeB ? 't' : 'n') + "_kernel";
      kernels[which] = gpu.entry(GpuEntry.of("gpu/gemm.h", name));
    }
    return kernels[which];
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
  private int slices(long squares, int k) {
    long wanted = GpuKernels.pieces((long) GROUPS_PER_UNIT * gpu.computeUnits(), squares);
    return (int) Math.max(1, Math.min(wanted, k / SHORTEST_SLICE));
  }
}
