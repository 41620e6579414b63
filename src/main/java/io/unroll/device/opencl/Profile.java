package io.unroll.device.opencl;

import io.unroll.device.DeviceProfiler.KernelTime;
import io.unroll.device.KernelTimes;
import java.util.List;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryUtil;

/** The times of commands, by their events. It owns every event that it is given. */
final class Profile implements AutoCloseable {
  /** Events that are kept before they are asked; a driver holds memory for each. */
  private static final int CAPACITY = 4096;

  private final long[] events = new long[CAPACITY];
  private final String[] names = new String[CAPACITY];
  private final KernelTimes times = new KernelTimes();
  private int count;

  /** Takes the event of a command. */
  void add(String name, long event) {
    if (count == CAPACITY) {
      collect();
    }
    names[count] = name;
    events[count++] = event;
  }

  /** Waits for the commands and reads their times. */
  void collect() {
    long slot = MemoryUtil.nmemAllocChecked(Long.BYTES);
    try {
      for (int i = 0; i < count; i++) {
        MemoryUtil.memPutAddress(slot, events[i]);
        ReturnCode.require(CL10.nclWaitForEvents(1, slot), "clWaitForEvents");
        long begin = time(events[i], CL10.CL_PROFILING_COMMAND_START, slot);
        long end = time(events[i], CL10.CL_PROFILING_COMMAND_END, slot);
        times.add(names[i], end - begin);
      }
    } finally {
      MemoryUtil.nmemFree(slot);
      close();
    }
  }

  private static long time(long event, int which, long slot) {
    ReturnCode.require(
        CL10.nclGetEventProfilingInfo(event, which, Long.BYTES, slot, 0),
        "clGetEventProfilingInfo");
    return MemoryUtil.memGetLong(slot);
  }

  /** What was collected, the largest total first. */
  List<KernelTime> times() {
    return times.sorted();
  }

  /** Releases the events that were not collected. */
  @Override
  public void close() {
    for (int i = 0; i < count; i++) {
      ReturnCode.freed(CL10.clReleaseEvent(events[i]), "clReleaseEvent");
    }
    count = 0;
  }
}
