package io.unroll.device.cuda;

import io.unroll.CellSpec;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.Precision;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.DeviceProfiler;
import io.unroll.device.ElementType;
import io.unroll.device.FusedRecurrence;
import io.unroll.device.Gpu;
import io.unroll.device.GpuEntry;
import io.unroll.device.GpuGemm;
import io.unroll.device.GpuKernels;
import io.unroll.device.GpuRecurrences;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import io.unroll.device.Ledger;
import java.util.List;

/** A device by its CUDA driver: float32, work in the order of the calls. */
final class CudaDevice implements Gpu {
  private static final double GIB = 1 << 30;

  /** What the kernels of {@code modules.txt} were compiled with. */
  private static final int GROUP = 256;

  private final String name;
  private final Hardware hardware;
  private final Ledger ledger = new Ledger();
  private final CommandStream stream;
  private final Staging staging;
  private final Modules modules;
  private final GpuGemm gemm;
  private final GpuRecurrences recurrences;
  private final KernelArgs fillArgs = new KernelArgs();
  private DeviceKernel fill;
  private boolean closed;

  /**
   * Opens it.
   *
   * @param name as the user sees it, such as {@code cuda:0}
   * @throws io.unroll.DeviceException if the driver does not give a context
   */
  CudaDevice(String name, Hardware hardware) {
    this.name = name;
    this.hardware = hardware;
    stream = new CommandStream(name, hardware);
    Staging made = null;
    try {
      made = new Staging(stream);
    } finally {
      if (made == null) {
        stream.close();
      }
    }
    staging = made;
    modules = new Modules(stream);
    // Both ask for what stands above.
    gemm = new GpuGemm(this);
    recurrences = new GpuRecurrences(this);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    return "%s (%s, %s, float32, driver for CUDA %s)"
        .formatted(
            name,
            hardware.name(),
            hardware.isSimulated() ? "simulated" : "GPU",
            Targets.text(hardware.driver()));
  }

  @Override
  public Precision precision() {
    return Precision.FP32;
  }

