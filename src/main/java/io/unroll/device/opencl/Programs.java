package io.unroll.device.opencl;

import io.unroll.DeviceException;
import io.unroll.device.GpuEntry;
import io.unroll.device.Kernel;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/** The programs and kernels of an opened device, each built when it is first asked for. */
final class Programs implements AutoCloseable {
  private static final int MAX_LOG = 4000;

  private final CommandQueue queue;
  private final int group;
  private final ProgramCache cache;
  private final String options;
  private final Map<Parts, Long> programs = new HashMap<>();
  private final Map<Ready, OpenClKernel> kernels = new HashMap<>();

  /** What a program is made of; entries that agree in it share one. */
  private record Parts(List<String> files, Map<String, Integer> constants) {}

  /** An entry may be one of the contract and be launched by groups as well. */
  private record Ready(GpuEntry entry, Kernel kernel) {}

  Programs(CommandQueue queue, int group, ProgramCache cache) {
    this.queue = queue;
    this.group = group;
    this.cache = cache;
    // Nothing that trades NaN, infinity, subnormals or the order of sums for speed.
    options =
        "-cl-std=CL1.2"
            + (queue.hardware().exactDivision() ? " -cl-fp32-correctly-rounded-divide-sqrt" : "");
  }

  /**
   * An entry, ready to be launched.
   *
   * @param kernel which of the contract it is, or null
   * @param label its name in messages and profiles
   * @throws DeviceException if it cannot be built; the backend stays usable
   */
  OpenClKernel kernel(GpuEntry entry, Kernel kernel, String label) {
    queue.requireUsable();
    OpenClKernel known = kernels.get(new Ready(entry, kernel));
    if (known == null) {
      Parts parts = new Parts(entry.files(), entry.constants());
      Long program = programs.get(parts);
      if (program == null) {
        program = program(parts);
        programs.put(parts, program);
      }
      known = new OpenClKernel(create(program, entry), kernel, label);
      kernels.put(new Ready(entry, kernel), known);
    }
    return known;
  }

  private long create(long program, GpuEntry entry) {
    Hardware hardware = queue.hardware();
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long status = stack.ncalloc(Integer.BYTES, Integer.BYTES, 1);
      long name = MemoryUtil.memAddress(stack.ASCII(entry.name()));
      long kernel = CL10.nclCreateKernel(program, name, status);
      ReturnCode.require(
          MemoryUtil.memGetInt(status), "clCreateKernel of " + entry.name() + " in " + entry);
      long most =
          Info.number(Info.kernel(kernel, hardware.device(), CL10.CL_KERNEL_WORK_GROUP_SIZE));
      if (most < group) {
        ReturnCode.freed(CL10.clReleaseKernel(kernel), "clReleaseKernel");
        throw new DeviceException(
            "%s needs groups of %d work items, but %s runs it with at most %d; %s"
                .formatted(
                    entry.name(),
                    group,
                    hardware.name(),
                    most,
                    group > WorkGroup.SMALL
                        ? "use -D" + WorkGroup.PROPERTY + "=" + WorkGroup.SMALL
                        : "this device cannot run it"));
      }
      return kernel;
    }
  }

  private long program(Parts parts) {
    Map<String, Integer> constants = new TreeMap<>(parts.constants());
    constants.put("GROUP", group);
    String text = ProgramSource.of(parts.files(), constants);
    Hardware hardware = queue.hardware();
    String key =
        ProgramCache.key(
            text,
            options,
            hardware.name(),
            hardware.vendor(),
            hardware.version(),
            hardware.driver(),
            hardware.platformName(),
            hardware.platformVersion());
    byte[] kept = cache.load(key);
    if (kept != null) {
      long program = ofBinary(kept);
      if (program != 0) {
        return program;
      }
      cache.discard(key, "the driver refuses it");
    }
    long program = ofText(text, parts);
    cache.store(key, binary(program));
    return program;
  }

  /** 0 if the driver does not take it. */
  private long ofBinary(byte[] binary) {
    long copy = MemoryUtil.nmemAllocChecked(Math.max(1, binary.length));
    try (MemoryStack stack = MemoryStack.stackPush()) {
      MemoryUtil.memCopy(binary, copy);
      long device = stack.npointer(queue.hardware().device());
      long size = stack.npointer(binary.length);
      long address = stack.npointer(copy);
      long codes = stack.ncalloc(Integer.BYTES, Integer.BYTES, 2);
      long program =
          CL10.nclCreateProgramWithBinary(
              queue.context(), 1, device, size, address, codes, codes + Integer.BYTES);
      boolean isTaken =
          MemoryUtil.memGetInt(codes) == ReturnCode.SUCCESS
              && MemoryUtil.memGetInt(codes + Integer.BYTES) == ReturnCode.SUCCESS;
      if (isTaken && build(program) == ReturnCode.SUCCESS) {
        return program;
      }
      if (program != 0) {
        ReturnCode.freed(CL10.clReleaseProgram(program), "clReleaseProgram");
      }
      return 0;
    } finally {
      MemoryUtil.nmemFree(copy);
    }
  }

  private long ofText(String text, Parts parts) {
    ByteBuffer bytes = MemoryUtil.memUTF8(text, false);
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long strings = stack.npointer(MemoryUtil.memAddress(bytes));
      long lengths = stack.npointer(bytes.remaining());
      long status = stack.ncalloc(Integer.BYTES, Integer.BYTES, 1);
      long program = CL10.nclCreateProgramWithSource(queue.context(), 1, strings, lengths, status);
      ReturnCode.require(MemoryUtil.memGetInt(status), "clCreateProgramWithSource");
      int code = build(program);
      if (code != ReturnCode.SUCCESS) {
        String log = log(program);
        ReturnCode.freed(CL10.clReleaseProgram(program), "clReleaseProgram");
        throw new DeviceException(
            "the driver of %s does not build %s %s: clBuildProgram returned %s and said:%n%s"
                .formatted(
                    queue.hardware().name(),
                    parts.files(),
                    parts.constants(),
                    ReturnCode.name(code),
                    log));
      }
      return program;
    } finally {
      MemoryUtil.memFree(bytes);
    }
  }

  private int build(long program) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long device = stack.npointer(queue.hardware().device());
      long chosen = MemoryUtil.memAddress(stack.ASCII(options));
      return CL10.nclBuildProgram(program, 1, device, chosen, 0, 0);
    }
  }

  private String log(long program) {
    long device = queue.hardware().device();
    String log = Info.text(Info.build(program, device, CL10.CL_PROGRAM_BUILD_LOG));
    return log.length() <= MAX_LOG ? log : log.substring(0, MAX_LOG) + "...";
  }

  private static byte[] binary(long program) {
    long size = Info.number(Info.program(program, CL10.CL_PROGRAM_BINARY_SIZES));
    long copy = MemoryUtil.nmemAllocChecked(Math.max(1, size));
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long address = stack.npointer(copy);
      ReturnCode.require(
          CL10.nclGetProgramInfo(program, CL10.CL_PROGRAM_BINARIES, Long.BYTES, address, 0),
          "clGetProgramInfo");
      byte[] binary = new byte[Math.toIntExact(size)];
      MemoryUtil.memCopy(copy, binary);
      return binary;
    } finally {
      MemoryUtil.nmemFree(copy);
    }
  }

  @Override
  public void close() {
    kernels.values().forEach(OpenClKernel::close);
    programs
        .values()
        .forEach(program -> ReturnCode.freed(CL10.clReleaseProgram(program), "clReleaseProgram"));
    kernels.clear();
    programs.clear();
  }
}
