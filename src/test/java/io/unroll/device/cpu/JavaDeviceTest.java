package io.unroll.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.BackendUnavailableException;
import io.unroll.DeviceException;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.Precision;
import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import org.junit.jupiter.api.Test;

class JavaDeviceTest {
  @Test
  void opensByNameInFloat32Only() {
    try (Backend backend = Backend.open("cpu", new BackendOptions(3, Precision.FP32))) {
      assertEquals("cpu", backend.name());
      assertEquals(Precision.FP32, backend.precision());
      assertTrue(
          backend.description().matches("cpu \\(.*, float32, 3 threads\\).*"),
          backend.description());
    }
    assertTrue(Backend.list().stream().anyMatch(a -> a.name().equals("cpu") && a.available()));
    for (Precision precision : Precision.values()) {
      if (precision != Precision.FP32) {
        BackendOptions options = BackendOptions.DEFAULT.withPrecision(precision);
        String message = refusal("cpu", options);
        assertTrue(message.contains(precision.name()) && message.contains("FP32"), message);
      }
    }
    String message = refusal("cpu:1", BackendOptions.DEFAULT);
    assertTrue(message.contains("cpu:1"), message);
  }

  private static String refusal(String selector, BackendOptions options) {
    return assertThrows(
            BackendUnavailableException.class, () -> Backend.open(selector, options).close())
        .getMessage();
  }

  @Test
  void closeStopsTheThreads() {
    JavaDevice device = new JavaDevice(2);
    device.close();
    assertThrows(IllegalStateException.class, () -> device.pool().run(2, (part, worker) -> {}));
  }

  @Test
  void memoryRunsOutWithACureAndTheDeviceStaysUsable() {
    try (Device device = new JavaDevice(1)) {
      for (long length : new long[] {Integer.MAX_VALUE, 1L << 40}) {
        String message =
            assertThrows(
                    DeviceException.class,
                    () -> device.allocate(ElementType.REAL, length, "activations"))
                .getMessage();
        assertTrue(message.contains("activations") && message.contains("batch"), message);
        assertTrue(message.contains(Long.toString(length)), message);
      }
      // As many of the longest arrays as it takes to fill the heap.
      long heap = Runtime.getRuntime().maxMemory();
      assumeTrue(heap < 1L << 34, "a heap of " + heap + " bytes takes too long to fill");
      java.util.List<DeviceBuffer> held = new java.util.ArrayList<>();
      OutOfDeviceMemoryException refusal =
          assertThrows(
              OutOfDeviceMemoryException.class,
              () -> {
                while (true) {
                  held.add(device.allocate(ElementType.INT, JavaBuffer.MAX_LENGTH, "tokens"));
                }
              });
      String message = refusal.getMessage();
      assertEquals(4L * JavaBuffer.MAX_LENGTH, refusal.wantedBytes());
      assertTrue(refusal.liveBytes() >= device.liveBytes(), message);
      assertEquals(device.memoryBytes(), refusal.deviceBytes());
      held.forEach(DeviceBuffer::close);
      assertTrue(message.contains("-Xmx") && message.contains("tokens"), message);
      assertEquals(0, device.liveBytes());
      device.allocate(ElementType.REAL, 10, "small").close();
    }
  }
}
