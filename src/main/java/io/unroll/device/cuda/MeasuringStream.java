package io.unroll.device.cuda;

import java.util.ArrayList;
import java.util.List;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * A stream beside that of the backend, of the same context, for what {@link Ceilings} measures: its
 * commands go to the driver at once, and two events tell how long they take. The context must be
 * current. A failed call throws a {@link io.unroll.DeviceException}.
 */
final class MeasuringStream implements AutoCloseable {
  /** The lanes of every group. */
  static final int GROUP = 256;

  /** The least number of times that something is measured. */
  static final int MIN_RUNS = 5;

  private static final double MILLIS = 1e3;

  private final Hardware hardware;
  private final CUstream stream = new CUstream();
  private final CUevent start = new CUevent();
  private final CUevent stop = new CUevent();

  /**
   * A kernel with what it is launched with.
   *
   * @param what its name, for messages
   * @param together whether its groups wait for one another
   */
  record Launch(CUfunction kernel, String what, int groups, boolean together, Pointer parameters) {}

  MeasuringStream(Hardware hardware) {
    this.hardware = hardware;
    ReturnCode.require(
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
        "cuStreamCreate");
    for (CUevent event : List.of(start, stop)) {
      ReturnCode.require(
          JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT), "cuEventCreate");
    }
  }

  /** The parameters of a launch: a Long is an address or an offset, an Integer, a Float. */
  static Pointer parameters(Object... values) {
    List<NativePointerObject> each = new ArrayList<>();
    for (Object value : values) {
      if (value instanceof Long number) {
        each.add(Pointer.to(new long[] {number}));
      } else if (value instanceof Integer number) {
        each.add(Pointer.to(new int[] {number}));
      } else {
        each.add(Pointer.to(new float[] {(Float) value}));
      }
    }
    return Pointer.to(each.toArray(NativePointerObject[]::new));
  }

  /** Queues a launch and gives the driver's code. */
  int tryLaunch(Launch launch) {
    int groups = launch.groups();
    Pointer parameters = launch.parameters();
    if (launch.together()) {
      Occupancy.requireTogether(launch.kernel(), launch.what(), groups, GROUP, 0, hardware);
      return JCudaDriver.cuLaunchCooperativeKernel(
          launch.kernel(), groups, 1, 1, GROUP, 1, 1, 0, stream, parameters);
    }
    return JCudaDriver.cuLaunchKernel(
        launch.kernel(), groups, 1, 1, GROUP, 1, 1, 0, stream, parameters, null);
  }

  /** Queues a launch. */
  void launch(Launch launch) {
    ReturnCode.require(
        tryLaunch(launch),
        (launch.together() ? "cuLaunchCooperativeKernel of " : "cuLaunchKernel of ")
            + launch.what());
  }

  /** Queues a copy within the device, by the driver's own means. */
  void copy(CUdeviceptr to, CUdeviceptr from, long bytes) {
    ReturnCode.require(JCudaDriver.cuMemcpyDtoDAsync(to, from, bytes, stream), "cuMemcpyDtoDAsync");
  }

  /** Queues zeros. */
  void clear(CUdeviceptr memory, long bytes) {
    ReturnCode.require(
        JCudaDriver.cuMemsetD32Async(memory, 0, bytes / Integer.BYTES, stream), "cuMemsetD32Async");
  }

  /** Waits until all that is queued has run. */
  void finish() {
    ReturnCode.require(JCudaDriver.cuStreamSynchronize(stream), "what was queued");
  }

  /** Writes launches down instead of running them; {@link #destroy} gives the graph back. */
  CUgraphExec capture(Runnable launches) {
    CUgraph graph = new CUgraph();
    ReturnCode.require(
        JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
        "cuStreamBeginCapture");
    try {
      launches.run();
    } finally {
      ReturnCode.require(JCudaDriver.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
    }
    CUgraphExec made = new CUgraphExec();
    int code = JCudaDriver.cuGraphInstantiate(made, graph, 0);
    ReturnCode.freed(JCudaDriver.cuGraphDestroy(graph), "cuGraphDestroy");
    ReturnCode.require(code, "cuGraphInstantiate");
    return made;
  }

  static void destroy(CUgraphExec graph) {
    ReturnCode.freed(JCudaDriver.cuGraphExecDestroy(graph), "cuGraphExecDestroy");
  }

  /** Queues all of a graph. */
  void launch(CUgraphExec graph) {
    ReturnCode.require(JCudaDriver.cuGraphLaunch(graph, stream), "cuGraphLaunch");
  }

  /**
   * Times work again and again, by the device's clock.
   *
   * @param work queues commands here
   * @param atLeast seconds in all, and at least {@value #MIN_RUNS} times
   * @return seconds of each run
   */
  List<Double> time(double atLeast, Runnable work) {
    List<Double> times = new ArrayList<>();
    float[] millis = new float[1];
    for (double total = 0;
        times.size() < MIN_RUNS || total < atLeast;
        total += millis[0] / MILLIS) {
      ReturnCode.require(JCudaDriver.cuEventRecord(start, stream), "cuEventRecord");
      work.run();
      ReturnCode.require(JCudaDriver.cuEventRecord(stop, stream), "cuEventRecord");
      ReturnCode.require(JCudaDriver.cuEventSynchronize(stop), "what was queued");
      ReturnCode.require(JCudaDriver.cuEventElapsedTime(millis, start, stop), "cuEventElapsedTime");
      times.add(millis[0] / MILLIS);
    }
    return times;
  }

  /** Waits, and frees the stream. */
  @Override
  public void close() {
    ReturnCode.freed(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
    ReturnCode.freed(JCudaDriver.cuEventDestroy(start), "cuEventDestroy");
    ReturnCode.freed(JCudaDriver.cuEventDestroy(stop), "cuEventDestroy");
    ReturnCode.freed(JCudaDriver.cuStreamDestroy(stream), "cuStreamDestroy");
  }
}
