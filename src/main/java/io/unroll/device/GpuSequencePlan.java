package io.unroll.device;

import io.unroll.CellSpec;
import java.util.Map;

/**
 * How {@code sequence.h} is compiled for some sizes.
 *
 * @param rows rows that a lane computes: the macro {@code ROWS}
 * @param lanesOfRow lanes that share a row
 * @param kept whether the weights lie in the group's own memory: {@code KEPT}
 * @param floats what it needs there
 * @param limit what there is
 * @param slice what the program that it runs takes of that: {@code SLICE}; 0 if there is no program
 * @param weights the size of W_hh in floats
 * @param mostStreamed how large W_hh may be if it is not kept
 */
record GpuSequencePlan(
    int rows,
    int lanesOfRow,
    boolean kept,
    long floats,
    long limit,
    int slice,
    long weights,
    long mostStreamed) {
  private static final String FILE = "gpu/sequence.h";
  private static final int LEAST_LANES = 32;
  private static final int MOST_ROWS = 4;

  /** Floats of the smallest program; each next one has so many times more, to serve many sizes. */
  private static final int SMALLEST = 2048;

  private static final int GROWTH = 4;

  /**
   * The same for both directions, so that they share a program.
   *
   * @param streamedBytes how large W_hh may be if it does not fit into the group's memory
   */
  static GpuSequencePlan of(Gpu gpu, CellSpec cell, int batch, int hiddenSize, long streamedBytes) {
    int lanes = LEAST_LANES;
    while (lanes < hiddenSize && lanes < gpu.groupSize()) {
      lanes *= 2;
    }
    int sets = gpu.groupSize() / lanes;
    long limit = gpu.groupMemoryBytes() / Float.BYTES;
    long each = 2L * sets * hiddenSize * cell.gateCount(); // backward leaves most for the next step
    int rows = 1;
    while (rows < MOST_ROWS
        && GpuKernels.pieces(batch, (long) sets * rows) > gpu.computeUnits()
        && 2L * rows * each <= limit) {
      rows *= 2;
    }
    long weights = (long) cell.gateCount() * hiddenSize * hiddenSize;
    long mostStreamed = streamedBytes / Float.BYTES;
    GpuSequencePlan plan = sized(rows, lanes, each, limit, weights, mostStreamed).ready(gpu, cell);
    while (plan.slice == 0 && rows > 1) {
      rows /= 2;
      plan = sized(rows, lanes, each, limit, weights, mostStreamed).ready(gpu, cell);
    }
    return plan;
  }

  private static GpuSequencePlan sized(
      int rows, int lanes, long floatsOfRow, long limit, long weights, long mostStreamed) {
    boolean kept = rows * floatsOfRow + weights <= limit;
    long floats = rows * floatsOfRow + (kept ? weights : 0);
    return new GpuSequencePlan(rows, lanes, kept, floats, limit, 0, weights, mostStreamed);
  }

  /** The same with the smallest program that a device has for it. */
  private GpuSequencePlan ready(Gpu gpu, CellSpec cell) {
    for (long slice = SMALLEST; floats <= limit; slice *= GROWTH) {
      GpuSequencePlan ready =
          new GpuSequencePlan(
              rows,
              lanesOfRow,
              kept,
              floats,
              limit,
              (int) Math.min(slice, limit),
              weights,
              mostStreamed);
      if (ready.slice >= floats && gpu.has(ready.forward(cell))) {
        return ready;
      }
      if (slice >= limit) {
        break;
      }
    }
    return this;
  }

  boolean fits() {
    return slice > 0 && (kept || weights <= mostStreamed);
  }

  String why() {
    if (floats > limit) {
      return "the states of %d rows take %d bytes of a group's memory, which has %d"
          .formatted(rows, floats * Float.BYTES, limit * Float.BYTES);
    }
    if (!kept && weights > mostStreamed) {
      return "W_hh has %d bytes; at most %d are read again at every step"
          .formatted(weights * Float.BYTES, mostStreamed * Float.BYTES);
    }
    return "no program was compiled that has %d floats of a group's memory".formatted(floats);
  }

  /** Rows of the batch that a group keeps. */
  int rowsOfGroup(int groupSize) {
    return groupSize / lanesOfRow * rows;
  }

  /** What runs all steps. */
  GpuEntry forward(CellSpec cell) {
    return GpuEntry.of(cell, FILE, "sequence_forward_kernel", constants());
  }

  /** What runs all steps back. */
  GpuEntry backward(CellSpec cell) {
    return GpuEntry.of(cell, FILE, "sequence_backward_kernel", constants());
  }

  private Map<String, Integer> constants() {
    return Map.of("ROWS", rows, "KEPT", kept ? 1 : 0, "SLICE", slice);
  }
}
