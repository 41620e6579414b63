package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceTimer;
import io.unroll.device.ElementType;
import org.junit.jupiter.api.Test;

class EventTimerTest {
  private static final int FILLS = 2 * CommandGraphs.FEWEST_COMMANDS;
  private static final long PAUSE_MILLIS = 400;

  /** Runs a test on a device, with some work for it, and demands that nothing is left. */
  private static void with(Body body) {
    try (CudaDevice device = new CudaDevice("cuda:0", Devices.first())) {
      try (DeviceBuffer buffer = device.allocate(ElementType.REAL, 1000, "filled");
          DeviceTimer timer = device.timer().timer()) {
        body.run(device, timer, () -> fill(device, buffer));
      }
      assertEquals(0, device.liveBytes());
      device.synchronize();
    }
  }

  @FunctionalInterface
  private interface Body {
    void run(CudaDevice device, DeviceTimer timer, Runnable work);
  }

  private static void fill(CudaDevice device, DeviceBuffer buffer) {
    for (int i = 0; i < FILLS; i++) {
      device.fill(buffer, i, 1, i);
    }
  }

  /** What the host does before it hands commands over is none of the device's time. */
  @Test
  void timesTheCommandsAlone() {
    with(
        (device, timer, work) -> {
          work.run();
          for (int run = 0; run < 3; run++) {
            timer.start();
            pause();
            work.run();
            double seconds = timer.stop();
            assertTrue(seconds >= 0 && seconds < PAUSE_MILLIS / 1e3, seconds + " s");
          }
        });
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void takesCommandsOneByOneWhereItIsTold() {
    with(
        (device, timer, work) -> {
          for (int run = 0; run < 3; run++) {
            work.run();
            device.synchronize();
          }
          long before = device.graphCounts().replayed();
          assertTrue(before > 0, "no graph was replayed");
          timer.useGraphs(false);
          timer.start();
          work.run();
          timer.stop();
          assertEquals(before, device.graphCounts().replayed());
          timer.useGraphs(true);
          timer.start();
          work.run();
          timer.stop();
          assertEquals(before + 1, device.graphCounts().replayed());
        });
  }

  @Test
  void emptiesTheCachesWithMoreThanTheyHold() {
    with(
        (device, timer, work) -> {
          long before = device.liveBytes();
          timer.emptyCaches();
          int attribute = jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE;
          long cache = Devices.first().number(attribute);
          assertTrue(cache > 0, "the device tells no cache");
          assertEquals(2 * cache, device.liveBytes() - before);
          timer.emptyCaches();
          timer.start();
          work.run();
          assertTrue(timer.stop() >= 0);
        });
  }

  @Test
  void refusesWhatWasNotStartedOrIsEmpty() {
    with(
        (device, timer, work) -> {
          assertThrows(IllegalStateException.class, timer::stop);
          timer.start();
          assertThrows(IllegalStateException.class, timer::stop);
          timer.start();
          work.run();
          timer.stop();
        });
  }
}
