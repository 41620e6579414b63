package io.unroll.device.cpu;

import io.unroll.CellSpec;
import io.unroll.DeviceException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.ElementType;
import io.unroll.device.FusedRecurrence;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.util.HashMap;
import java.util.Map;

/** The CPU by way of the native library. */
final class NativeDevice extends CpuDevice {
  /** As many as {@link KernelArgs} holds. */
  private static final int MAX_ARGUMENTS = 24;

  /** Doubles that are converted at once. */
  private static final int CHUNK = 1024;

  private final NativeBlock arguments = new NativeBlock(MAX_ARGUMENTS);
  private final float[] chunk = new float[CHUNK];
  private final Map<CellSpec, FusedRecurrence.Offer> recurrences = new HashMap<>();
  private final String isa;
  private final int fill;
  private long handle;

  /** A kernel and its number in the library; that of its cell if it is one of a cell's two. */
  private record Compiled(Kernel kernel, int number, boolean ofCell) implements DeviceKernel {}

  /**
   * Starts the threads. The library must be loaded.
   *
   * @param threads how many threads compute, the caller's included; at least 1
   * @throws DeviceException if there is no memory for them
   */
  NativeDevice(int threads) {
    this(threads, Native.bestIsa());
  }

  /**
   * Starts the threads on one of the library's instruction sets.
   *
   * @param isa one that this processor runs, as named in native/cpu
   */
  NativeDevice(int threads, String isa) {
    super(threads);
    this.isa = isa;
    handle = Native.open(isa, threads, SecondLevelCache.bytes());
    if (handle == 0) {
      throw new DeviceException(
          "cannot start "
              + threads
              + " threads on backend \"cpu\": the system gives no more memory. Use fewer.");
    }
    fill = Native.kernel(handle, "FILL");
  }

  static String describe(int threads) {
    return describeNative(Native.bestIsa(), threads);
  }

  private static String describeNative(String isa, int threads) {
    String name =
        switch (isa) {
          case "avx512" -> "AVX-512";
          case "avx2" -> "AVX2";
          case "neon" -> "NEON";
          default -> isa;
        };
    return describe("native " + name, threads);
  }

  /** The opened library. */
  long handle() {
    if (handle == 0) {
      throw new IllegalStateException("backend \"cpu\" is closed");
    }
    return handle;
  }

  @Override
  public String description() {
    return describeNative(isa, threads());
  }

  /** That of this machine or of its container. */
  @Override
  public long memoryBytes() {
    return NativeBuffer.MACHINE_BYTES;
  }

  @Override
  CpuBuffer newBuffer(ElementType type, long length, String purpose) {
    NativeBuffer buffer = new NativeBuffer(type, length, purpose, ledger());
    assert spoil(buffer);
    return buffer;
  }

  /** Under test, whoever reads what he did not write gets NaN, or an index out of this world. */
  private boolean spoil(NativeBuffer buffer) {
    fill(NativeBuffer.address(buffer, 0), buffer.length(), Double.NaN);
    return true;
  }

  @Override
  public void copyIn(float[] source, int from, DeviceBuffer target, long at, int count) {
    assert fits(target, at, count);
    Native.copyInFloats(source, from, NativeBuffer.reals(target, at), count);
  }

  @Override
  public void copyIn(double[] source, int from, DeviceBuffer target, long at, int count) {
    assert fits(target, at, count);
    for (int done = 0; done < count; done += CHUNK) {
      int part = Math.min(CHUNK, count - done);
      for (int i = 0; i < part; i++) {
        chunk[i] = (float) source[from + done + i];
      }
      Native.copyInFloats(chunk, 0, NativeBuffer.reals(target, at + done), part);
    }
  }

