package io.unroll.device.cuda;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceTimer;
import io.unroll.device.ElementType;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/**
 * Two events in the backend's stream: one that comes right before the commands that are written
 * down next are handed over, so that the time in which the host writes them down is not counted,
 * and one behind the last of them.
 */
final class EventTimer implements DeviceTimer {
  /** So many times as long as the second cache is what is written to empty it. */
  private static final int TIMES = 2;

  private static final double MILLIS = 1e3;

  private final CudaDevice device;
  private final Hardware hardware;
  private final float[] millis = new float[1];
  private CUevent start;
  private CUevent stop;
  private DeviceBuffer written;

  EventTimer(CudaDevice device, Hardware hardware) {
    this.device = device;
    this.hardware = hardware;
  }

  @Override
  public void start() {
    if (start == null) {
      start = device.stream().newEvent(CUevent_flags.CU_EVENT_DEFAULT);
      stop = device.stream().newEvent(CUevent_flags.CU_EVENT_DEFAULT);
    }
    device.synchronize();
    device.stream().setAhead(start);
  }

  @Override
  public double stop() {
    if (start == null) {
      throw new IllegalStateException("the timer was stopped, but not started");
    }
    device.stream().record(stop);
    if (device.stream().setAhead(null)) {
      throw new IllegalStateException("nothing was queued while the timer ran");
    }
    device.stream().await(stop);
    return device.stream().between(start, stop, millis) / MILLIS;
  }

  @Override
  public void emptyCaches() {
    if (written == null) {
      long length = Math.max(1, beyondCaches() / Float.BYTES);
      written = device.allocate(ElementType.REAL, length, "written to empty the caches");
    }
    device.synchronize();
    device.stream().fillNew(CudaBuffer.memory(written), written.length(), 0);
    device.synchronize();
  }

  @Override
  public long beyondCaches() {
    long cache = hardware.number(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
    return TIMES * cache;
  }

  @Override
  public long freeBytes() {
    return device.stream().freeBytes();
  }

  @Override
  public void useGraphs(boolean allowed) {
    device.stream().useGraphs(allowed);
  }

  /**
   * On the thread that has used it; after a failure the driver refuses, and the events go later.
   */
  @Override
  public void close() {
    device.stream().setAhead(null);
    useGraphs(true);
    if (written != null) {
      written.close();
      written = null;
    }
    if (start != null) {
      ReturnCode.freed(JCudaDriver.cuEventDestroy(start), "cuEventDestroy");
      ReturnCode.freed(JCudaDriver.cuEventDestroy(stop), "cuEventDestroy");
      start = null;
    }
  }
}
