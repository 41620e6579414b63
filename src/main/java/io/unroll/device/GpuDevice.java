package io.unroll.device;

import io.unroll.CellSpec;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.Precision;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What every GPU has in common, whoever made its driver: float32 in memory, work in the order of
 * the calls, the text of {@code kernels/gpu}. A package of a vendor adds buffers, copies and
 * launches.
 */
public abstract class GpuDevice implements Gpu {
  private static final double GIB = 1 << 30;
  private static final double MIB = 1 << 20;

  /** What a new buffer is filled with under test: NaN, or an index out of this world. */
  protected static final int UNTOUCHED = 0x7fc0_0000;

  private final String name;
  private final String hardwareName;
  private final Precision precision;
  private final Ledger ledger = new Ledger();
  private GpuGemm gemm; // like recurrences, made by the first use: both ask what a subclass answers
  private GpuRecurrences recurrences;
  private boolean closed;

  /**
   * @param name as the user sees it, such as {@code cuda:0}
   * @param hardwareName what the driver calls the device, for messages
   * @param precision of its matrix products; buffers hold float32 in each
   */
  protected GpuDevice(String name, String hardwareName, Precision precision) {
    this.name = name;
    this.hardwareName = hardwareName;
    this.precision = precision;
  }

  /** Queues a copy of a float[], double[] or int[] into a buffer; the array may be changed then. */
  protected abstract void copy(Object source, int from, DeviceBuffer target, long at, int count);

  /** Waits for the queue and copies from a buffer into a float[], double[] or int[]. */
  protected abstract void copy(DeviceBuffer source, long at, Object target, int to, int count);

  /** Queues the same four bytes for a range that is not empty. */
  protected abstract void fillBits(DeviceBuffer target, long at, long count, int bits);

  /** Waits for what is queued as far as the device still works, and frees all but the buffers. */
  protected abstract void free();

  /**
   * The exception for a buffer that does not fit.
   *
   * @param limit what there is, in words
   */
  protected final OutOfDeviceMemoryException outOfMemory(String purpose, long bytes, String limit) {
    return outOfMemory(purpose, bytes, limit, 0);
  }

  /**
   * As {@link #outOfMemory(String, long, String)}, where it is known how much was free.
   *
   * @param freeBytes what nobody held
   */
  protected final OutOfDeviceMemoryException outOfMemory(
      String purpose, long bytes, String limit, long freeBytes) {
    String used =
        ledger.live().stream()
            .sorted((a, b) -> Long.compare(b.length(), a.length()))
            .map(b -> b.purpose() + " " + gib(b.length() * b.type().bytes(precision())))
            .collect(Collectors.joining(", "));
    return new OutOfDeviceMemoryException(
        "backend \"%s\" has no room for %s of %s on %s: %s are in use by %s, and %s"
            .formatted(
                name,
                purpose,
                gib(bytes),
                hardwareName,
                gib(ledger.liveBytes()),
                used.isEmpty() ? "nothing" : used,
                limit),
        bytes,
        ledger.liveBytes(),
        memoryBytes(),
        ledger.liveBytes() + freeBytes,
        null);
  }

  /** Why a buffer was refused that should fit: what the driver says. */
  protected final String othersMayHoldAPart(String code) {
    return "of its %s others may hold a part (the driver says %s)"
        .formatted(gib(memoryBytes()), code);
  }

  /** Bytes in words. */
  protected static String gib(long bytes) {
    return bytes < GIB ? "%.2f MiB".formatted(bytes / MIB) : "%.2f GiB".formatted(bytes / GIB);
  }