  @Override
  public void copyIn(int[] source, int from, DeviceBuffer target, long at, int count) {
    assert fits(target, at, count);
    Native.copyInInts(source, from, NativeBuffer.integers(target, at), count);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, float[] target, int to, int count) {
    assert fits(source, at, count);
    Native.copyOutFloats(NativeBuffer.reals(source, at), target, to, count);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, double[] target, int to, int count) {
    assert fits(source, at, count);
    for (int done = 0; done < count; done += CHUNK) {
      int part = Math.min(CHUNK, count - done);
      Native.copyOutFloats(NativeBuffer.reals(source, at + done), chunk, 0, part);
      for (int i = 0; i < part; i++) {
        target[to + done + i] = chunk[i];
      }
    }
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, int[] target, int to, int count) {
    assert fits(source, at, count);
    Native.copyOutInts(NativeBuffer.integers(source, at), target, to, count);
  }

  @Override
  public void fill(DeviceBuffer target, long at, long count, double value) {
    assert fits(target, at, count);
    fill(NativeBuffer.reals(target, at), count, value);
  }

  private void fill(long address, long count, double value) {
    arguments.clear().add(address).add(Double.doubleToRawLongBits(value));
    Native.launch(handle(), fill, count, arguments.address());
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
    assert transposeA ? fits(a, aAt, k, m, lda) : fits(a, aAt, m, k, lda);
    assert transposeB ? fits(b, bAt, n, k, ldb) : fits(b, bAt, k, n, ldb);
    assert fits(c, cAt, m, n, ldc);
    Native.multiply(
        handle(),
        transposeA,
        transposeB,
        m,
        n,
        k,
        NativeBuffer.reals(a, aAt),
        lda,
        NativeBuffer.reals(b, bAt),
        ldb,
        beta != 0,
        NativeBuffer.reals(c, cAt),
        ldc);
  }

  private static boolean fits(DeviceBuffer buffer, long at, int rows, int columns, int ld) {
    return rows == 0 || columns == 0 || fits(buffer, at, (rows - 1L) * ld + columns);
  }

  /** Nothing below this class looks whether an element lies in its buffer. */
  private static boolean fits(DeviceBuffer buffer, long at, long count) {
    if (at < 0 || count < 0 || at + count > buffer.length()) {
      throw new AssertionError(
          "%d elements from %d on do not lie in %s, which has %d"
              .formatted(count, at, buffer.purpose(), buffer.length()));
    }
    return true;
  }

  @Override
  DeviceKernel kernel(Kernel kernel, CellSpec cell) {
    int number = cell == null ? Native.kernel(handle(), kernel.name()) : number(cell);
    if (number < 0) {
      throw new DeviceException(
          "the native library of backend \"cpu\" has no "
              + kernel
              + (cell == null ? "" : " of cell " + cell.name())
              + "; build it from the same sources as these classes");
    }
    return new Compiled(kernel, number, cell != null);
  }

  private int number(CellSpec cell) {
    return Native.cell(
        handle(),
        cell.name(),
        cell.gateCount(),
        cell.stateCount(),
        cell.reserved(),
        cell.unitWeightCount(),
        cell.inputAndRecurrentAdd());
  }

  @Override
  public void launch(DeviceKernel kernel, long items, KernelArgs args) {
    Compiled compiled = (Compiled) kernel;
    long block = arguments.set(args).address();
    if (compiled.ofCell) {
      boolean backward = compiled.kernel == Kernel.CELL_BACKWARD;
      Native.launchCell(handle(), compiled.number, backward, items, block);
    } else {
      Native.launch(handle(), compiled.number, items, block);
    }
  }

  @Override
  public FusedRecurrence.Offer fusedRecurrence(
      CellSpec cell, int steps, int batch, int hiddenSize) {
    FusedRecurrence.Offer offer = recurrences.get(cell);
    if (offer == null) {
      offer = offer(cell);
      recurrences.put(cell, offer);
    }
    return offer;
  }

  private FusedRecurrence.Offer offer(CellSpec cell) {
    int number = number(cell);
    return number < 0
        ? FusedRecurrence.Offer.refused("the native library has no cell " + cell.name())
        : FusedRecurrence.Offer.of(new NativeRecurrence(this, number));
  }

  @Override
  void stop() {
    long closing = handle;
    handle = 0;
    Native.close(closing);
  }
}
