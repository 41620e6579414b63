package io.unroll.device.opencl;

import io.unroll.CellSpec;
import io.unroll.Precision;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.DeviceProfiler;
import io.unroll.device.ElementType;
import io.unroll.device.GpuDevice;
import io.unroll.device.GpuEntry;
import io.unroll.device.GpuKernels;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.util.List;
import org.lwjgl.opencl.CL10;

/** A device by its OpenCL driver: float32, work in the order of the calls. */
final class OpenClDevice extends GpuDevice {
  private final Hardware hardware;
  private final int group;
  private final CommandQueue queue;
  private final Staging staging;
  private final Programs programs;

  /**
   * Opens it.
   *
   * @param name as the user sees it, such as {@code opencl:0}
   * @throws io.unroll.DeviceException if the driver does not give a context
   */
  OpenClDevice(String name, Hardware hardware) {
    super(name, hardware.name(), Precision.FP32);
    this.hardware = hardware;
    group = WorkGroup.size(hardware);
    queue = new CommandQueue(name, hardware);
    Staging made = null;
    try {
      made = new Staging(queue);
    } finally {
      if (made == null) {
        queue.close();
      }
    }
    staging = made;
    programs = new Programs(queue, group, ProgramCache.ofUser());
  }

  @Override
  public String description() {
    return "%s (%s, %s, float32, driver %s)"
        .formatted(name(), hardware.name(), hardware.kind(), hardware.driver());
  }

  @Override
  public String driver() {
    return hardware.platformName() + " " + hardware.driver();
  }

  @Override
  public long memoryBytes() {
    return hardware.memoryBytes();
  }

  @Override
  public void synchronize() {
    queue.finish();
  }

  @Override
  protected void free() {
    programs.close();
    staging.close();
    queue.close();
  }

  @Override
  public DeviceBuffer allocate(ElementType type, long length, String purpose) {
    long bytes = Math.multiplyExact(length, Integer.BYTES);
    if (bytes > hardware.largestBufferBytes()) {
      String limit = "one buffer of it may have " + gib(hardware.largestBufferBytes());
      throw outOfMemory(purpose, bytes, limit);
    }
    if (bytes > memoryBytes() - liveBytes()) {
      throw outOfMemory(purpose, bytes, "it has " + gib(memoryBytes()) + " in all");
    }
    long memory = queue.createBuffer(CL10.CL_MEM_READ_WRITE, bytes);
    int code = queue.lastStatus();
    if (memory != 0) {
      code = queue.touch(memory, bytes, untouched());
      if (code == ReturnCode.SUCCESS) {
        return new OpenClBuffer(type, length, purpose, ledger(), memory);
      }
      ReturnCode.freed(CL10.clReleaseMemObject(memory), "clReleaseMemObject");
    }
    if (ReturnCode.isOutOfMemory(code)) {
      throw outOfMemory(purpose, bytes, othersMayHoldAPart(ReturnCode.name(code)));
    }
    throw queue.fail(code, "clCreateBuffer of " + purpose);
  }

  /** Zero, and under test what betrays who reads it. */
  private static int untouched() {
    int pattern = 0;
    assert (pattern = UNTOUCHED) != 0;
    return pattern;
  }

  @Override
  protected void copy(Object source, int from, DeviceBuffer target, long at, int count) {
    staging.copyIn(source, from, OpenClBuffer.memory(target), at, count);
  }

  @Override
  protected void copy(DeviceBuffer source, long at, Object target, int to, int count) {
    staging.copyOut(OpenClBuffer.memory(source), at, target, to, count);
  }

  @Override
  protected void fillBits(DeviceBuffer target, long at, long count, int bits) {
    queue.fill(OpenClBuffer.memory(target), at * Float.BYTES, count * Float.BYTES, bits);
  }

  @Override
  public DeviceKernel compile(Kernel kernel, CellSpec cell) {
    GpuEntry entry = GpuKernels.entry(kernel, cell);
    return programs.kernel(entry, kernel, label(entry));
  }

  @Override
  public DeviceKernel entry(GpuEntry entry) {
    return programs.kernel(entry, null, label(entry));
  }

  @Override
  public void launchGroups(DeviceKernel kernel, long groups, long items, KernelArgs args) {
    ((OpenClKernel) kernel).launch(queue, groups, group, items, args);
  }

  @Override
  public int groupSize() {
    return group;
  }

  @Override
  public int computeUnits() {
    return hardware.units();
  }

  @Override
  public long groupMemoryBytes() {
    return hardware.localBytes();
  }

  @Override
  public DeviceProfiler.Offer profiler() {
    return DeviceProfiler.Offer.of(
        new DeviceProfiler() {
          @Override
          public void start() {
            queue.startProfile();
          }

          @Override
          public List<KernelTime> stop() {
            return queue.stopProfile().times();
          }
        });
  }
}
