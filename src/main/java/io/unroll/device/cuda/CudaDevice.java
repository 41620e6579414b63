package io.unroll.device.cuda;

import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceCeilings;
import io.unroll.device.DeviceKernel;
import io.unroll.device.DeviceProfiler;
import io.unroll.device.DeviceTimer;
import io.unroll.device.ElementType;
import io.unroll.device.GpuDevice;
import io.unroll.device.GpuEntry;
import io.unroll.device.GpuKernels;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.util.List;
import java.util.Map;

/** A device by its CUDA driver: float32 in memory, work in the order of the calls. */
final class CudaDevice extends GpuDevice {
  /** What the kernels of {@code modules.txt} were compiled with that do not say it themselves. */
  private static final int GROUP = 256;

  private final Hardware hardware;
  private final CommandStream stream;
  private final Staging staging;
  private final Modules modules;
  private final Cublas cublas; // null: products by our own kernels
  private final KernelArgs fillArgs = new KernelArgs();
  private DeviceKernel fill;

  /** Opens it in FP32. */
  CudaDevice(String name, Hardware hardware) {
    this(name, hardware, Precision.FP32);
  }

  /**
   * Opens it.
   *
   * @param name as the user sees it, such as {@code cuda:0}
   * @param precision of its matrix products: one that the hardware {@linkplain Hardware#multiplies
   *     multiplies in}
   * @throws io.unroll.DeviceException if the driver does not give a context
   */
  CudaDevice(String name, Hardware hardware, Precision precision) {
    super(name, hardware.name(), precision);
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
    modules = new Modules(stream, GROUP);
    cublas = Cublas.open(stream, precision());
  }

  @Override
  public String description() {
    return "%s (%s, %s, float32%s, driver for CUDA %s, matrix products by %s)"
        .formatted(
            name(),
            hardware.name(),
            hardware.isSimulated() ? "simulated" : "GPU",
            precision() == Precision.FP32 ? "" : " with " + precision() + " products",
            Targets.text(hardware.driver()),
            cublas == null ? "its own kernels" : "cuBLAS " + CublasLibrary.found().version());
  }

  @Override
  public String driver() {
    return "CUDA " + Targets.text(hardware.driver());
  }

  @Override
  public long memoryBytes() {
    return hardware.memoryBytes();
  }

  @Override
  public void synchronize() {
    stream.finish();
  }

  /** Where its commands go. */
  CommandStream stream() {
    return stream;
  }

  /** How many graphs were made and launched. */
  CommandGraphs.Counts graphCounts() {
    return stream.graphCounts();
  }

  @Override
  protected void free() {
    stream.drain();
    if (cublas != null) {
      cublas.close();
    }
    modules.close();
    staging.close();
    stream.close();
  }

  @Override
  public DeviceBuffer allocate(ElementType type, long length, String purpose) {
    long bytes = Math.multiplyExact(length, Integer.BYTES);
    if (bytes > memoryBytes() - liveBytes()) {
      throw outOfMemory(purpose, bytes, "it has " + gib(memoryBytes()) + " in all");
    }
    DeviceMemory memory = new DeviceMemory();
    int code = stream.allocate(memory, bytes);
    if (code == ReturnCode.OUT_OF_MEMORY) {
      throw outOfMemory(purpose, bytes, whatIsFree(code), Math.max(0, stream.freeBytes()));
    }
    if (code != ReturnCode.SUCCESS) {
      throw stream.fail(code, "cuMemAlloc of " + purpose);
    }
    CudaBuffer buffer = new CudaBuffer(type, length, purpose, ledger(), stream, memory);
    assert touch(memory, length);
    return buffer;
  }

  /** Why a buffer was refused that should fit: what others hold. */
  private String whatIsFree(int code) {
    long free = stream.freeBytes();
    long others = memoryBytes() - liveBytes() - free;
    return free < 0
        ? othersMayHoldAPart(ReturnCode.name(code))
        : ("of its %s in all %s are free, so other processes and the driver hold %s; nvidia-smi"
                + " lists them (the driver says %s)")
            .formatted(gib(memoryBytes()), gib(free), gib(others), ReturnCode.name(code));
  }

  private boolean touch(DeviceMemory memory, long length) {
    stream.fillNew(memory, length, UNTOUCHED);
    return true;
  }

  @Override
  protected void copy(Object source, int from, DeviceBuffer target, long at, int count) {
    staging.copyIn(source, from, CudaBuffer.memory(target), at, count);
  }

  @Override
  protected void copy(DeviceBuffer source, long at, Object target, int to, int count) {
    staging.copyOut(CudaBuffer.memory(source), at, target, to, count);
  }

  /** By a kernel: for an offset into memory the driver's own would take an object. */
  @Override
  protected void fillBits(DeviceBuffer target, long at, long count, int bits) {
    if (fill == null) {
      fill = modules.kernel(GpuKernels.fill(), null, "fill");
    }
    fillArgs.clear().buffer(target, at).real(Float.intBitsToFloat(bits));
    launchGroups(fill, GpuKernels.groups(count, GROUP), count, fillArgs);
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
  public List<Map<String, Integer>> programs(String file, CellSpec cell) {
    return Images.constants(file, cell);
  }

  @Override
  public DeviceKernel entry(GpuEntry entry) {
    return modules.kernel(entry, null, label(entry));
  }

  @Override
  public void launchGroups(DeviceKernel kernel, long groups, long items, KernelArgs args) {
    ((CudaKernel) kernel).launch(stream, (int) groups, items, args);
  }

  @Override
  public long libraryScratch() {
    return cublas == null ? 0 : cublas.scratch();
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
      DeviceBuffer scratch) {
    cublas.gemm(
        transposeA,
        transposeB,
        m,
        n,
        k,
        CudaBuffer.address(a, aAt),
        lda,
        CudaBuffer.address(b, bAt),
        ldb,
        beta,
        CudaBuffer.address(c, cAt),
        ldc,
        CudaBuffer.address(scratch, 0));
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
  public boolean runsCudaText() {
    return true;
  }

  @Override
  public long groupMemoryBytes() {
    return hardware.groupMemoryBytes();
  }

  @Override
  public long mostGroupMemoryBytes() {
    return hardware.mostGroupMemoryBytes();
  }

  @Override
  public DeviceTimer.Offer timer() {
    return DeviceTimer.Offer.of(new EventTimer(this, hardware));
  }

  @Override
  public DeviceCeilings.Offer ceilings() {
    return DeviceCeilings.Offer.of(new Ceilings(this, hardware));
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
