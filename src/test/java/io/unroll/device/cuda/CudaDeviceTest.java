package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.DeviceException;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceKernel;
import io.unroll.device.DeviceProfiler;
import io.unroll.device.DeviceProfiler.KernelTime;
import io.unroll.device.ElementType;
import io.unroll.device.GpuEntry;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of the backend cuda the tests of all devices do not see. */
class CudaDeviceTest {
  private static final int HALF = Staging.HALF / Float.BYTES;

  private static CudaDevice open() {
    return new CudaDevice("cuda:0", Devices.first());
  }

  /** Around the ends of the halves, and more than the whole ring. */
  @ParameterizedTest
  @ValueSource(ints = {1, HALF - 1, HALF, HALF + 1, 2 * HALF, 5 * HALF + 3})
  void copiesPassTheRing(int count) {
    float[] values = new float[count + 2];
    int[] integers = new int[count + 2];
    double[] doubles = new double[count + 2];
    for (int i = 0; i < values.length; i++) {
      values[i] = i * 0.5f;
      integers[i] = 3 * i;
      doubles[i] = i + 0.25;
    }
    try (CudaDevice device = open();
        DeviceBuffer reals = device.allocate(ElementType.REAL, count + 3, "reals");
        DeviceBuffer indices = device.allocate(ElementType.INT, count + 3, "indices")) {
      device.copyIn(values, 1, reals, 2, count);
      device.copyIn(integers, 1, indices, 2, count);
      float[] sent = values.clone();
      int[] sentIntegers = integers.clone();
      Arrays.fill(values, -1);
      Arrays.fill(integers, -1);
      float[] found = new float[count + 2];
      device.copyOut(reals, 2, found, 1, count);
      assertArrayEquals(range(sent, count), range(found, count));
      int[] foundIntegers = new int[count + 2];
      device.copyOut(indices, 2, foundIntegers, 1, count);
      assertArrayEquals(
          Arrays.copyOfRange(sentIntegers, 1, count + 1),
          Arrays.copyOfRange(foundIntegers, 1, count + 1));
      device.copyIn(doubles, 1, reals, 2, count);
      double[] foundDoubles = new double[count + 2];
      device.copyOut(reals, 2, foundDoubles, 1, count);
      for (int i = 1; i <= count; i++) {
        assertEquals((float) doubles[i], foundDoubles[i], "element " + i);
      }
      assertEquals(0, foundDoubles[0] + foundDoubles[count + 1] + found[0] + found[count + 1]);
    }
  }

  private static float[] range(float[] values, int count) {
    return Arrays.copyOfRange(values, 1, count + 1);
  }

  /** Three rings full of small copies into one buffer each, before anything waits. */
  @Test
  void manySmallCopiesKeepTheirOrder() {
    int size = 1000;
    int copies = 3 * Staging.HALVES * HALF / size;
    try (CudaDevice device = open();
        DeviceBuffer buffer = device.allocate(ElementType.REAL, size, "target");
        DeviceBuffer sum = device.allocate(ElementType.REAL, size, "sum")) {
      DeviceKernel axpby = device.compile(Kernel.AXPBY, null);
      KernelArgs args = new KernelArgs();
      device.fill(sum, 0, size, 0);
      float[] values = new float[size];
      float expected = 0;
      for (int i = 0; i < copies; i++) {
        Arrays.fill(values, i % 7);
        expected += i % 7;
        device.copyIn(values, 0, buffer, 0, size);
        args.clear().buffer(buffer, 0).buffer(sum, 0).real(1).real(1);
        device.launch(axpby, size, args);
      }
      float[] found = new float[size];
      device.copyOut(sum, 0, found, 0, size);
      for (float value : found) {
        assertEquals(expected, value);
      }
    }
  }

  @Test
  void aModuleThatWasNotCompiledIsNamed() {
    try (CudaDevice device = open()) {
      GpuEntry entry = new GpuEntry(List.of("test/broken.h"), "broken_kernel", Map.of("ROWS", 3));
      assertFalse(device.has(entry));
      String message = assertThrows(DeviceException.class, () -> device.entry(entry)).getMessage();
      assertTrue(message.contains("broken-ROWS=3"), message);
      device.synchronize();
    }
  }

  @Test
  void anEntryThatIsNotThereIsNamed() {
    try (CudaDevice device = open()) {
      GpuEntry entry = new GpuEntry(List.of("gpu/elements.h"), "nought_kernel", Map.of());
      String message = assertThrows(DeviceException.class, () -> device.entry(entry)).getMessage();
      assertTrue(message.contains("nought_kernel"), message);
      assertTrue(message.contains("CUDA_ERROR_NOT_FOUND (500)"), message);
    }
  }

  @Test
  void moreThanIsLeftIsRefusedWithWhatIsHeld() {
    long mebi = 1 << 20;
    Hardware small = Devices.withMemory(Devices.first(), 2 * mebi);
    try (CudaDevice device = new CudaDevice("cuda:0", small);
        DeviceBuffer second = device.allocate(ElementType.REAL, mebi / 8, "activations")) {
      DeviceBuffer first = device.allocate(ElementType.REAL, mebi / 4, "weights");
      OutOfDeviceMemoryException refusal =
          assertThrows(
              OutOfDeviceMemoryException.class,
              () -> device.allocate(ElementType.REAL, mebi / 4, "gradients"));
      assertEquals(mebi, refusal.wantedBytes());
      assertEquals(mebi + mebi / 2, refusal.liveBytes());
      assertEquals(2 * mebi, refusal.deviceBytes());
      for (String word : new String[] {"gradients", "weights", "activations", small.name()}) {
        assertTrue(refusal.getMessage().contains(word), refusal.getMessage());
      }
      first.close();
      device.allocate(ElementType.REAL, mebi / 4, "gradients").close();
      assertEquals(second.length() * Float.BYTES, device.liveBytes());
    }
  }

