package io.unroll.device.cuda;

import io.unroll.DeviceException;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * The primary context of an opened device and a stream, which runs commands in order. Every command
 * of the backend goes through here, and here its return code is looked at: after a failure the
 * backend can only be closed, because nobody knows which of the queued commands have run, and the
 * driver lets the context do nothing more.
 */
final class CommandStream implements AutoCloseable {
  /** Whose context the driver has for a thread, as far as this package has set it. */
  private static final ThreadLocal<Object> CURRENT = new ThreadLocal<>();

  /** Stands for this stream there, so that a thread keeps nothing else of one that is closed. */
  private final Object self = new Object();

  private final String backend;
  private final Hardware hardware;
  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final ParameterBlock parameters;
  private boolean isRetained;
  private CUstream stream;
  private Profile profile;
  private DeviceException failure;

  /**
   * Retains the context and makes a stream.
   *
   * @param backend its name, for messages
   * @throws DeviceException if the driver does not
   */
  CommandStream(String backend, Hardware hardware) {
    this.backend = backend;
    this.hardware = hardware;
    ReturnCode.require(JCudaDriver.cuDeviceGet(device, hardware.ordinal()), "cuDeviceGet");
    ReturnCode.require(
        JCudaDriver.cuDevicePrimaryCtxRetain(context, device),
        "cuDevicePrimaryCtxRetain on " + hardware.name());
    isRetained = true;
    ParameterBlock made = null;
    try {
      ReturnCode.require(makeCurrent(), "cuCtxSetCurrent");
      CUstream opened = new CUstream();
      ReturnCode.require(
          JCudaDriver.cuStreamCreate(opened, CUstream_flags.CU_STREAM_NON_BLOCKING),
          "cuStreamCreate on " + hardware.name());
      stream = opened;
      made = new ParameterBlock();
    } finally {
      if (made == null) {
        close();
      }
    }
    parameters = made;
  }

  /** The device that runs the commands. */
  Hardware hardware() {
    return hardware;
  }

  /** Where the parameters of the next launch go. */
  ParameterBlock parameters() {
    return parameters;
  }

  /** The driver looks for the context at the calling thread. */
  private int makeCurrent() {
    if (CURRENT.get() == self) {
      return ReturnCode.SUCCESS;
    }
    int code = JCudaDriver.cuCtxSetCurrent(context);
    if (code == ReturnCode.SUCCESS) {
      CURRENT.set(self);
    }
    return code;
  }

  /**
   * Lets the calling thread give commands.
   *
   * @throws DeviceException if a command has failed
   * @throws IllegalStateException if it is closed
   */
  void requireUsable() {
    if (failure != null) {
      throw new DeviceException(
          "backend \"" + backend + "\" has failed before and can only be closed", failure);
    }
    if (stream == null) {
      throw new IllegalStateException("backend \"" + backend + "\" is closed");
    }
    check(makeCurrent(), "cuCtxSetCurrent");
  }

  /** Remembers a failure; the exception is to be thrown. */
  DeviceException fail(int code, String call) {
    failure =
        new DeviceException(
            "backend \"%s\" failed: %s returned %s on %s, driver for CUDA %s; it can only be closed"
                .formatted(
                    backend,
                    call,
                    ReturnCode.name(code),
                    hardware.name(),
                    Targets.text(hardware.driver())));
    return failure;
  }

  private void check(int code, String call) {
    if (code != ReturnCode.SUCCESS) {
      throw fail(code, call);
    }
  }

  private void begin() {
    requireUsable();
    if (profile != null) {
      profile.begin();
    }
  }

  private void end(String what) {
    if (profile != null) {
      profile.end(what);
    }
  }

  /** Queues a copy to the device; the host memory must stay as it is until the copy has run. */
  void write(CUdeviceptr memory, long byteAt, long bytes, Pointer host) {
    begin();
    check(
        JCudaDriver.cuMemcpyHtoDAsync(memory.withByteOffset(byteAt), host, bytes, stream),
        "cuMemcpyHtoDAsync");
    end("copy in");
  }

  /** Queues a copy from the device. */
  void read(CUdeviceptr memory, long byteAt, long bytes, Pointer host) {
    begin();
    check(
        JCudaDriver.cuMemcpyDtoHAsync(host, memory.withByteOffset(byteAt), bytes, stream),
        "cuMemcpyDtoHAsync");
    end("copy out");
  }

  /** Queues the same four bytes, so many times, from the start of memory on. */
  void fill(CUdeviceptr memory, long count, int pattern) {
    requireUsable();
    check(JCudaDriver.cuMemsetD32Async(memory, pattern, count, stream), "cuMemsetD32Async");
  }

