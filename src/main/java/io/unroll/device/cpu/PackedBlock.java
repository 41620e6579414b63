package io.unroll.device.cpu;

import static io.unroll.device.cpu.MicroKernels.MIDDLE;
import static io.unroll.device.cpu.MicroKernels.NARROW;
import static io.unroll.device.cpu.MicroKernels.STEPS;
import static io.unroll.device.cpu.MicroKernels.WIDE;

/**
 * Some columns of a matrix, copied for the {@link MicroKernels}: one array for eight depth steps,
 * holding eight rows of {@code width} floats. What lies past the matrix is undefined.
 */
final class PackedBlock {
  /** WIDE, MIDDLE or NARROW. */
  final int width;

  /** The columns that hold data; at most the width. */
  int columns;

  /** The depth that holds data. */
  int depth;

  /** One array for eight depth steps. */
  final float[][] groups;

  /**
   * @param width WIDE, MIDDLE or NARROW
   * @param maxDepth the most depth it will hold
   */
  PackedBlock(int width, int maxDepth) {
    this.width = width;
    groups = new float[(maxDepth + STEPS - 1) / STEPS][];
    for (int g = 0; g < groups.length; g++) {
      groups[g] = JavaBuffer.floats(STEPS * width, "packed weights");
    }
  }

  /** The width of the block that should hold the next columns when so many are left. */
  static int widthFor(int columnsLeft) {
    if (columnsLeft > 3 * MIDDLE) {
      return WIDE;
    }
    return columnsLeft > 2 * NARROW ? MIDDLE : NARROW;
  }

  /** Sets how much of it is used. */
  void size(int columns, int depth) {
    this.columns = columns;
    this.depth = depth;
  }

  /** The groups that hold data. */
  int usedGroups() {
    return (depth + STEPS - 1) / STEPS;
  }

  /**
   * Copies the groups of a range.
   *
   * @param at where column 0 at depth 0 lies in the source
   * @param depthStride distance between depth steps; columnStride: between columns
   */
  void pack(int from, int to, float[] source, int at, int depthStride, int columnStride) {
    for (int g = from; g < to; g++) {
      int first = g * STEPS;
      int steps = Math.min(STEPS, depth - first);
      if (columnStride == 1) {
        copyRows(groups[g], steps, source, at + first * depthStride, depthStride);
      } else {
        gather(groups[g], steps, source, at + first * depthStride, depthStride, columnStride);
      }
    }
  }

  private void copyRows(float[] group, int steps, float[] source, int at, int depthStride) {
    for (int k = 0; k < steps; k++) {
      System.arraycopy(source, at + k * depthStride, group, k * width, columns);
    }
  }

  private void gather(
      float[] group, int steps, float[] source, int at, int depthStride, int columnStride) {
    if (depthStride == 1 && steps == STEPS) {
      transpose(group, width, columns, source, at, columnStride);
      return;
    }
    for (int j = 0; j < columns; j++) {
      int from = at + j * columnStride;
      for (int k = 0; k < steps; k++) {
        group[k * width + j] = source[from + k * depthStride];
      }
    }
  }

  private static void transpose(
      float[] group, int width, int columns, float[] source, int at, int columnStride) {
    for (int j = 0; j < columns; j++) {
      int from = at + j * columnStride;
      group[j] = source[from];
      group[width + j] = source[from + 1];
      group[2 * width + j] = source[from + 2];
      group[3 * width + j] = source[from + 3];
      group[4 * width + j] = source[from + 4];
      group[5 * width + j] = source[from + 5];
      group[6 * width + j] = source[from + 6];
      group[7 * width + j] = source[from + 7];
    }
  }
}
