package io.unroll.device.cpu;

import static io.unroll.device.cpu.MicroKernels.DOTS;
import static io.unroll.device.cpu.MicroKernels.MIDDLE;
import static io.unroll.device.cpu.MicroKernels.NARROW;
import static io.unroll.device.cpu.MicroKernels.STEPS;
import static io.unroll.device.cpu.MicroKernels.WIDE;

import java.util.Arrays;

/**
 * Multiplies rows of a matrix with a packed one. One for each thread; holds its accumulators.
 *
 * <p>The order of every sum is the same on all paths and depends on the depth alone: {@link
 * #DEPTH_BLOCK} products at a time are added up from zero in order, and the blocks' sums are added
 * to the result in order. So a product is bitwise the same however it is cut.
 */
final class RowMultiplier {
  /** Products that are added up before they join the result. */
  static final int DEPTH_BLOCK = 128;

  /** Rows whose accumulators are kept at once: with one group they fit the first two caches. */
  private static final int ROWS = 32;

  private final float[][] wide = new float[ROWS][WIDE];
  private final float[][] middle = new float[ROWS][MIDDLE];
  private final float[][] narrow = new float[ROWS][NARROW];
  private final float[] dots = new float[DOTS];

  private float[] a;
  private int aAt;
  private int aRow;
  private int aDepth;
  private float[] c;
  private int cAt;
  private int cRow;
  private int cColumn;

  /**
   * Sets the left operand: where element (0,0) lies, the distances between rows and depth steps.
   */
  RowMultiplier left(float[] a, int at, int rowStride, int depthStride) {
    this.a = a;
    aAt = at;
    aRow = rowStride;
    aDepth = depthStride;
    return this;
  }

  /** Sets the result: where element (0,0) lies, the distances between rows and columns. */
  RowMultiplier result(float[] c, int at, int rowStride, int columnStride) {
    this.c = c;
    cAt = at;
    cRow = rowStride;
    cColumn = columnStride;
    return this;
  }

  /** {@code C = A P}, or {@code C += A P}. */
  void multiply(PackedMatrix packed, int rows, boolean add) {
    int column = 0;
    for (PackedBlock block : packed.blocks) {
      multiply(block, column, 0, rows, add);
      column += block.columns;
    }
  }

  /**
   * The same for some columns of C.
   *
   * @param column the column of C where the block begins
   * @param depthFrom the depth step of A where the block begins; a multiple of DEPTH_BLOCK
   */
  void multiply(PackedBlock block, int column, int depthFrom, int rows, boolean add) {
    float[][] sums = block.width == WIDE ? wide : block.width == MIDDLE ? middle : narrow;
    int firstC = cAt + column * cColumn;
    for (int row = 0; row < rows; row += ROWS) {
      int count = Math.min(ROWS, rows - row);
      for (int k = 0; k < block.depth; k += DEPTH_BLOCK) {
        int firstA = aAt + row * aRow + (depthFrom + k) * aDepth;
        accumulate(block, sums, k, count, firstA);
        for (int r = 0; r < count; r++) {
          store(sums[r], block.columns, firstC + (row + r) * cRow, add || k > 0);
        }
      }
    }
  }

  private void accumulate(PackedBlock block, float[][] sums, int from, int rows, int at) {
    for (int r = 0; r < rows; r++) {
      Arrays.fill(sums[r], 0);
    }
    int depth = Math.min(DEPTH_BLOCK, block.depth - from);
    int k = 0;
    for (; k + STEPS <= depth; k += STEPS) {
      float[] group = block.groups[(from + k) / STEPS];
      MicroKernels.rows(block.width, sums, rows, group, a, at + k * aDepth, aRow, aDepth);
    }
    if (k < depth) {
      accumulateRest(block, sums, from + k, rows, at + k * aDepth);
    }
  }

  /** The last steps of a depth that is no multiple of eight. */
  private void accumulateRest(PackedBlock block, float[][] sums, int from, int rows, int at) {
    float[] group = block.groups[from / STEPS];
    for (int r = 0; r < rows; r++) {
      for (int k = 0; k < block.depth - from; k++) {
        float factor = a[at + r * aRow + k * aDepth];
        addScaled(sums[r], factor, group, k * block.width, block.columns);
      }
    }
  }

  private static void addScaled(float[] sum, float factor, float[] group, int at, int count) {
    for (int j = 0; j < count; j++) {
      sum[j] = MicroKernels.multiplyAdd(factor, group[at + j], sum[j]);
    }
  }

  private void store(float[] sum, int columns, int at, boolean add) {
    if (cColumn != 1) {
      storeStrided(sum, columns, at, add);
    } else if (add) {
      addTo(c, at, sum, columns);
    } else {
      System.arraycopy(sum, 0, c, at, columns);
    }
  }

  private static void addTo(float[] c, int at, float[] sum, int columns) {
    for (int j = 0; j < columns; j++) {
      c[at + j] += sum[j];
    }
  }

  private void storeStrided(float[] sum, int columns, int at, boolean add) {
    for (int j = 0; j < columns; j++) {
      int i = at + j * cColumn;
      c[i] = add ? c[i] + sum[j] : sum[j];
    }
  }

  /**
   * The same product without packing, for few rows: columns from..to of B, whose depth steps lie
   * side by side.
   *
   * @param bAt where column 0 of B begins
   * @param ldb distance between the columns of B
   */
  void dots(int rows, float[] b, int bAt, int ldb, int from, int to, int depth, boolean add) {
    for (int k = 0; k < depth; k += DEPTH_BLOCK) {
      int blockDepth = Math.min(DEPTH_BLOCK, depth - k);
      for (int j = from; j < to; j += DOTS) {
        int count = Math.min(DOTS, to - j);
        for (int r = 0; r < rows; r++) {
          int at = aAt + r * aRow + k * aDepth;
          int first = bAt + j * ldb + k;
          if (count == DOTS) {
            MicroKernels.dot8(a, at, /* step= */ aDepth, b, first, ldb, blockDepth, dots);
          } else {
            for (int q = 0; q < count; q++) {
              dots[q] = MicroKernels.dot(a, at, /* step= */ aDepth, b, first + q * ldb, blockDepth);
            }
          }
          storeStrided(dots, count, cAt + r * cRow + j * cColumn, add || k > 0);
        }
      }
    }
  }
}