  /** An entry's name without its suffix, and the cell that it is compiled for. */
  protected static String label(GpuEntry entry) {
    String bare = entry.name().replaceFirst("_kernel$", "");
    List<String> cells = entry.files().stream().filter(file -> file.startsWith("cells/")).toList();
    return cells.isEmpty() ? bare : bare + " " + cells.get(0).replaceAll("cells/|[.]h", "");
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Precision precision() {
    return precision;
  }

  @Override
  public final Ledger ledger() {
    return ledger;
  }

  @Override
  public final long liveBytes() {
    return ledger.liveBytes();
  }

  @Override
  public final long peakBytes() {
    return ledger.peakBytes();
  }

  @Override
  public final void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      ledger.requireEmpty(name);
    } finally {
      ledger.live().forEach(DeviceBuffer::close);
      free();
    }
  }

  @Override
  public final void copyIn(float[] source, int from, DeviceBuffer target, long at, int count) {
    copyIn(source, from, target, at, count, ElementType.REAL);
  }

  @Override
  public final void copyIn(double[] source, int from, DeviceBuffer target, long at, int count) {
    copyIn(source, from, target, at, count, ElementType.REAL);
  }

  @Override
  public final void copyIn(int[] source, int from, DeviceBuffer target, long at, int count) {
    copyIn(source, from, target, at, count, ElementType.INT);
  }

  private void copyIn(
      Object source, int from, DeviceBuffer target, long at, int count, ElementType type) {
    assert fits(target, at, count) && holds(target, type);
    copy(source, from, target, at, count);
  }

  @Override
  public final void copyOut(DeviceBuffer source, long at, float[] target, int to, int count) {
    copyOut(source, at, target, to, count, ElementType.REAL);
  }

  @Override
  public final void copyOut(DeviceBuffer source, long at, double[] target, int to, int count) {
    copyOut(source, at, target, to, count, ElementType.REAL);
  }

  @Override
  public final void copyOut(DeviceBuffer source, long at, int[] target, int to, int count) {
    copyOut(source, at, target, to, count, ElementType.INT);
  }

  private void copyOut(
      DeviceBuffer source, long at, Object target, int to, int count, ElementType type) {
    assert fits(source, at, count) && holds(source, type);
    if (count > 0) {
      copy(source, at, target, to, count);
    }
  }

  @Override
  public final void fill(DeviceBuffer target, long at, long count, double value) {
    assert fits(target, at, count) && holds(target, ElementType.REAL);
    if (count > 0) {
      fillBits(target, at, count, Float.floatToRawIntBits((float) value));
    }
  }

  @Override
  public final void gemm(
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
    if (gemm == null) {
      gemm = new GpuGemm(this);
    }
    gemm.run(transposeA, transposeB, m, n, k, a, aAt, lda, b, bAt, ldb, beta, c, cAt, ldc);
  }

  private static boolean fits(DeviceBuffer buffer, long at, int rows, int columns, int ld) {
    return rows == 0 || columns == 0 || fits(buffer, at, (rows - 1L) * ld + columns);
  }

  private static boolean fits(DeviceBuffer buffer, long at, long count) {
    if (at < 0 || count < 0 || at + count > buffer.length()) {
      throw new AssertionError(
          "%d elements from %d on do not lie in %s, which has %d"
              .formatted(count, at, buffer.purpose(), buffer.length()));
    }
    return true;
  }

  private static boolean holds(DeviceBuffer buffer, ElementType wanted) {
    if (buffer.type() != wanted) {
      throw new AssertionError(buffer.purpose() + " holds " + buffer.type() + ", not " + wanted);
    }
    return true;
  }

  @Override
  public final void launch(DeviceKernel kernel, long items, KernelArgs args) {
    if (items > 0) {
      launchGroups(
          kernel, GpuKernels.groups(kernel.kernel(), items, args, groupSize()), items, args);
    }
  }

  @Override
  public final FusedRecurrence.Offer fusedRecurrence(
      CellSpec cell, int steps, int batch, int hiddenSize) {
    if (recurrences == null) {
      recurrences = new GpuRecurrences(this);
    }
    return recurrences.offer(cell, batch, hiddenSize);
  }
}
