package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.CellSpec;
import io.unroll.device.GpuEntry;
import io.unroll.device.GpuKernels;
import io.unroll.device.Kernel;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ImagesTest {
  @Test
  void keysAreThoseOfTheList() {
    assertEquals("elements", Images.key(GpuKernels.entry(Kernel.ADAM, null)));
    assertEquals("stepwise-gru", Images.key(GpuKernels.entry(Kernel.CELL_FORWARD, CellSpec.GRU)));
    GpuEntry step =
        new GpuEntry(
            List.of("math.h", "cells/lstm.h", "gpu/sequence.h"),
            "sequence_forward_kernel",
            Map.of("SLICE", 12288, "ROWS", 1, "KEPT", 0));
    assertEquals("sequence-lstm-KEPT=0-ROWS=1-SLICE=12288", Images.key(step));
  }

  @Test
  void knowsWhatWasCompiled() {
    Devices.first();
    assertTrue(Images.has(GpuKernels.fill()));
    assertFalse(Images.has(new GpuEntry(List.of("gpu/none.h"), "none_kernel", Map.of())));
    List<Map<String, Integer>> programs = Images.constants("gpu/sequence.h", CellSpec.LSTM);
    assertEquals(6, programs.size());
    assertTrue(programs.contains(Map.of("KEPT", 1, "ROWS", 4, "SLICE", 12288)), "" + programs);
  }
}
