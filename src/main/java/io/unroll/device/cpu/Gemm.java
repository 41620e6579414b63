package io.unroll.device.cpu;

/**
 * {@code C = op(A) op(B) + beta C} over all threads. The sum of an element has one order, see
 * {@link RowMultiplier}, so the result does not depend on the number of threads.
 *
 * <p>The transpositions are strides: the operand whose columns become the vectors is packed, the
 * other one is read where it lies. Where C is tall, the product is computed as its transpose, so
 * that the vectors run along the longer side.
 */
final class Gemm implements WorkerPool.Task {
  /** Multiplications and additions below which waking another thread does not pay. */
  private static final long WORTH_A_THREAD = 100_000;

  /** Up to so many rows the dot product of unpacked columns is faster than packing. */
  private static final int FEW_ROWS = 6;

  /** Below so many rows a thread gets columns instead of rows, so that nothing is packed twice. */
  private static final int MANY_ROWS = 256;

  private final WorkerPool pool;
  private final Scratch[] scratches;

  // left operand [rows, depth], right operand [depth, columns], result [rows, columns]
  private int rows;
  private int columns;
  private int depth;
  private float[] left;
  private int leftAt;
  private int leftRow;
  private int leftDepth;
  private float[] right;
  private int rightAt;
  private int rightDepth;
  private int rightColumn;
  private float[] c;
  private int cAt;
  private int cRow;
  private int cColumn;
  private boolean add;

  private int parts;
  private boolean cutsRows;
  private boolean dots;

  Gemm(WorkerPool pool, Scratch[] scratches) {
    this.pool = pool;
    this.scratches = scratches;
  }

  /** Sets the left operand and whether it is stored as [depth, rows]. */
  Gemm left(float[] a, int at, int lda, boolean transposed) {
    left = a;
    leftAt = at;
    leftRow = transposed ? 1 : lda;
    leftDepth = transposed ? lda : 1;
    return this;
  }

  /** Sets the right operand and whether it is stored as [columns, depth]. */
  Gemm right(float[] b, int at, int ldb, boolean transposed) {
    right = b;
    rightAt = at;
    rightDepth = transposed ? 1 : ldb;
    rightColumn = transposed ? ldb : 1;
    return this;
  }

  /** Sets the result and whether the product is added to it. */
  Gemm result(float[] c, int at, int ldc, boolean add) {
    this.c = c;
    cAt = at;
    cRow = ldc;
    cColumn = 1;
    this.add = add;
    return this;
  }

  /** Computes it. */
  void run(int m, int n, int k) {
    rows = m;
    columns = n;
    depth = k;
    if (m == 0 || n == 0) {
      return;
    }
    if (k == 0) {
      clearResult();
      return;
    }
    if (cost(n, m, leftDepth, leftRow) < cost(m, n, rightDepth, rightColumn)) {
      transpose();
    }
    dots = prefersDots(rows, rightDepth);
    long work = (long) m * n * k;
    int useful = (int) Math.min(pool.threads(), 1 + work / WORTH_A_THREAD);
    cutsRows = !dots && (rows >= MANY_ROWS || columns < 2 * MicroKernels.NARROW);
    int side = cutsRows ? rows : (columns + MicroKernels.NARROW - 1) / MicroKernels.NARROW;
    parts = Math.min(useful, side);
    pool.run(parts, this);
  }

  private static boolean prefersDots(int rows, int rightDepth) {
    return rows <= FEW_ROWS && rightDepth == 1;
  }

  private void clearResult() {
    for (int r = 0; r < rows && !add; r++) {
      java.util.Arrays.fill(c, cAt + r * cRow, cAt + r * cRow + columns, 0);
    }
  }

  /**
   * About the time for the product with its vectors along the columns, in tenths of a nanosecond.
   */
  private double cost(int rows, int columns, int rightDepth, int rightColumn) {
    if (prefersDots(rows, rightDepth)) {
      return 2.0 * rows * columns * depth;
    }
    double perStep = 0;
    for (int at = 0; at < columns; ) {
      int width = PackedBlock.widthFor(columns - at);
      perStep += width == MicroKernels.WIDE ? 190 : width == MicroKernels.MIDDLE ? 60 : 24;
      at += width;
    }
    double multiply = perStep * rows * depth / 8;
    double pack = (rightColumn == 1 ? 2.0 : 10.0) * columns * depth;
    return multiply + pack;
  }

  private void transpose() {
    float[] array = left;
    left = right;
    right = array;
    int swap = leftAt;
    leftAt = rightAt;
    rightAt = swap;
    swap = leftRow;
    leftRow = rightColumn;
    rightColumn = swap;
    swap = leftDepth;
    leftDepth = rightDepth;
    rightDepth = swap;
    swap = rows;
    rows = columns;
    columns = swap;
    swap = cRow;
    cRow = cColumn;
    cColumn = swap;
  }

  @Override
  public void run(int part, int worker) {
    int rowFrom = 0;
    int rowTo = rows;
    int columnFrom = 0;
    int columnTo = columns;
    if (cutsRows) {
      rowFrom = Parts.from(rows, parts, part);
      rowTo = Parts.from(rows, parts, part + 1);
    } else {
      int narrows = (columns + MicroKernels.NARROW - 1) / MicroKernels.NARROW;
      columnFrom = Parts.from(narrows, parts, part) * MicroKernels.NARROW;
      columnTo = Math.min(columns, Parts.from(narrows, parts, part + 1) * MicroKernels.NARROW);
    }
    Scratch scratch = scratches[worker];
    RowMultiplier multiplier =
        scratch
            .multiplier
            .left(left, leftAt + rowFrom * leftRow, leftRow, leftDepth)
            .result(c, cAt + rowFrom * cRow, cRow, cColumn);
    if (dots) {
      multiplier.dots(rows, right, rightAt, rightColumn, columnFrom, columnTo, depth, add);
      return;
    }
    for (int column = columnFrom; column < columnTo; ) {
      PackedBlock block = scratch.block(PackedBlock.widthFor(columnTo - column));
      int count = Math.min(block.width, columnTo - column);
      for (int k = 0; k < depth; k += RowMultiplier.DEPTH_BLOCK) {
        block.size(count, Math.min(RowMultiplier.DEPTH_BLOCK, depth - k));
        int at = rightAt + k * rightDepth + column * rightColumn;
        block.pack(0, block.usedGroups(), right, at, rightDepth, rightColumn);
        multiplier.multiply(block, column, k, rowTo - rowFrom, add || k > 0);
      }
      column += count;
    }
  }
}