  /**
   * Queues a kernel with what is in {@link #parameters}.
   *
   * @param what its name, for messages and the profile
   */
  void launch(CUfunction kernel, int groups, int group, String what) {
    begin();
    int code =
        JCudaDriver.cuLaunchKernel(
            kernel, groups, 1, 1, group, 1, 1, 0, stream, parameters.table(), null);
    if (code != ReturnCode.SUCCESS) {
      throw fail(code, "cuLaunchKernel of " + what);
    }
    end(what);
  }

  /**
   * Queues what another library does.
   *
   * @param work always the same object for the same kind of work
   * @param words tells what to do; equal words for equal work. They may be changed afterwards
   * @param length how many of them count
   */
  void foreign(ForeignWork work, long[] words, int length) {
    begin();
    try {
      work.issue(stream, words, 0);
    } catch (DeviceException e) {
      failure =
          new DeviceException(
              "backend \"%s\" failed: %s; it can only be closed".formatted(backend, e.getMessage()),
              e);
      throw failure;
    }
    end(work.name());
  }

  /** Makes an event, which {@link #record} sets; whoever asked for it destroys it. */
  CUevent newEvent(int flags) {
    requireUsable();
    CUevent event = new CUevent();
    check(JCudaDriver.cuEventCreate(event, flags), "cuEventCreate");
    return event;
  }

  /** Lets an event come when all that is queued now has run. */
  void record(CUevent event) {
    requireUsable();
    check(JCudaDriver.cuEventRecord(event, stream), "cuEventRecord");
  }

  /** Waits for an event. */
  void await(CUevent event) {
    requireUsable();
    check(JCudaDriver.cuEventSynchronize(event), "a queued command");
  }

  /** Milliseconds between two events that have come. */
  float between(CUevent start, CUevent stop, float[] result) {
    check(JCudaDriver.cuEventElapsedTime(result, start, stop), "cuEventElapsedTime");
    return result[0];
  }

  /** Waits until all that is queued has run. */
  void finish() {
    requireUsable();
    check(JCudaDriver.cuStreamSynchronize(stream), "a queued command");
  }

  /**
   * Takes memory of the device.
   *
   * @return the return code; out of memory is the caller's and leaves the stream usable
   */
  int allocate(DeviceMemory memory, long bytes) {
    requireUsable();
    return JCudaDriver.cuMemAlloc(memory, bytes);
  }

  /**
   * Gives memory back when all that is queued has run. It does not throw: what the driver reports
   * here is a failure of a command before, and the next command throws it.
   */
  void free(DeviceMemory memory) {
    int code = makeCurrent();
    if (code == ReturnCode.SUCCESS) {
      code = JCudaDriver.cuMemFree(memory);
    }
    if (code != ReturnCode.SUCCESS && failure == null) {
      fail(code, "cuMemFree");
    }
  }

  /** Starts to measure every command; a profile that was not ended is given up. */
  void startProfile() {
    finish();
    closeProfile();
    profile = new Profile(this);
  }

  /** Ends the measurement and gives what it has found. */
  Profile stopProfile() {
    finish();
    Profile found = profile;
    if (found == null) {
      throw new IllegalStateException("the profiler was stopped, but not started");
    }
    found.collect();
    closeProfile();
    return found;
  }

  private void closeProfile() {
    if (profile != null) {
      profile.close();
      profile = null;
    }
  }

  /** Waits for the stream as far as it still works; the context is current then. */
  void drain() {
    makeCurrent();
    if (stream != null) {
      ReturnCode.freed(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
    }
  }

  /**
   * Waits for the stream as far as it still works, and frees it; a second call does nothing. After
   * a failure the driver refuses all of this, so no code is looked at; with the last backend of the
   * device its context goes, and what lay in it.
   */
  @Override
  public void close() {
    if (!isRetained) {
      return;
    }
    isRetained = false;
    drain();
    if (stream != null) {
      closeProfile();
      ReturnCode.freed(JCudaDriver.cuStreamDestroy(stream), "cuStreamDestroy");
      stream = null;
    }
    if (parameters != null) {
      parameters.close();
    }
    CURRENT.remove();
    ReturnCode.freed(JCudaDriver.cuCtxSetCurrent(new CUcontext()), "cuCtxSetCurrent");
    ReturnCode.freed(JCudaDriver.cuDevicePrimaryCtxRelease(device), "cuDevicePrimaryCtxRelease");
  }
}
