package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.CellSpec;
import io.unroll.Precision;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which of the programs that keep W_hh on the chip is taken. */
class GpuBlockPlanTest {
  private static final long KIB = 1 << 10;

  private static final List<Map<String, Integer>> PROGRAMS =
      List.of(program(256, 256, 40, 0), program(256, 128, 16, 0), program(384, 384, 16, 2));

  private static Map<String, Integer> program(int lanes, int hidden, int kept, int precision) {
    return Map.of(
        "GROUP",
        lanes,
        "HIDDEN",
        hidden,
        "KEPT_FORWARD",
        kept,
        "KEPT_BACKWARD",
        kept,
        "PRECISION",
        precision);
  }

  private static Gpu gpu(Precision precision, long groupMemory) {
    Ledger ledger = new Ledger();
    return (Gpu)
        Proxy.newProxyInstance(
            Gpu.class.getClassLoader(),
            new Class<?>[] {Gpu.class},
            (proxy, method, args) ->
                switch (method.getName()) {
                  case "programs" -> args[1] == CellSpec.TANH ? PROGRAMS : List.of();
                  case "precision" -> precision;
                  case "mostGroupMemoryBytes" -> groupMemory;
                  case "ledger" -> ledger;
                  case "name" -> "cuda:0";
                  default -> throw new AssertionError(method);
                });
  }

  private static GpuBlockPlan plan(Precision precision, long groupMemory, int hiddenSize) {
    return GpuBlockPlan.of(gpu(precision, groupMemory), CellSpec.TANH, hiddenSize);
  }

  @Test
  void takesTheSmallestThatServes() {
    assertEquals(128, plan(Precision.FP32, 227 * KIB, 1).mostHidden());
    assertEquals(128, plan(Precision.FP32, 227 * KIB, 128).mostHidden());
    assertEquals(256, plan(Precision.FP32, 227 * KIB, 129).mostHidden());
    assertEquals(384, plan(Precision.BF16, 227 * KIB, 1).mostHidden());
  }

  @Test
  void countsTheMemoryOfBothDirections() {
    GpuBlockPlan fp32 = plan(Precision.FP32, 227 * KIB, 256);
    // W_hh has 256 KiB, of which 256 lanes keep 40 fragments; 4 rows of 256 floats lie there twice.
    assertEquals((256 - 160 + 8) * KIB, fp32.forwardBytes());
    assertEquals(fp32.forwardBytes(), fp32.forward(CellSpec.TANH).groupMemory());
    assertEquals(256, fp32.forward(CellSpec.TANH).lanes(64));
    assertEquals(4, fp32.rowsOfGroup());
    // 384 * 384 weights and 8 rows of 384 operands, twice, of 2 bytes each.
    GpuBlockPlan bf16 = plan(Precision.BF16, 227 * KIB, 384);
    assertEquals((288 - 96 + 12) * KIB, bf16.backwardBytes());
    assertEquals(8, bf16.rowsOfGroup());
  }

  @Test
  void needsMemoryThatTheDeviceHas() {
    assertTrue(plan(Precision.FP32, 104 * KIB, 256).fits());
    GpuBlockPlan refused = plan(Precision.FP32, 104 * KIB - 1, 256);
    assertFalse(refused.fits());
    assertEquals(
        "no program serves it in FP32: that for H <= 256 needs 106496 bytes of a group's memory, "
            + "which has 106495; H <= 128 in FP32 fits",
        refused.why());
  }

  @Test
  void saysWhichSizesFit() {
    assertEquals(
        "no program serves it in FP32; H <= 256 in FP32, H <= 384 in BF16 fits",
        plan(Precision.FP32, 227 * KIB, 257).why());
    assertEquals(
        "no program serves it in TF32; H <= 256 in FP32, H <= 384 in BF16 fits",
        plan(Precision.TF32, 227 * KIB, 64).why());
    String other = GpuBlockPlan.of(gpu(Precision.FP32, 227 * KIB), CellSpec.GRU, 1).why();
    assertEquals("no program was compiled that does so for this cell", other);
  }

  @Test
  void isTakenBeforeOthers() {
    FusedRecurrence.Offer offer =
        new GpuRecurrences(gpu(Precision.FP32, 227 * KIB)).offer(CellSpec.TANH, 5, 100);
    assertNull(offer.refusal());
    assertInstanceOf(GpuBlock.class, offer.recurrence());
  }

  @Test
  void isRefusedInWordsWhereNothingElseIsAllowed() {
    System.setProperty("unroll.gpu.recurrence", "block");
    try {
      FusedRecurrence.Offer offer =
          new GpuRecurrences(gpu(Precision.FP32, 227 * KIB)).offer(CellSpec.TANH, 5, 300);
      assertNull(offer.recurrence());
      assertEquals(
          "tanh with H=300 does not fit one launch with W_hh on the chip on \"cuda:0\": no program"
              + " serves it in FP32; H <= 256 in FP32, H <= 384 in BF16 fits",
          offer.refusal());
    } finally {
      System.clearProperty("unroll.gpu.recurrence");
    }
  }

  @Test
  void cudaHasThemForTheseCells() {
    DeviceKind.CUDA.require();
    try (Device cuda = DeviceKind.CUDA.open(0)) {
      for (CellSpec cell :
          List.of(
              CellSpec.TANH, CellSpec.RELU, CellSpec.GRU, CellSpec.LSTM, CellSpec.LSTM_PEEPHOLE)) {
        assertInstanceOf(
            GpuBlock.class, cuda.fusedRecurrence(cell, 3, 5, 128).recurrence(), cell.name());
      }
    }
  }
}
