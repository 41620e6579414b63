package io.unroll.device;

import io.unroll.CellSpec;
import io.unroll.Precision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Which program of {@code block.h} serves some size: the smallest of the device's precision that is
 * large enough and whose memory a group may have.
 *
 * @param constants what it is compiled with, or null where none serves
 * @param forwardBytes of the group's memory, for all steps
 * @param backwardBytes the same for all steps back
 * @param why none serves, or null
 */
record GpuBlockPlan(
    Map<String, Integer> constants, int forwardBytes, int backwardBytes, String why) {
  private static final String FILE = "cuda/block.h";

  /** Four words of a lane, which are weights of two rows of the product. */
  private static final int FRAGMENT_BYTES = 16;

  static GpuBlockPlan of(Gpu gpu, CellSpec cell, int hiddenSize) {
    List<GpuBlockPlan> programs =
        gpu.programs(FILE, cell).stream()
            .map(constants -> sized(cell, constants))
            .sorted(Comparator.comparingInt(GpuBlockPlan::mostHidden))
            .toList();
    for (GpuBlockPlan each : programs) {
      if (each.precision() == gpu.precision()
          && each.mostHidden() >= hiddenSize
          && each.bytes() <= gpu.mostGroupMemoryBytes()) {
        return each;
      }
    }
    return new GpuBlockPlan(null, 0, 0, refusal(gpu, programs, hiddenSize));
  }

  /** What {@code block.h} and {@code on_chip.h} make of their constants. */
  private static GpuBlockPlan sized(CellSpec cell, Map<String, Integer> constants) {
    GpuBlockPlan unsized = new GpuBlockPlan(constants, 0, 0, null);
    int hidden = unsized.mostHidden();
    int gates = cell.gateCount();
    return new GpuBlockPlan(
        constants,
        unsized.bytes(gates * hidden * hidden, constants.get("KEPT_FORWARD"), hidden),
        unsized.bytes(gates * hidden * hidden, constants.get("KEPT_BACKWARD"), gates * hidden),
        null);
  }

  /**
   * The fragments that are not kept in registers, and twice the operands of a step.
   *
   * @param kept how many fragments a lane keeps there
   * @param operands of a row of the batch
   */
  private int bytes(int weights, int kept, int operands) {
    int operandBytes = precision() == Precision.BF16 ? Short.BYTES : Float.BYTES;
    int keptBytes = kept * lanes() * FRAGMENT_BYTES;
    return weights * operandBytes - keptBytes + 2 * rowsOfGroup() * operands * operandBytes;
  }

  private static String refusal(Gpu gpu, List<GpuBlockPlan> programs, int hiddenSize) {
    if (programs.isEmpty()) {
      return "no program was compiled that does so for this cell";
    }
    List<String> fitting = new ArrayList<>();
    String tooLarge = "";
    for (Precision precision : Precision.values()) {
      int most = 0;
      for (GpuBlockPlan each : programs) {
        if (each.precision() != precision) {
          continue;
        }
        if (each.bytes() <= gpu.mostGroupMemoryBytes()) {
          most = each.mostHidden();
        } else if (precision == gpu.precision()
            && tooLarge.isEmpty()
            && each.mostHidden() >= hiddenSize) {
          tooLarge =
              ": that for H <= %d needs %d bytes of a group's memory, which has %d"
                  .formatted(each.mostHidden(), each.bytes(), gpu.mostGroupMemoryBytes());
        }
      }
      if (most > 0) {
        fitting.add("H <= %d in %s".formatted(most, precision));
      }
    }
    return "no program serves it in %s%s; %s fits"
        .formatted(
            gpu.precision(), tooLarge, fitting.isEmpty() ? "nothing" : String.join(", ", fitting));
  }

  boolean fits() {
    return constants != null;
  }

  private int lanes() {
    return constants.get("GROUP");
  }

  /** The hidden size up to which it serves. */
  int mostHidden() {
    return constants.get("HIDDEN");
  }

  /** What it computes in: the macro {@code PRECISION}. */
  private Precision precision() {
    return switch (constants.get("PRECISION")) {
      case 1 -> Precision.TF32;
      case 2 -> Precision.BF16;
      default -> Precision.FP32;
    };
  }

  /** Of the group's memory, for both directions. */
  private int bytes() {
    return Math.max(forwardBytes, backwardBytes);
  }

  /** Rows of the batch that a group keeps. */
  int rowsOfGroup() {
    return precision() == Precision.FP32 ? 4 : 8;
  }

  /** What runs all steps. */
  GpuEntry forward(CellSpec cell) {
    return GpuEntry.of(cell, FILE, "block_forward_kernel", constants).withGroupMemory(forwardBytes);
  }

  /** What runs all steps back. */
  GpuEntry backward(CellSpec cell) {
    return GpuEntry.of(cell, FILE, "block_backward_kernel", constants)
        .withGroupMemory(backwardBytes);
  }
}
