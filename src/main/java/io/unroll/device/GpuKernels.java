package io.unroll.device;

import io.unroll.CellSpec;
import java.util.Locale;
import java.util.Map;

/** Where the text of each {@link Kernel} stands in {@code kernels/gpu}, and how it is launched. */
public final class GpuKernels {
  /** More groups than this go round instead: enough for any device, and within all its limits. */
  static final long MOST_GROUPS = 1 << 16;

  private static final int COLUMNS = 32;
  private static final int TILE = 32;

  private GpuKernels() {}

  /**
   * The entry of a kernel.
   *
   * @param cell the cell, for {@link Kernel#CELL_FORWARD} and {@link Kernel#CELL_BACKWARD}; else
   *     null
   */
  public static GpuEntry entry(Kernel kernel, CellSpec cell) {
    String name = kernel.name().toLowerCase(Locale.ROOT) + "_kernel";
    if (cell != null) {
      return GpuEntry.of(cell, "gpu/stepwise.h", name, Map.of());
    }
    return switch (kernel) {
      case COLUMN_SUM,
          SCATTER_ADD_ROWS,
          TRANSPOSE,
          CROSS_ENTROPY_FORWARD,
          CROSS_ENTROPY_MEAN,
          CROSS_ENTROPY_BACKWARD,
          SQUARED_ERROR_MEAN,
          SQUARED_ERROR_BACKWARD,
          SAMPLE,
          SQUARE_SUM,
          CLIP_FACTOR,
          SOFTMAX_FORWARD,
          SOFTMAX_BACKWARD ->
          GpuEntry.of("gpu/reductions.h", name);
      case CTC_EMISSIONS, CTC_PATHS, CTC_BACKWARD -> GpuEntry.of("gpu/ctc.h", name);
      default -> GpuEntry.of("gpu/elements.h", name);
    };
  }

  /** The entry that sets reals: {@code out, value}, one lane per item. */
  public static GpuEntry fill() {
    return GpuEntry.of("gpu/elements.h", "fill_kernel");
  }

  /**
   * How many groups a launch has.
   *
   * @param items as given to {@link Device#launch}, at least 1
   * @param args the launch's arguments
   * @param groupSize lanes of a group
   */
  public static long groups(Kernel kernel, long items, KernelArgs args, int groupSize) {
    long groups =
        switch (kernel) {
          case COLUMN_SUM -> pieces(items, COLUMNS);
          case SCATTER_ADD_ROWS -> args.i32At(5);
          case TRANSPOSE -> pieces(args.i32At(2), TILE) * pieces(args.i32At(3), TILE);
          case CROSS_ENTROPY_FORWARD,
              CROSS_ENTROPY_MEAN,
              SQUARED_ERROR_MEAN,
              CTC_EMISSIONS,
              CTC_PATHS,
              CTC_BACKWARD,
              SAMPLE,
              SQUARE_SUM,
              CLIP_FACTOR,
              SOFTMAX_FORWARD,
              SOFTMAX_BACKWARD ->
              items;
          default -> pieces(items, groupSize);
        };
    return Math.min(groups, MOST_GROUPS);
  }

  /** How many groups cover so many items with a lane for each. */
  public static long groups(long items, int groupSize) {
    return Math.min(pieces(items, groupSize), MOST_GROUPS);
  }

  static long pieces(long whole, long piece) {
    return (whole + piece - 1) / piece;
  }
}