  @Override
  public long memoryBytes() {
    return hardware.memoryBytes();
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
    stream.finish();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      ledger.requireEmpty(name);
    } finally {
      ledger.live().forEach(DeviceBuffer::close);
      stream.drain();
      modules.close();
      staging.close();
      stream.close();
    }
  }

  @Override
  public DeviceBuffer allocate(ElementType type, long length, String purpose) {
    long bytes = Math.multiplyExact(length, Integer.BYTES);
    if (bytes > hardware.memoryBytes() - ledger.liveBytes()) {
      throw outOfMemory(purpose, bytes, "it has %.2f GiB in all");
    }
    DeviceMemory memory = new DeviceMemory();
    int code = stream.allocate(memory, bytes);
    if (code == ReturnCode.OUT_OF_MEMORY) {
      throw outOfMemory(
          purpose,
          bytes,
          "of its %.2f GiB others may hold a part (the driver says " + ReturnCode.name(code) + ")");
    }
    if (code != ReturnCode.SUCCESS) {
      throw stream.fail(code, "cuMemAlloc of " + purpose);
    }
    CudaBuffer buffer = new CudaBuffer(type, length, purpose, ledger, stream, memory);
    assert touch(memory, length);
    return buffer;
  }

  /** Under test, whoever reads what he did not write gets NaN, or an index out of this world. */
  private boolean touch(DeviceMemory memory, long length) {
    stream.fill(memory, length, 0x7fc0_0000);
    return true;
  }

  private OutOfDeviceMemoryException outOfMemory(String purpose, long bytes, String limit) {
    return new OutOfDeviceMemoryException(
        "backend \"%s\" has no room for %s of %.2f GiB on %s: %.2f GiB are in use by %s, and %s"
            .formatted(
                name,
                purpose,
                bytes / GIB,
                hardware.name(),
                ledger.liveBytes() / GIB,
                ledger.live().isEmpty() ? "nothing" : purposes(),
                limit.formatted(hardware.memoryBytes() / GIB)),
        bytes,
        ledger.liveBytes(),
        hardware.memoryBytes(),
        null);
  }

  private String purposes() {
    List<String> lines =
        ledger.live().stream()
            .sorted((a, b) -> Long.compare(b.length(), a.length()))
            .map(b -> "%s %.2f GiB".formatted(b.purpose(), b.length() * Integer.BYTES / GIB))
            .toList();
    return String.join(", ", lines);
  }

  @Override
  public void copyIn(float[] source, int from, DeviceBuffer target, long at, int count) {
    copyIn(source, from, target, at, count, ElementType.REAL);
  }

  @Override
  public void copyIn(double[] source, int from, DeviceBuffer target, long at, int count) {
    copyIn(source, from, target, at, count, ElementType.REAL);
  }

  @Override
  public void copyIn(int[] source, int from, DeviceBuffer target, long at, int count) {
    copyIn(source, from, target, at, count, ElementType.INT);
  }

  private void copyIn(
      Object source, int from, DeviceBuffer target, long at, int count, ElementType type) {
    assert fits(target, at, count);
    staging.copyIn(source, from, CudaBuffer.memory(target, type), at, count);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, float[] target, int to, int count) {
    copyOut(source, at, target, to, count, ElementType.REAL);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, double[] target, int to, int count) {
    copyOut(source, at, target, to, count, ElementType.REAL);
  }

  @Override
  public void copyOut(DeviceBuffer source, long at, int[] target, int to, int count) {
    copyOut(source, at, target, to, count, ElementType.INT);
  }

  private void copyOut(
      DeviceBuffer source, long at, Object target, int to, int count, ElementType type) {
    assert fits(source, at, count);
    if (count > 0) {
      staging.copyOut(CudaBuffer.memory(source, type), at, target, to, count);
    }
  }

  /** By a kernel: for an offset into memory the driver's own would take an object. */
  @Override
  public void fill(DeviceBuffer target, long at, long count, double value) {
    assert fits(target, at, count);
    assert target.type() == ElementType.REAL : target.purpose() + " holds " + target.type();
    if (count > 0) {
      if (fill == null) {
        fill = modules.kernel(GpuKernels.fill(), null, "fill");
      }
      fillArgs.clear().buffer(target, at).real(value);
      launchGroups(fill, GpuKernels.groups(count, GROUP), count, fillArgs);
    }
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

  @Override
  public DeviceKernel compile(Kernel kernel, CellSpec cell) {
    GpuEntry entry = GpuKernels.entry(kernel, cell);
    return modules.kernel(entry, kernel, label(entry));
  }

  @Override
  public boolean has(GpuEntry entry) {
    return Images.has(entry);
  }

  @Override
  public DeviceKernel entry(GpuEntry entry) {
    return modules.kernel(entry, null, label(entry));
  }

  /** The entry's name without its suffix, and the cell that it was compiled for. */
  private static String label(GpuEntry entry) {
    String bare = entry.name().replaceFirst("_kernel$", "");
    List<String> cells = entry.files().stream().filter(file -> file.startsWith("cells/")).toList();
    return cells.isEmpty() ? bare : bare + " " + cells.get(0).replaceAll("cells/|[.]h", "");
  }

  @Override
  public void launch(DeviceKernel kernel, long items, KernelArgs args) {
    if (items > 0) {
      long groups = GpuKernels.groups(kernel.kernel(), items, args, GROUP);
      launchGroups(kernel, groups, items, args);
    }
  }

  @Override
  public void launchGroups(DeviceKernel kernel, long groups, long items, KernelArgs args) {
    ((CudaKernel) kernel).launch(stream, (int) groups, GROUP, items, args);
  }

  @Override
  public FusedRecurrence.Offer fusedRecurrence(
      CellSpec cell, int steps, int batch, int hiddenSize) {
    return recurrences.offer(cell, batch, hiddenSize);
  }

  @Override
  public Ledger ledger() {
    return ledger;
  }

  @Override
  public int groupSize() {
    return GROUP;
  }

  @Override
  public int computeUnits() {
    return hardware.units();
  }

  @Override
  public long groupMemoryBytes() {
    return hardware.groupMemoryBytes();
  }

  @Override
  public DeviceProfiler.Offer profiler() {
    return DeviceProfiler.Offer.of(
        new DeviceProfiler() {
          @Override
          public void start() {
            stream.startProfile();
          }

          @Override
          public List<KernelTime> stop() {
            return stream.stopProfile().times();
          }
        });
  }
}
