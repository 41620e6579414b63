package io.unroll.device.cpu;

import static io.unroll.device.cpu.MicroKernels.STEPS;

import java.util.ArrayList;
import java.util.List;

/** A whole matrix of {@link PackedBlock}s, packed once and multiplied with many times. */
final class PackedMatrix {
  final int depth;
  final int columns;
  final PackedBlock[] blocks;

  /** Allocates it; {@link #pack} gives it a content. */
  PackedMatrix(int depth, int columns) {
    this.depth = depth;
    this.columns = columns;
    List<PackedBlock> list = new ArrayList<>();
    for (int at = 0; at < columns; ) {
      PackedBlock block = new PackedBlock(PackedBlock.widthFor(columns - at), depth);
      block.size(Math.min(block.width, columns - at), depth);
      list.add(block);
      at += block.columns;
    }
    blocks = list.toArray(PackedBlock[]::new);
  }

  /** Eight-step groups in each block: what {@link #pack} counts in. */
  int groups() {
    return (depth + STEPS - 1) / STEPS;
  }

  /** Copies a range of groups of all blocks; parameters as in {@link PackedBlock#pack}. */
  void pack(int from, int to, float[] source, int at, int depthStride, int columnStride) {
    int blockAt = at;
    for (PackedBlock block : blocks) {
      block.pack(from, to, source, blockAt, depthStride, columnStride);
      blockAt += block.columns * columnStride;
    }
  }
}
