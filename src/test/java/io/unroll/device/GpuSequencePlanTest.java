package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.CellSpec;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** Which program a sequence takes of those that there are. */
class GpuSequencePlanTest {
  private static final int STREAMED = 256 << 10;

  /** A GPU of 4 processors with 48 KiB for a group, whose programs have constants to some taste. */
  private static Gpu gpu(Predicate<Map<String, Integer>> has) {
    return (Gpu)
        Proxy.newProxyInstance(
            Gpu.class.getClassLoader(),
            new Class<?>[] {Gpu.class},
            (proxy, method, args) ->
                switch (method.getName()) {
                  case "groupSize" -> 256;
                  case "groupMemoryBytes" -> 48L << 10;
                  case "computeUnits" -> 4;
                  case "has" -> has.test(((GpuEntry) args[0]).constants());
                  default -> throw new AssertionError(method);
                });
  }

  private static GpuSequencePlan plan(
      int batch, int hiddenSize, Predicate<Map<String, Integer>> has) {
    return GpuSequencePlan.of(gpu(has), CellSpec.TANH, batch, hiddenSize, STREAMED);
  }

  @Test
  void takesTheSmallestSliceWhereAllAreThere() {
    GpuSequencePlan plan = plan(200, 16, constants -> true);
    assertTrue(plan.fits());
    assertEquals(Map.of("ROWS", 4, "KEPT", 1, "SLICE", 2048), constants(plan));
  }

  @Test
  void takesALargerSliceThenFewerRows() {
    GpuSequencePlan larger = plan(200, 16, constants -> constants.get("SLICE") == 12288);
    assertEquals(Map.of("ROWS", 4, "KEPT", 1, "SLICE", 12288), constants(larger));
    GpuSequencePlan fewer = plan(200, 16, constants -> constants.get("ROWS") == 1);
    assertEquals(Map.of("ROWS", 1, "KEPT", 1, "SLICE", 2048), constants(fewer));
  }

  @Test
  void doesNotTakeOneThatIsTooSmall() {
    GpuSequencePlan plan = plan(1, 64, constants -> constants.get("SLICE") == 2048);
    assertFalse(plan.fits());
    assertTrue(plan.why().startsWith("no program was compiled"), plan.why());
  }

  @Test
  void saysWhatDoesNotFit() {
    String weights = plan(1, 300, constants -> true).why();
    assertTrue(weights.contains("W_hh has 360000 bytes"), weights);
    String states = plan(1, 7000, constants -> true).why();
    assertTrue(states.contains("of a group's memory, which has 49152"), states);
  }

  private static Map<String, Integer> constants(GpuSequencePlan plan) {
    return plan.forward(CellSpec.TANH).constants();
  }
}
