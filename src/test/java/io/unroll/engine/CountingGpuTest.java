package io.unroll.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.Precision;
import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Gpu;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CountingGpuTest {
  private static final Map<String, Object> SIZES =
      Map.of(
          "groupSize",
          256,
          "computeUnits",
          100,
          "groupMemoryBytes",
          1L << 15,
          "memoryBytes",
          1L << 30,
          "precision",
          Precision.FP32,
          "runsCudaText",
          false,
          "name",
          "gpu");

  /** Answers how large it is, and fails where it is asked to do something. */
  private static Gpu gpu(long libraryScratch) {
    return (Gpu)
        Proxy.newProxyInstance(
            Gpu.class.getClassLoader(),
            new Class<?>[] {Gpu.class},
            (proxy, method, args) -> {
              if (method.getName().equals("libraryScratch")) {
                return libraryScratch;
              }
              if (!SIZES.containsKey(method.getName())) {
                throw new AssertionError("planning calls " + method);
              }
              return SIZES.get(method.getName());
            });
  }

  private static List<MemoryPlan.Line> plan(Gpu gpu) {
    return MemoryPlan.of(
            gpu,
            64,
            (backend, batch) -> {
              Device device = Device.of(backend);
              try (DeviceBuffer a = device.allocate(ElementType.REAL, 64 * 4096, "operand");
                  DeviceBuffer c = device.allocate(ElementType.REAL, 64 * 64, "product")) {
                device.gemm(false, true, batch, 64, 4096, a, 0, 4096, a, 0, 4096, 0, c, 0, 64);
              }
            })
        .lines();
  }

  @Test
  void scratchOfProductsIsPlanned() {
    // One square of the product, cut into pieces of 256 of the 4096 products of an element.
    assertEquals(
        List.of(
            new MemoryPlan.Line("operand", 4L * 64 * 4096),
            new MemoryPlan.Line("slices of matrix products", 4L * 16 * 64 * 64),
            new MemoryPlan.Line("product", 4L * 64 * 64)),
        plan(gpu(0)));
  }

  @Test
  void scratchOfTheMakersLibraryIsPlannedInItsPlace() {
    assertEquals(
        List.of(
            new MemoryPlan.Line("operand", 4L * 64 * 4096),
            new MemoryPlan.Line("product", 4L * 64 * 64),
            new MemoryPlan.Line("scratch of matrix products", 4L * 1000)),
        plan(gpu(1000)));
  }
}
