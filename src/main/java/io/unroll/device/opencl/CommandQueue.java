package io.unroll.device.opencl;

import io.unroll.DeviceException;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryUtil;

/**
 * The context of an opened device and its queue, which runs commands in order. Every command of the
 * backend goes through here, and here its return code is looked at: after a failure the backend can
 * only be closed, because nobody knows which of the queued commands have run.
 */
final class CommandQueue implements AutoCloseable {
  /** Native memory for what calls read and write: places of eight bytes. */
  private static final int SLOTS = 6;

  /** Some drivers begin only when they are told to, so they are told after so many launches. */
  private static final int FLUSH_EVERY = 64;

  private static final int EVENT = 0;
  private static final int STATUS = 8;
  private static final int GLOBAL_SIZE = 16;
  private static final int GROUP_SIZE = 24;
  private static final int PATTERN = 32;
  private static final int ARGUMENT = 40;

  private final String backend;
  private final Hardware hardware;
  private final long slots;
  private final long context;
  private long queue;
  private long launches;
  private Profile profile;
  private DeviceException failure;

  /**
   * Makes a context with a queue.
   *
   * @param backend its name, for messages
   * @throws DeviceException if the driver does not
   */
  CommandQueue(String backend, Hardware hardware) {
    this.backend = backend;
    this.hardware = hardware;
    slots = MemoryUtil.nmemCallocChecked(SLOTS, Long.BYTES);
    long made = 0;
    try {
      made = createContext();
      queue = createQueue(made, 0);
    } finally {
      if (queue == 0) {
        if (made != 0) {
          ReturnCode.freed(CL10.clReleaseContext(made), "clReleaseContext");
        }
        MemoryUtil.nmemFree(slots);
      }
    }
    context = made;
  }

  private long createContext() {
    long properties = MemoryUtil.nmemCallocChecked(3, Long.BYTES);
    try {
      MemoryUtil.memPutAddress(properties, CL10.CL_CONTEXT_PLATFORM);
      MemoryUtil.memPutAddress(properties + Long.BYTES, hardware.platform());
      MemoryUtil.memPutAddress(slots + EVENT, hardware.device());
      long made = CL10.nclCreateContext(properties, 1, slots + EVENT, 0, 0, slots + STATUS);
      ReturnCode.require(status(), "clCreateContext on " + hardware.name());
      return made;
    } finally {
      MemoryUtil.nmemFree(properties);
    }
  }

  private long createQueue(long context, long properties) {
    long made = CL10.nclCreateCommandQueue(context, hardware.device(), properties, slots + STATUS);
    ReturnCode.require(status(), "clCreateCommandQueue on " + hardware.name());
    return made;
  }

  /** The device that runs the commands. */
  Hardware hardware() {
    return hardware;
  }

  /** OpenCL's handle of the context. */
  long context() {
    return context;
  }

  private int status() {
    return MemoryUtil.memGetInt(slots + STATUS);
  }

  /**
   * @throws DeviceException if a command has failed
   * @throws IllegalStateException if it is closed
   */
  void requireUsable() {
    if (failure != null) {
      throw new DeviceException(
          "backend \"" + backend + "\" has failed before and can only be closed", failure);
    }
    if (queue == 0) {
      throw new IllegalStateException("backend \"" + backend + "\" is closed");
    }
  }

  /** Remembers a failure; the exception is to be thrown. */
  DeviceException fail(int code, String call) {
    failure =
        new DeviceException(
            "backend \"%s\" failed: %s returned %s on %s, driver %s; it can only be closed"
                .formatted(
                    backend, call, ReturnCode.name(code), hardware.name(), hardware.driver()));
    return failure;
  }

  private void check(int code, String call) {
    if (code != ReturnCode.SUCCESS) {
      throw fail(code, call);
    }
  }

  /** Where the next command writes its event; nowhere if nobody measures. */
  private long eventIfMeasured() {
    return profile == null ? 0 : slots + EVENT;
  }

