package io.unroll.device.cpu;

/**
 * What one thread needs for itself, kept from call to call so that a steady step allocates nothing.
 */
final class Scratch {
  /** Columns that {@link #sums} holds. */
  static final int SUMS = 256;

  /** Accumulators of matrix products. */
  final RowMultiplier multiplier = new RowMultiplier();

  /** Operands of cells. */
  final CellLoops cells = new CellLoops();

  /** Operands of connectionist temporal classification. */
  final CtcLoops ctc = new CtcLoops();

  /** Accumulators of reductions. */
  final double[] sums = new double[SUMS];

  private PackedBlock wide;
  private PackedBlock middle;
  private PackedBlock narrow;

  /** A block of that width and of {@link RowMultiplier#DEPTH_BLOCK} depth steps. */
  PackedBlock block(int width) {
    if (width == MicroKernels.WIDE) {
      return wide = block(wide, width);
    }
    if (width == MicroKernels.MIDDLE) {
      return middle = block(middle, width);
    }
    return narrow = block(narrow, width);
  }

  private static PackedBlock block(PackedBlock found, int width) {
    return found != null ? found : new PackedBlock(width, RowMultiplier.DEPTH_BLOCK);
  }
}
