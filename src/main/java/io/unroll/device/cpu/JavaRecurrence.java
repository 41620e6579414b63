package io.unroll.device.cpu;

import io.unroll.device.FusedRecurrence;
import io.unroll.device.RecurrentCall;
import java.util.ArrayList;
import java.util.List;

/**
 * All steps of a recurrence in one call. W_hh is packed once; then the batch is cut over the
 * threads, and each runs all steps on its rows, product and cell in turn, without waiting for the
 * others.
 */
final class JavaRecurrence implements FusedRecurrence, WorkerPool.Task {
  private enum Phase {
    PACK_FORWARD,
    PACK_BACKWARD,
    FORWARD,
    BACKWARD
  }

  private final WorkerPool pool;
  private final Scratch[] scratches;

  // One for each shape met so far, so that layers in turn do not displace one another.
  private final List<PackedMatrix> packedWeights = new ArrayList<>();

  private float[] zh = new float[0];
  private RecurrentCall call;
  private PackedMatrix packed;
  private Phase phase;
  private int parts;

  JavaRecurrence(WorkerPool pool, Scratch[] scratches) {
    this.pool = pool;
    this.scratches = scratches;
  }

  @Override
  public void forward(RecurrentCall call) {
    int products = call.cell.gateCount() * call.hiddenSize;
    int needed = Math.multiplyExact(call.batch, products);
    if (zh.length < needed) {
      zh = JavaBuffer.floats(needed, "recurrent products of one step");
    }
    run(call, packedWeight(call.hiddenSize, products), Phase.PACK_FORWARD, Phase.FORWARD);
  }

  @Override
  public void backward(RecurrentCall call) {
    int products = call.cell.gateCount() * call.hiddenSize;
    run(call, packedWeight(products, call.hiddenSize), Phase.PACK_BACKWARD, Phase.BACKWARD);
  }

  private PackedMatrix packedWeight(int depth, int columns) {
    for (int i = 0; i < packedWeights.size(); i++) {
      PackedMatrix found = packedWeights.get(i);
      if (found.depth == depth && found.columns == columns) {
        return found;
      }
    }
    PackedMatrix made = new PackedMatrix(depth, columns);
    packedWeights.add(made);
    return made;
  }

  private void run(RecurrentCall call, PackedMatrix packed, Phase pack, Phase compute) {
    this.call = call;
    this.packed = packed;
    phase = pack;
    parts = Math.min(pool.threads(), packed.groups());
    pool.run(parts, this);
    phase = compute;
    parts = Math.min(pool.threads(), call.batch);
    pool.run(parts, this);
    this.call = null;
  }

  @Override
  public void run(int part, int worker) {
    switch (phase) {
      case PACK_FORWARD -> pack(part, 1, call.hiddenSize);
      case PACK_BACKWARD -> pack(part, call.hiddenSize, 1);
      case FORWARD ->
          forwardRows(
              Parts.from(call.batch, parts, part),
              Parts.from(call.batch, parts, part + 1),
              scratches[worker]);
      case BACKWARD ->
          backwardRows(
              Parts.from(call.batch, parts, part),
              Parts.from(call.batch, parts, part + 1),
              scratches[worker]);
      default -> throw new AssertionError(phase);
    }
  }

  /** Forward needs the transpose of W_hh [G*H,H] as the right operand, backward W_hh itself. */
  private void pack(int part, int depthStride, int columnStride) {
    int from = Parts.from(packed.groups(), parts, part);
    int to = Parts.from(packed.groups(), parts, part + 1);
    float[] weight = JavaBuffer.reals(call.weightHh);
    packed.pack(from, to, weight, (int) call.weightHhAt, depthStride, columnStride);
  }

  private void forwardRows(int from, int to, Scratch scratch) {
    int hiddenSize = call.hiddenSize;
    int products = packed.columns;
    float[] states = JavaBuffer.reals(call.states);
    for (int k = 0; k < call.steps; k++) {
      int time = call.time(k);
      scratch
          .multiplier
          .left(states, (int) call.previousAt(time) + from * hiddenSize, hiddenSize, 1)
          .result(zh, from * products, products, 1)
          .multiply(packed, to - from, false);
      scratch.cells.forwardOperands(call, time, zh).forward(from * hiddenSize, to * hiddenSize);
    }
  }

  private void backwardRows(int from, int to, Scratch scratch) {
    int hiddenSize = call.hiddenSize;
    int products = packed.depth;
    float[] dzh = JavaBuffer.reals(call.dzh);
    float[] ds = JavaBuffer.reals(call.ds);
    for (int k = call.steps - 1; k >= 0; k--) {
      int time = call.time(k);
      scratch.cells.backwardOperands(call, time).backward(from * hiddenSize, to * hiddenSize);
      int dzhAt = (int) call.dzhAt + time * call.batch * products;
      for (int row = from; row < to; ) {
        int end = endOfProduct(time, row, to);
        scratch
            .multiplier
            .left(dzh, dzhAt + row * products, products, 1)
            .result(ds, (int) call.dsAt + row * hiddenSize, hiddenSize, 1)
            .multiply(packed, end - row, true);
        row = end + 1;
      }
    }
  }

  /** The first row from a given one on that is reset, and so gets no product; at most to. */
  private int endOfProduct(int time, int row, int to) {
    int[] resets = JavaBuffer.integers(call.resets);
    int end = resets == null ? to : row;
    while (end < to && resets[(int) call.resetsAt(time) + end] == 0) {
      end++;
    }
    return end;
  }
}
