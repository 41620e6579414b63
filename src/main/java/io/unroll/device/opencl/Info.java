package io.unroll.device.opencl;

import io.unroll.DeviceException;
import java.nio.charset.StandardCharsets;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/** Asks OpenCL about its objects. Makes garbage: for opening and building, not for running. */
final class Info {
  private Info() {}

  /** One of the clGet...Info functions, for one object and one parameter. */
  interface Query {
    /** As in OpenCL: room in bytes, where the value goes, where its size goes; either may be 0. */
    int ask(long size, long value, long sizeRet);
  }

  static Query platform(long platform, int name) {
    return (size, value, sizeRet) -> CL10.nclGetPlatformInfo(platform, name, size, value, sizeRet);
  }

  static Query device(long device, int name) {
    return (size, value, sizeRet) -> CL10.nclGetDeviceInfo(device, name, size, value, sizeRet);
  }

  static Query build(long program, long device, int name) {
    return (size, value, sizeRet) ->
        CL10.nclGetProgramBuildInfo(program, device, name, size, value, sizeRet);
  }

  static Query program(long program, int name) {
    return (size, value, sizeRet) -> CL10.nclGetProgramInfo(program, name, size, value, sizeRet);
  }

  static Query kernel(long kernel, long device, int name) {
    return (size, value, sizeRet) ->
        CL10.nclGetKernelWorkGroupInfo(kernel, device, name, size, value, sizeRet);
  }

  /**
   * An integer of at most eight bytes.
   *
   * @throws DeviceException if it cannot be had
   */
  static long number(Query query) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long value = stack.ncalloc(Long.BYTES, Long.BYTES, 1);
      ReturnCode.require(query.ask(Long.BYTES, value, 0), "a question about an OpenCL object");
      return MemoryUtil.memGetLong(value);
    }
  }

  /**
   * A text, without blanks around it.
   *
   * @throws DeviceException if it cannot be had
   */
  static String text(Query query) {
    byte[] bytes = bytes(query);
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] == 0) {
      end--;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8).strip();
  }

  private static byte[] bytes(Query query) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long size = stack.ncalloc(Long.BYTES, Long.BYTES, 1);
      ReturnCode.require(query.ask(0, 0, size), "a question about an OpenCL object");
      byte[] bytes = new byte[Math.toIntExact(MemoryUtil.memGetAddress(size))];
      if (bytes.length == 0) {
        return bytes;
      }
      long value = MemoryUtil.nmemAllocChecked(bytes.length);
      try {
        ReturnCode.require(query.ask(bytes.length, value, 0), "a question about an OpenCL object");
        MemoryUtil.memCopy(value, bytes);
        return bytes;
      } finally {
        MemoryUtil.nmemFree(value);
      }
    }
  }
}
