package io.unroll.device.cpu;

import io.unroll.CellSpec;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.ElementType;
import io.unroll.device.FusedRecurrence;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.util.Arrays;

/** The CPU in plain Java. */
final class JavaDevice extends CpuDevice {
  private final WorkerPool pool;
  private final Gemm gemm;
  private final Launcher launcher;
  private final FusedRecurrence.Offer recurrence;

  /**
   * @param threads how many threads compute, the caller's included; at least 1
   */
  JavaDevice(int threads) {
    super(threads);
    pool = new WorkerPool(threads);
    Scratch[] scratches = new Scratch[threads];
    Arrays.setAll(scratches, i -> new Scratch());
    gemm = new Gemm(pool, scratches);
    launcher = new Launcher(pool, scratches);
    recurrence = FusedRecurrence.Offer.of(new JavaRecurrence(pool, scratches));
  }

  /** With the reason for which it is not the native library that computes. */
  static String describe(int threads) {
    String refusal = NativeLibrary.refusal();
    String plain = describe("plain Java", threads);
    return refusal == null ? plain : plain + ", because the native library is not used: " + refusal;
  }

  WorkerPool pool() {
    return pool;
  }

  @Override
  public String description() {
    return describe(threads());
  }

  /** The Java heap, in which the buffers are arrays. */
  @Override
  public long memoryBytes() {
    return Runtime.getRuntime().maxMemory();
  }

  @Override
  CpuBuffer newBuffer(ElementType type, long length, String purpose) {
    return new JavaBuffer(type, length, purpose, ledger());
  }

  @Override
  public void copyIn(float[] source, int from, DeviceBuffer target, long at, int count) {
    System.arraycopy(source, from, JavaBuffer.reals(target), (int) at, count);
  }

  @Override
  public void copyIn(double[] source, int from, DeviceBuffer target, long at, int count) {
    float[] reals = JavaBuffer.reals(target);
    for (int i = 0; i < count; i++) {
      reals[(int) at + i] = (float) source[from + i];
    }
  }

  @Override
  public void copyIn(int[] source, int from, DeviceBuffer target, long at, int count) {
    System.arraycopy(source, from, JavaBuffer.integers(target), (int) at, count);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, float[] target, int to, int count) {
    System.arraycopy(JavaBuffer.reals(source), (int) at, target, to, count);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, double[] target, int to, int count) {
    float[] reals = JavaBuffer.reals(source);
    for (int i = 0; i < count; i++) {
      target[to + i] = reals[(int) at + i];
    }
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, int[] target, int to, int count) {
    System.arraycopy(JavaBuffer.integers(source), (int) at, target, to, count);
  }

  @Override
  public void fill(DeviceBuffer target, long at, long count, double value) {
    Arrays.fill(JavaBuffer.reals(target), (int) at, (int) (at + count), (float) value);
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
    assert beta == 0 || beta == 1 : "beta must be 0 or 1, but is " + beta;
    gemm.left(JavaBuffer.reals(a), (int) aAt, lda, transposeA)
        .right(JavaBuffer.reals(b), (int) bAt, ldb, transposeB)
        .result(JavaBuffer.reals(c), (int) cAt, ldc, beta != 0)
        .run(m, n, k);
  }

  @Override
  DeviceKernel kernel(Kernel kernel, CellSpec cell) {
    return JavaKernel.of(kernel, cell);
  }

  @Override
  public void launch(DeviceKernel kernel, long items, KernelArgs args) {
    launcher.run((JavaKernel) kernel, items, args);
  }

  @Override
  public FusedRecurrence.Offer fusedRecurrence(
      CellSpec cell, int steps, int batch, int hiddenSize) {
    return recurrence;
  }

  @Override
  void stop() {
    pool.close();
  }
}