  private void measured(String what) {
    if (profile != null) {
      profile.add(what, MemoryUtil.memGetAddress(slots + EVENT));
    }
  }

  /** Queues a copy to the device; the host memory must stay as it is until the copy has run. */
  void write(long memory, long byteAt, long bytes, long host) {
    requireUsable();
    check(
        CL10.nclEnqueueWriteBuffer(
            queue, memory, CL10.CL_FALSE, byteAt, bytes, host, 0, 0, eventIfMeasured()),
        "clEnqueueWriteBuffer");
    measured("copy in");
  }

  /**
   * Queues a copy from the device.
   *
   * @return the event that ends it, for {@link #await}
   */
  long read(long memory, long byteAt, long bytes, long host) {
    requireUsable();
    check(
        CL10.nclEnqueueReadBuffer(
            queue, memory, CL10.CL_FALSE, byteAt, bytes, host, 0, 0, slots + EVENT),
        "clEnqueueReadBuffer");
    long event = MemoryUtil.memGetAddress(slots + EVENT);
    if (profile != null) {
      check(CL10.clRetainEvent(event), "clRetainEvent");
      profile.add("copy out", event);
    }
    return event;
  }

  /** Queues the same four bytes all over a range. */
  void fill(long memory, long byteAt, long bytes, int pattern) {
    requireUsable();
    MemoryUtil.memPutInt(slots + PATTERN, pattern);
    check(
        CL12.nclEnqueueFillBuffer(
            queue, memory, slots + PATTERN, Integer.BYTES, byteAt, bytes, 0, 0, eventIfMeasured()),
        "clEnqueueFillBuffer");
    measured("fill");
  }

  /**
   * As {@link #fill} over a whole new buffer, waiting for it: many drivers look for the memory only
   * now.
   *
   * @return the return code; a failure is the caller's and leaves the queue usable
   */
  int touch(long memory, long bytes, int pattern) {
    requireUsable();
    MemoryUtil.memPutInt(slots + PATTERN, pattern);
    int code =
        CL12.nclEnqueueFillBuffer(
            queue, memory, slots + PATTERN, Integer.BYTES, 0, bytes, 0, 0, slots + EVENT);
    return code != ReturnCode.SUCCESS ? code : outcome(MemoryUtil.memGetAddress(slots + EVENT));
  }

  /** Sets an argument of a kernel to the four bytes of an int or a float. */
  void setFour(long kernel, int index, int bits) {
    MemoryUtil.memPutInt(slots + ARGUMENT, bits);
    set(kernel, index, Integer.BYTES);
  }

  /** Sets an argument of a kernel to a long or to a buffer's handle. */
  void setEight(long kernel, int index, long bits) {
    MemoryUtil.memPutLong(slots + ARGUMENT, bits);
    set(kernel, index, Long.BYTES);
  }

  /** Sets an argument of a kernel to memory of its group. */
  void setLocal(long kernel, int index, long bytes) {
    check(CL10.nclSetKernelArg(kernel, index, bytes, 0), "clSetKernelArg");
  }

  private void set(long kernel, int index, int bytes) {
    check(CL10.nclSetKernelArg(kernel, index, bytes, slots + ARGUMENT), "clSetKernelArg");
  }

  /**
   * Queues a kernel whose arguments are set.
   *
   * @param items work items in all, a multiple of the group
   * @param what its name, for the profile
   */
  void launch(long kernel, long items, int group, String what) {
    requireUsable();
    MemoryUtil.memPutAddress(slots + GLOBAL_SIZE, items);
    MemoryUtil.memPutAddress(slots + GROUP_SIZE, group);
    int code =
        CL10.nclEnqueueNDRangeKernel(
            queue, kernel, 1, 0, slots + GLOBAL_SIZE, slots + GROUP_SIZE, 0, 0, eventIfMeasured());
    if (code != ReturnCode.SUCCESS) {
      throw fail(code, "clEnqueueNDRangeKernel of " + what);
    }
    measured(what);
    if (++launches % FLUSH_EVERY == 0) {
      flush();
    }
  }