  /** The driver's own refusal, of which the numbers that it gave warned nobody. */
  @Test
  void whatTheDriverRefusesIsRefused() {
    Hardware boastful = Devices.withMemory(Devices.first(), Long.MAX_VALUE);
    try (CudaDevice device = new CudaDevice("cuda:0", boastful)) {
      String message =
          assertThrows(
                  OutOfDeviceMemoryException.class,
                  () -> device.allocate(ElementType.REAL, 1L << 44, "galaxy"))
              .getMessage();
      assertTrue(
          message.contains("galaxy") && message.contains("CUDA_ERROR_OUT_OF_MEMORY (2)"), message);
      device.allocate(ElementType.REAL, 4, "little").close();
    }
  }

  @Test
  void afterAFailureItCanOnlyBeClosed() {
    Assumptions.assumeTrue(
        Devices.first().isSimulated(), "a real driver lets the process do nothing more after this");
    CudaDevice device = open();
    DeviceBuffer buffer = device.allocate(ElementType.REAL, 8, "x");
    DeviceKernel tanh = device.compile(Kernel.TANH_FORWARD, null);
    KernelArgs outside = new KernelArgs().buffer(buffer, 1L << 40).buffer(buffer, 1L << 40);
    device.launch(tanh, 8, outside);
    String message = assertThrows(DeviceException.class, device::synchronize).getMessage();
    assertTrue(message.contains("a queued command returned CUDA_ERROR_ILLEGAL_ADDRESS"), message);
    for (Runnable use :
        List.<Runnable>of(
            device::synchronize,
            () -> device.fill(buffer, 0, 8, 1),
            () -> device.allocate(ElementType.REAL, 1, "y"),
            () -> device.copyIn(new float[1], 0, buffer, 0, 1),
            () -> device.copyOut(buffer, 0, new float[1], 0, 1),
            () -> device.compile(Kernel.CLAMP, null))) {
      DeviceException again = assertThrows(DeviceException.class, use::run);
      assertTrue(again.getMessage().contains("can only be closed"), again.getMessage());
      assertEquals(message, again.getCause().getMessage());
    }
    buffer.close();
    device.close();
    device.close();
  }

  @Test
  void aClosedOneIsNotUsed() {
    CudaDevice device = open();
    device.close();
    assertThrows(IllegalStateException.class, device::synchronize);
    assertThrows(IllegalStateException.class, () -> device.allocate(ElementType.REAL, 1, "late"));
  }

  @Test
  void profilesWhatRunsBetweenStartAndStop() {
    try (CudaDevice device = open();
        DeviceBuffer x = device.allocate(ElementType.REAL, 100_000, "x")) {
      DeviceKernel tanh = device.compile(Kernel.TANH_FORWARD, null);
      KernelArgs args = new KernelArgs().buffer(x, 0).buffer(x, 0);
      DeviceProfiler profiler = device.profiler().profiler();
      assertThrows(IllegalStateException.class, profiler::stop);
      device.launch(tanh, 100_000, args);
      // More than are kept before they are asked.
      int fills = 5000;
      profiler.start();
      IntStream.range(0, 3).forEach(i -> device.launch(tanh, 100_000, args));
      IntStream.range(0, fills).forEach(i -> device.fill(x, 0, 1, i));
      device.copyOut(x, 0, new float[1], 0, 1);
      List<KernelTime> times = profiler.stop();
      device.launch(tanh, 100_000, args);
      device.synchronize();
      assertEquals(
          Map.of("tanh_forward", 3L, "fill", (long) fills, "copy out", 1L),
          times.stream()
              .collect(java.util.stream.Collectors.toMap(KernelTime::name, KernelTime::launches)));
      long before = Long.MAX_VALUE;
      for (KernelTime time : times) {
        assertTrue(time.totalNanos() > 0 && time.totalNanos() <= before, times::toString);
        assertTrue(time.medianNanos() * time.launches() <= 2 * time.totalNanos(), times::toString);
        before = time.totalNanos();
      }
      assertFalse(times.isEmpty());
    }
  }

  /** The driver asks for the context at every thread. */
  @Test
  void anotherThreadMayGoOn() throws InterruptedException {
    CudaDevice device = open();
    DeviceBuffer buffer = device.allocate(ElementType.REAL, 8, "x");
    float[] found = new float[8];
    Throwable[] thrown = new Throwable[1];
    Thread other =
        new Thread(
            () -> {
              device.fill(buffer, 0, 8, 3);
              device.copyOut(buffer, 0, found, 0, 8);
              buffer.close();
              device.close();
            });
    other.setUncaughtExceptionHandler((thread, e) -> thrown[0] = e);
    other.start();
    other.join();
    assertNull(thrown[0]);
    assertEquals(3, found[7]);
    try (CudaDevice again = open()) {
      again.synchronize();
    }
  }

  @Test
  void twoMayBeOpenOnOneThread() {
    try (CudaDevice one = open();
        DeviceBuffer x = one.allocate(ElementType.REAL, 4, "x")) {
      try (CudaDevice two = open();
          DeviceBuffer y = two.allocate(ElementType.REAL, 4, "y")) {
        one.fill(x, 0, 4, 1);
        two.fill(y, 0, 4, 2);
      }
      float[] found = new float[4];
      one.copyOut(x, 0, found, 0, 4);
      assertEquals(1, found[3]);
    }
  }

  @Test
  void saysWhetherItIsSimulated() {
    Hardware hardware = Devices.first();
    try (CudaDevice device = open()) {
      assertEquals(
          hardware.isSimulated(),
          device.description().contains(", simulated,"),
          device.description());
    }
  }
}
