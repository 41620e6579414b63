package io.unroll.engine;

import io.unroll.CellSpec;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.FusedRecurrence;
import io.unroll.device.Gpu;
import io.unroll.device.GpuEntry;
import io.unroll.device.GpuGemm;
import io.unroll.device.GpuRecurrences;
import io.unroll.device.KernelArgs;
import java.util.List;
import java.util.Map;

/** Counts what a GPU would hold, the scratch of its products and recurrences included. */
final class CountingGpu extends CountingDevice implements Gpu {
  private final Gpu like;
  private final GpuGemm gemm;
  private final GpuRecurrences recurrences;

  /**
   * @param like decides besides how wide its groups are, how many run at once and what they can run
   */
  CountingGpu(Gpu like) {
    super(like);
    this.like = like;
    this.gemm = new GpuGemm(this);
    this.recurrences = new GpuRecurrences(this);
  }

  @Override
  public int groupSize() {
    return like.groupSize();
  }

  @Override
  public int computeUnits() {
    return like.computeUnits();
  }

  @Override
  public boolean runsCudaText() {
    return like.runsCudaText();
  }

  @Override
  public long groupMemoryBytes() {
    return like.groupMemoryBytes();
  }

  @Override
  public long mostGroupMemoryBytes() {
    return like.mostGroupMemoryBytes();
  }

  @Override
  public List<Map<String, Integer>> programs(String file, CellSpec cell) {
    return like.programs(file, cell);
  }

  @Override
  public void gemm(
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
    gemm.run(transposeA, transposeB, m, n, k, a, aAt, lda, b, bAt, ldb, beta, c, cAt, ldc);
  }

  @Override
  public boolean has(GpuEntry entry) {
    return like.has(entry);
  }

  /** One of a product, which is none of {@link io.unroll.device.Kernel}. */
  @Override
  public DeviceKernel entry(GpuEntry entry) {
    return compile(null, null);
  }

  @Override
  public void launchGroups(DeviceKernel kernel, long groups, long items, KernelArgs args) {}

  @Override
  public FusedRecurrence.Offer fusedRecurrence(
      CellSpec cell, int steps, int batch, int hiddenSize) {
    return recurrences.offer(cell, batch, hiddenSize);
  }

  @Override
  public long libraryScratch() {
    return like.libraryScratch();
  }

  @Override
  public void gemmByLibrary(
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
      DeviceBuffer scratch) {}
}