  /** An event that comes when all that is queued now has run. */
  long marker() {
    requireUsable();
    check(
        CL12.nclEnqueueMarkerWithWaitList(queue, 0, 0, slots + EVENT),
        "clEnqueueMarkerWithWaitList");
    return MemoryUtil.memGetAddress(slots + EVENT);
  }

  /** Waits for an event and releases it. */
  void await(long event) {
    check(outcome(event), "a queued command");
  }

  private int outcome(long event) {
    MemoryUtil.memPutAddress(slots + EVENT, event);
    int code = CL10.nclWaitForEvents(1, slots + EVENT);
    if (code == ReturnCode.EXEC_STATUS_ERROR) {
      int asked =
          CL10.nclGetEventInfo(
              event, CL10.CL_EVENT_COMMAND_EXECUTION_STATUS, Integer.BYTES, slots + STATUS, 0);
      code = asked == ReturnCode.SUCCESS && status() < 0 ? status() : code;
    }
    int released = CL10.clReleaseEvent(event);
    return code != ReturnCode.SUCCESS ? code : released;
  }

  /** Starts what is queued, where the driver has not yet. */
  void flush() {
    requireUsable();
    check(CL10.clFlush(queue), "clFlush");
  }

  /** Waits until all that is queued has run. */
  void finish() {
    requireUsable();
    check(CL10.clFinish(queue), "clFinish");
  }

  /** Starts to measure every command; a profile that was not ended is given up. */
  void startProfile() {
    finish();
    closeProfile();
    exchangeQueue(CL10.CL_QUEUE_PROFILING_ENABLE);
    profile = new Profile();
  }

  /** Ends the measurement and gives what it has found. */
  Profile stopProfile() {
    finish();
    Profile found = profile;
    if (found == null) {
      throw new IllegalStateException("the profiler was stopped, but not started");
    }
    found.collect();
    profile = null;
    exchangeQueue(0);
    return found;
  }

  /** Profiling is a property that a queue is born with. */
  private void exchangeQueue(long properties) {
    long next = createQueue(context, properties);
    check(CL10.clReleaseCommandQueue(queue), "clReleaseCommandQueue");
    queue = next;
  }

  private void closeProfile() {
    if (profile != null) {
      profile.close();
      profile = null;
    }
  }

  /** Makes a buffer without touching it; 0 if the driver does not, with {@link #lastStatus}. */
  long createBuffer(long flags, long bytes) {
    requireUsable();
    long memory = CL10.nclCreateBuffer(context, flags, bytes, 0, slots + STATUS);
    return status() == ReturnCode.SUCCESS ? memory : 0;
  }

  /** The code of the latest {@link #createBuffer}. */
  int lastStatus() {
    return status();
  }

  /** The address of a buffer that lies in the host's memory. */
  long map(long memory, long bytes) {
    requireUsable();
    long flags = CL10.CL_MAP_READ | CL10.CL_MAP_WRITE;
    long address =
        CL10.nclEnqueueMapBuffer(
            queue, memory, CL10.CL_TRUE, flags, 0, bytes, 0, 0, 0, slots + STATUS);
    check(status(), "clEnqueueMapBuffer");
    return address;
  }

  /** Gives a mapped buffer back. */
  void unmap(long memory, long address) {
    if (queue != 0) {
      int code = CL11.nclEnqueueUnmapMemObject(queue, memory, address, 0, 0, 0);
      ReturnCode.freed(code, "clEnqueueUnmapMemObject");
    }
  }

  /** Waits for the queue as far as it still works, and frees it; a second call does nothing. */
  @Override
  public void close() {
    if (queue == 0) {
      return;
    }
    ReturnCode.freed(CL10.clFinish(queue), "clFinish");
    closeProfile();
    ReturnCode.freed(CL10.clReleaseCommandQueue(queue), "clReleaseCommandQueue");
    ReturnCode.freed(CL10.clReleaseContext(context), "clReleaseContext");
    MemoryUtil.nmemFree(slots);
    queue = 0;
  }
}
