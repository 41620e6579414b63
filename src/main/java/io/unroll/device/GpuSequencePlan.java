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
 * @param weights the size of W_hh in floats
 * @param mostStreamed how large W_hh may be if it is not kept
 */
record GpuSequencePlan(
    int rows,
    int lanesOfRow,
    boolean kept,
    long floats,
    long limit,
    long weights,
    long mostStreamed) {
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
    boolean kept = rows * each + weights <= limit;
    long floats = rows * each + (kept ? weights : 0);
    return new GpuSequencePlan(
        rows, lanes, kept, floats, limit, weights, streamedBytes / Float.BYTES);
  }

  boolean fits() {
    return floats <= limit && (kept || weights <= mostStreamed);
  }

  String why() {
    return floats > limit
        ? "the states of %d rows take %d bytes of a group's memory, which has %d"
            .formatted(rows, floats * Float.BYTES, limit * Float.BYTES)
        : "W_hh has %d bytes; at most %d are read again at every step"
            .formatted(weights * Float.BYTES, mostStreamed * Float.BYTES);
  }

  /** Rows of the batch that a group keeps. */
  int rowsOfGroup(int groupSize) {
    return groupSize / lanesOfRow * rows;
  }

  Map<String, Integer> constants() {
    long slice = SMALLEST;
    while (slice < floats) {
      slice *= GROWTH;
    }
    return Map.of("ROWS", rows, "KEPT", kept ? 1 : 0, "SLICE", (int) Math.min(slice, limit));
  }
}
