package io.unroll.device.reference;

import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.ElementType;
import io.unroll.device.FusedRecurrence;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import io.unroll.device.Ledger;
import java.util.Arrays;

/** Every verb of a device in float64, one thread, plain loops. */
final class ReferenceDevice implements Device {
  static final String DESCRIPTION =
      "reference (float64, plain loops, 1 thread: to judge, not to run)";

  private final Ledger ledger = new Ledger();

  /** A kernel ready to run over a number of items. */
  record Ready(Kernel kernel, ReferenceKernels.Body body) implements DeviceKernel {}

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public String description() {
    return DESCRIPTION;
  }

  @Override
  public Precision precision() {
    return Precision.FP64;
  }

  /** The Java heap. */
  @Override
  public long memoryBytes() {
    return Runtime.getRuntime().maxMemory();
  }

  @Override
  public long liveBytes() {
    return ledger.liveBytes();
  }

  @Override
  public long peakBytes() {
    return ledger.peakBytes();
  }

  @Override
  public void synchronize() {
    // Every verb is done when it returns.
  }

  @Override
  public void close() {
    ledger.requireEmpty(name());
  }

  @Override
  public DeviceBuffer allocate(ElementType type, long length, String purpose) {
    ReferenceBuffer buffer = new ReferenceBuffer(this, type, length, purpose);
    ledger.add(buffer, buffer.bytes());
    return buffer;
  }

  void release(ReferenceBuffer buffer) {
    ledger.remove(buffer, buffer.bytes());
  }

  static double[] reals(DeviceBuffer buffer) {
    return buffer == null ? null : ((ReferenceBuffer) buffer).reals;
  }

  static int[] ints(DeviceBuffer buffer) {
    return buffer == null ? null : ((ReferenceBuffer) buffer).ints;
  }

  @Override
  public void copyIn(float[] source, int from, DeviceBuffer target, long at, int count) {
    double[] to = reals(target);
    for (int i = 0; i < count; i++) {
      to[(int) at + i] = source[from + i];
    }
  }

  @Override
  public void copyIn(double[] source, int from, DeviceBuffer target, long at, int count) {
    System.arraycopy(source, from, reals(target), (int) at, count);
  }

  @Override
  public void copyIn(int[] source, int from, DeviceBuffer target, long at, int count) {
    System.arraycopy(source, from, ints(target), (int) at, count);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, float[] target, int to, int count) {
    double[] from = reals(source);
    for (int i = 0; i < count; i++) {
      target[to + i] = (float) from[(int) at + i];
    }
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, double[] target, int to, int count) {
    System.arraycopy(reals(source), (int) at, target, to, count);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, int[] target, int to, int count) {
    System.arraycopy(ints(source), (int) at, target, to, count);
  }

  @Override
  public void fill(DeviceBuffer target, long at, long count, double value) {
    Arrays.fill(reals(target), (int) at, (int) (at + count), value);
  }

  @Override
  public void gemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      DeviceBuffer aBuffer,
      long aAt,
      int lda,
      DeviceBuffer bBuffer,
      long bAt,
      int ldb,
      double beta,
      DeviceBuffer cBuffer,
      long cAt,
      int ldc) {
    double[] a = reals(aBuffer);
    double[] b = reals(bBuffer);
    double[] c = reals(cBuffer);
    int aRow = transposeA ? 1 : lda;
    int aColumn = transposeA ? lda : 1;
    int bRow = transposeB ? 1 : ldb;
    int bColumn = transposeB ? ldb : 1;
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int p = 0; p < k; p++) {
          sum += a[(int) aAt + i * aRow + p * aColumn] * b[(int) bAt + p * bRow + j * bColumn];
        }
        int at = (int) cAt + i * ldc + j;
        c[at] = beta == 0 ? sum : sum + c[at];
      }
    }
  }

  @Override
  public DeviceKernel compile(Kernel kernel, CellSpec cell) {
    return new Ready(kernel, ReferenceKernels.of(kernel, cell));
  }

  @Override
  public void launch(DeviceKernel kernel, long items, KernelArgs args) {
    ((Ready) kernel).body().run(args, Math.toIntExact(items));
  }

  @Override
  public FusedRecurrence.Offer fusedRecurrence(
      CellSpec cell, int steps, int batch, int hiddenSize) {
    return FusedRecurrence.Offer.refused("the reference runs step by step");
  }
}
