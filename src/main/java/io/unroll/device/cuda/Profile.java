package io.unroll.device.cuda;

import io.unroll.device.DeviceProfiler.KernelTime;
import io.unroll.device.KernelTimes;
import java.util.List;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** The times of commands, by an event before and one behind each. */
final class Profile implements AutoCloseable {
  /** Commands whose events are kept before they are asked. */
  private static final int CAPACITY = 2048;

  private static final double NANOS_OF_MILLI = 1e6;

  private final CommandStream stream;
  private final CUevent[] starts = new CUevent[CAPACITY];
  private final CUevent[] stops = new CUevent[CAPACITY];
  private final String[] names = new String[CAPACITY];
  private final KernelTimes times = new KernelTimes();
  private int count;

  Profile(CommandStream stream) {
    this.stream = stream;
  }

  /** Marks where the next command begins. */
  void begin() {
    if (count == CAPACITY) {
      collect();
    }
    if (starts[count] == null) {
      starts[count] = stream.newEvent(CUevent_flags.CU_EVENT_DEFAULT);
      stops[count] = stream.newEvent(CUevent_flags.CU_EVENT_DEFAULT);
    }
    stream.mark(starts[count]);
  }

  /** Marks where it ends. */
  void end(String name) {
    names[count] = name;
    stream.mark(stops[count++]);
  }

  /** Waits for the commands and reads their times. */
  void collect() {
    float[] millis = new float[1];
    for (int i = 0; i < count; i++) {
      stream.await(stops[i]);
      double nanos = NANOS_OF_MILLI * stream.between(starts[i], stops[i], millis);
      times.add(names[i], Math.max(1, Math.round(nanos)));
    }
    count = 0;
  }

  /** What was collected, the largest total first. */
  List<KernelTime> times() {
    return times.sorted();
  }

  /** Destroys the events; the context must be current. */
  @Override
  public void close() {
    for (int i = 0; i < CAPACITY && starts[i] != null; i++) {
      ReturnCode.freed(JCudaDriver.cuEventDestroy(starts[i]), "cuEventDestroy");
      if (stops[i] != null) {
        ReturnCode.freed(JCudaDriver.cuEventDestroy(stops[i]), "cuEventDestroy");
      }
    }
  }
}
