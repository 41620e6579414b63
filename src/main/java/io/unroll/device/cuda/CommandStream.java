package io.unroll.device.cuda;

import io.unroll.DeviceException;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * The primary context of an opened device and a stream, which runs commands in order. Every command
 * of the backend goes through here, and here its return code is looked at: after a failure the
 * backend can only be closed, because nobody knows which of the queued commands have run, and the
 * driver lets the context do nothing more.
 *
 * <p>Launches, copies to the device and foreign work are written to a list first. The driver gets
 * them, in their order, when somebody must see what they do, or the list is full: as a graph if it
 * had the same commands before, else one by one. {@code -Dunroll.cuda.graphs=false} hands over all
 * one by one, and so does a profile, which measures each.
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
  private final boolean mayUseGraphs = usesGraphs();
  private final CommandList list = new CommandList();
  private final List<ForeignWork> foreign = new ArrayList<>();
  private boolean isRetained;
  private CUstream stream;
  private CommandGraphs graphs;
  private Profile profile;
  private boolean usesGraphs = mayUseGraphs;

  /** Comes before the next commands that the driver gets; or null. */
  private CUevent ahead;

  private DeviceException failure;

  /** Whether the failure is still to be thrown, or told at the end. */
  private boolean isUntold;

  /** A graph that was launched since the stream was last waited for, for messages; or null. */
  private CommandGraph replayed;

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
    Faults.requireOpened(JCudaDriver.cuDevicePrimaryCtxRetain(context, device), hardware);
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

  private static boolean usesGraphs() {
    String wanted = System.getProperty("unroll.cuda.graphs", "true");
    if (!wanted.equals("true") && !wanted.equals("false")) {
      throw new IllegalArgumentException(
          "-Dunroll.cuda.graphs must be true or false, but is " + wanted);
    }
    return wanted.equals("true");
  }

  /** The device that runs the commands. */
  Hardware hardware() {
    return hardware;
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
    requireOpen();
    check(makeCurrent(), "cuCtxSetCurrent");
  }

  private void requireOpen() {
    if (failure != null) {
      isUntold = false;
      throw new DeviceException(
          "backend \"" + backend + "\" has failed before and can only be closed", failure);
    }
    if (stream == null) {
      throw new IllegalStateException("backend \"" + backend + "\" is closed");
    }
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

  private DeviceException fail(Throwable thrown) {
    String said = thrown instanceof DeviceException ? thrown.getMessage() : thrown.toString();
    failure =
        new DeviceException(
            "backend \"%s\" failed: %s; it can only be closed".formatted(backend, said), thrown);
    return failure;
  }

  /** Remembers a failure for which nobody waits. */
  private void remember(int code, String call) {
    fail(code, call);
    isUntold = true;
  }

  private void check(int code, String call) {
    if (code != ReturnCode.SUCCESS) {
      throw fail(code, call);
    }
  }

  /** Begins a command, whose values and kernel are to follow. */
  CommandList begin() {
    requireOpen();
    if (!list.hasRoom()) {
      flush();
    }
    return list.begin();
  }

  /** Queues a copy to the device; the host memory must stay as it is until the copy has run. */
  void write(long to, long from, long bytes) {
    begin();
    list.copy(to, from, bytes);
  }

  /**
   * Queues what another library does.
   *
   * @param work always the same object for the same kind of work
   * @param words tells what to do; equal words for equal work. They may be changed afterwards
   * @param length how many of them count, at most {@value CommandList#MOST_WORDS}
   */
  void foreign(ForeignWork work, long[] words, int length) {
    assert length <= CommandList.MOST_WORDS : work.name() + " has " + length + " words";
    begin();
    int number = foreign.indexOf(work);
    if (number < 0) {
      number = foreign.size();
      foreign.add(work);
    }
    list.foreign(work, number, words, length);
  }

  /** Hands the list over to the driver. */
  private void flush() {
    if (list.count() == 0) {
      return;
    }
    try {
      requireUsable();
      if (ahead != null) {
        mark(ahead);
        ahead = null;
      }
      CommandGraph graph = usesGraphs && profile == null ? graphs().run(list) : null;
      if (graph != null) {
        replayed = graph;
      } else {
        issue();
      }
    } catch (RuntimeException | Error e) {
      if (failure != null) {
        throw e;
      }
      throw fail(e);
    } finally {
      list.clear();
    }
  }

  private CommandGraphs graphs() {
    if (graphs == null) {
      graphs = new CommandGraphs(this, new GraphNodes(context, stream, parameters));
    }
    return graphs;
  }

  /** How many graphs were made and launched. */
  CommandGraphs.Counts graphCounts() {
    return graphs().counts();
  }

  private void issue() {
    for (int i = 0; i < list.count(); i++) {
      if (profile != null) {
        profile.begin();
      }
      switch (list.kind(i)) {
        case CommandList.KERNEL -> launch(i);
        case CommandList.COPY ->
            check(
                JCudaDriver.cuMemcpyHtoDAsync(
                    Addresses.device(list.targetAt(i)),
                    Addresses.host(list.sourceAt(i)),
                    list.bytesAt(i),
                    stream),
                "cuMemcpyHtoDAsync");
        default -> list.foreignAt(i).issue(stream, list.shape(), list.wordsFrom(i));
      }
      if (profile != null) {
        profile.end(list.name(i));
      }
    }
  }

  private void launch(int i) {
    int code =
        JCudaDriver.cuLaunchKernel(
            list.kernelAt(i).handle(),
            list.groupsAt(i),
            1,
            1,
            list.groupAt(i),
            1,
            1,
            list.dynamicBytesAt(i),
            stream,
            parameters.load(list, i),
            null);
    if (code != ReturnCode.SUCCESS) {
      throw fail(code, "cuLaunchKernel of " + list.name(i));
    }
  }

  /** Queues a copy from the device. */
  void read(CUdeviceptr memory, long byteAt, long bytes, Pointer host) {
    flush();
    requireUsable();
    if (profile != null) {
      profile.begin();
    }
    check(
        JCudaDriver.cuMemcpyDtoHAsync(host, memory.withByteOffset(byteAt), bytes, stream),
        "cuMemcpyDtoHAsync");
    if (profile != null) {
      profile.end("copy out");
    }
  }

  /**
   * Queues the same four bytes, so many times, from the start of memory on that is new: no command
   * of the list knows it, so this one need not wait for them.
   */
  void fillNew(CUdeviceptr memory, long count, int pattern) {
    requireUsable();
    check(JCudaDriver.cuMemsetD32Async(memory, pattern, count, stream), "cuMemsetD32Async");
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
    flush();
    mark(event);
  }

  /** Lets an event come when all that the driver has now has run. */
  void mark(CUevent event) {
    requireUsable();
    check(JCudaDriver.cuEventRecord(event, stream), "cuEventRecord");
  }

  /**
   * Lets an event come right before what is handed over next; null for none.
   *
   * @return whether one was still waiting, which does so no more
   */
  boolean setAhead(CUevent event) {
    boolean waited = ahead != null;
    ahead = event;
    return waited;
  }

  /** Allows graphs as far as {@code -Dunroll.cuda.graphs} does, or gives single commands. */
  void useGraphs(boolean allowed) {
    flush();
    usesGraphs = allowed && mayUseGraphs;
  }

  /** Waits for an event that was recorded. */
  void await(CUevent event) {
    requireUsable();
    checkRun(JCudaDriver.cuEventSynchronize(event));
  }

  private void checkRun(int code) {
    if (code != ReturnCode.SUCCESS) {
      throw fail(
          code,
          replayed == null
              ? "a queued command"
              : "a queued command, which may be inside a replayed graph of %s (without graphs,"
                      .formatted(replayed.describe())
                  + " -Dunroll.cuda.graphs=false, fewer may be meant),");
    }
  }

  /** Milliseconds between two events that have come. */
  float between(CUevent start, CUevent stop, float[] result) {
    check(JCudaDriver.cuEventElapsedTime(result, start, stop), "cuEventElapsedTime");
    return result[0];
  }

  /** Waits until all that is queued has run. */
  void finish() {
    flush();
    requireUsable();
    checkRun(JCudaDriver.cuStreamSynchronize(stream));
    replayed = null;
  }

  /**
   * Takes memory of the device; where there is none left, from the graphs.
   *
   * @return the return code; out of memory is the caller's and leaves the stream usable
   */
  int allocate(DeviceMemory memory, long bytes) {
    requireUsable();
    int code = JCudaDriver.cuMemAlloc(memory, bytes);
    if (code == ReturnCode.OUT_OF_MEMORY && graphs != null && !graphs.isEmpty()) {
      finish();
      graphs.close();
      code = JCudaDriver.cuMemAlloc(memory, bytes);
    }
    return code;
  }

  /**
   * Gives memory back when all that is queued has run. It does not throw: what the driver reports
   * here is a failure of a command before, and the next command throws it.
   */
  void free(DeviceMemory memory) {
    flushQuietly();
    int code = makeCurrent();
    if (code == ReturnCode.SUCCESS) {
      code = JCudaDriver.cuMemFree(memory);
    }
    if (code != ReturnCode.SUCCESS && failure == null) {
      remember(code, "cuMemFree");
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

  /** A failure is remembered, for the next command to throw. */
  private void flushQuietly() {
    try {
      if (failure == null) {
        flush();
      }
    } catch (RuntimeException e) {
      assert failure != null : e;
      isUntold = true;
    }
  }

  /**
   * Waits for the stream as far as it still works, and gives graphs back, which are of modules that
   * may go then; the context is current. A failure that nobody has met before is told here, and
   * what cannot be given back because of it is not.
   */
  void drain() {
    flushQuietly();
    makeCurrent();
    if (stream != null) {
      int code = JCudaDriver.cuStreamSynchronize(stream);
      if (code != ReturnCode.SUCCESS && failure == null) {
        remember(code, "a queued command");
      }
    }
    if (isUntold) {
      isUntold = false;
      ReturnCode.warn(failure.getMessage());
    }
    if (graphs != null) {
      graphs.close();
    }
  }

  /** Bytes of the device's memory that nobody holds; -1 if the driver does not tell. */
  long freeBytes() {
    long[] free = new long[1];
    long[] total = new long[1];
    return JCudaDriver.cuMemGetInfo(free, total) == ReturnCode.SUCCESS ? free[0] : -1;
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
