package io.unroll.engine;

import io.unroll.CellSpec;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.FusedRecurrence;
import io.unroll.device.RecurrentCall;
import io.unroll.device.Span;

/**
 * One direction of one recurrent layer over a sequence, and its backpropagation through time:
 * docs/equations.md, "One layer, one direction". One input product over all T*B rows, or over those
 * of a table whose rows are then gathered; the time loop; and for the gradients one product each.
 *
 * <p>An object holds what backward needs of the latest forward; it is used again every step and
 * then allocates nothing.
 */
public final class RecurrentPass {
  private final Kernels kernels;
  private final RecurrentCall call = new RecurrentCall();
  private final Schedule schedule;
  private FusedRecurrence fused;
  private int offeredSteps = -1;
  private int offeredBatch = -1;

  private Span x;
  private Span index;
  private Span products;
  private RecurrentWeights weights;
  private Span resets;
  private Span zx;
  private Span states;
  private Span kept;
  private Span outputsFromStart;
  private Span outputsFromOne;
  private Span dzh;
  private Span masked;
  private Span stateGradient;
  private Span biasGradient;
  private Span unitGradient;

  /**
   * @param schedule {@link Schedule#FUSED} takes what the device offers and is stepwise where it
   *     refuses; {@link Schedule#STEPWISE} never asks
   */
  public RecurrentPass(
      Kernels kernels, CellSpec cell, int hiddenSize, boolean reverse, Schedule schedule) {
    this.kernels = kernels;
    this.schedule = schedule;
    call.cell = cell;
    call.hiddenSize = hiddenSize;
    call.reverse = reverse;
  }

  /**
   * Takes the memory of a forward pass and leaves the first states to be written by the caller: see
   * {@link #firstStateAt}.
   *
   * @param lengths int[B], or null if every row has all steps
   * @param resets int[T,B], or null for none: {@link RecurrentCall#resets}
   * @param keep whether {@link #backward} or {@link #kept} will be called
   */
  public void begin(Arena arena, int steps, int batch, Span lengths, Span resets, boolean keep) {
    boolean sameSizes = steps == call.steps && batch == call.batch;
    call.steps = steps;
    call.batch = batch;
    call.lengths = lengths == null ? null : lengths.buffer();
    call.lengthsAt = lengths == null ? 0 : lengths.at();
    this.resets = resets;
    call.resets = resets == null ? null : resets.buffer();
    call.resetsAt = resets == null ? 0 : resets.at();
    CellSpec cell = call.cell;
    zx = arena.reals((long) steps * batch * cell.gateCount() * call.hiddenSize);
    call.zx = zx.buffer();
    call.zxAt = zx.at();
    takeStates(arena.reals(cell.stateCount() * call.stateStride()), sameSizes);
    call.states = states.buffer();
    call.statesAt = states.at();
    call.keep = null;
    kept = null;
    if (keep && cell.reserved() > 0) {
      kept = arena.reals((long) steps * batch * cell.reserved() * call.hiddenSize);
      call.keep = kept.buffer();
      call.keepAt = kept.at();
    }
  }

  /** A step that repeats the one before gets the same span and has nothing to cut. */
  private void takeStates(Span taken, boolean sameSizes) {
    if (!taken.equals(states) || !sameSizes) {
      states = taken;
      outputsFromStart = states.slice(0, call.steps * stateSize());
      outputsFromOne = states.slice(stateSize(), call.steps * stateSize());
    }
  }

  /** The number of elements of one state, B*H. */
  public long stateSize() {
    return (long) call.batch * call.hiddenSize;
  }

  /** All states [S,T+1,B,H]; valid after {@link #forward}. */
  public Span states() {
    return states;
  }

  /**
   * What forward kept, [T,B,K,H], the gates first; undefined past a row's length. Null if {@link
   * #begin} was told to keep nothing, or the cell has nothing to keep.
   */
  public Span kept() {
    return kept;
  }

  /** Where in {@link #states} state s before the first step belongs, [B,H]. */
  public long firstStateAt(int s) {
    return stateAt(s, call.reverse ? call.steps : 0);
  }

  /** Where in {@link #states} state s after the last step of every row lies, [B,H]. */
  public long lastStateAt(int s) {
    return stateAt(s, call.reverse ? 0 : call.steps);
  }

  private long stateAt(int s, int index) {
    return s * call.stateStride() + index * stateSize();
  }

  /** The output h of all steps [T,B,H]; past a row's length it holds the carried state. */
  public Span outputStates() {
    return call.reverse ? outputsFromStart : outputsFromOne;
  }

  /** State s after each step, [T,B,H]; past a row's length it holds the carried state. */
  public Span statesAfterSteps(int s) {
    long first = s * call.stateStride() + (call.reverse ? 0 : stateSize());
    return states.slice(first, call.steps * stateSize());
  }

  /**
   * Runs all steps.
   *
   * @param x [T,B,I]; with an index a table [V,I], or null for the identity, so that the input is
   *     one-hot and V is I
   * @param index int[T*B], the row of x that is the input, zeros where negative; or null if x is
   *     the input itself
   * @param y where to write the output, its first row at the span's start, or null if {@link
   *     #outputStates} serves
   * @param ldY distance between the rows of y, in elements
   */
  public void forward(Arena arena, Span x, Span index, RecurrentWeights weights, Span y, int ldY) {
    this.x = x;
    this.index = index;
    this.weights = weights;
    call.weightHh = weights.hiddenHidden().buffer();
    call.weightHhAt = weights.hiddenHidden().at();
    call.biasIh = weights.inputBias().buffer();
    call.biasIhAt = weights.inputBias().at();
    call.biasHh = weights.hiddenBias().buffer();
    call.biasHhAt = weights.hiddenBias().at();
    call.unit = weights.unit() == null ? null : weights.unit().buffer();
    call.unitAt = weights.unit() == null ? 0 : weights.unit().at();
    call.y = y == null ? null : y.buffer();
    call.yAt = y == null ? 0 : y.at();
    call.ldY = ldY;
    inputProduct(arena);
    if (runsFused()) {
      fused.forward(call);
      return;
    }
    Span zh = arena.reals((long) call.batch * gates());
    for (int k = 0; k < call.steps; k++) {
      int t = call.time(k);
      recurrentProduct(call.previousAt(t), zh);
      kernels.cellForward(call, zh, t);
    }
  }

  /** products = x W_ih^T, and if x is a table zx are rows of them: "Input chosen by an index". */
  private void inputProduct(Arena arena) {
    int gates = gates();
    products = index == null ? zx : arena.reals((long) inputRows() * gates);
    if (x == null) {
      kernels.transpose(weights.inputHidden(), products, gates, inputSize(), 0);
    } else {
      kernels.gemm(
          false, true, inputRows(), gates, inputSize(), x, weights.inputHidden(), 0, products);
    }
    if (index != null) {
      kernels.gatherRows(products, index, zx, gates);
    }
  }

  private void recurrentProduct(long hAt, Span zh) {
    int hidden = call.hiddenSize;
    kernels
        .device()
        .gemm(
            false,
            true,
            call.batch,
            gates(),
            hidden,
            call.states,
            hAt,
            hidden,
            call.weightHh,
            call.weightHhAt,
            hidden,
            0,
            zh.buffer(),
            zh.at(),
            gates());
  }

  /**
   * Takes the memory of the backward pass. The caller then writes the gradient of the last states
   * to {@link #stateGradient}, calls {@link #backward}, and finds there that of the first states.
   */
  public void beginBackward(Arena arena) {
    stateGradient = arena.reals((long) call.cell.stateCount() * call.batch * call.hiddenSize);
    call.ds = stateGradient.buffer();
    call.dsAt = stateGradient.at();
    call.dzx = call.zx;
    call.dzxAt = call.zxAt;
    dzh = call.cell.inputAndRecurrentAdd() ? zx : arena.reals(zx.length());
    call.dzh = dzh.buffer();
    call.dzhAt = dzh.at();
    biasGradient = arena.reals(gates());
    if (resets != null) { // first for dzh of a step, then for the outputs before all steps
      masked = arena.reals(Math.max(call.steps, call.cell.gateCount()) * stateSize());
    }
    if (call.cell.unitWeightCount() > 0) {
      unitGradient = arena.reals(call.cell.unitWeightCount() * stateSize());
      call.dUnit = unitGradient.buffer();
      call.dUnitAt = unitGradient.at();
    }
  }

  /**
   * The gradient of the states [S,B,H]: of the last ones before backward, of the first ones after.
   */
  public Span stateGradient() {
    return stateGradient;
  }

  /**
   * Backpropagates through all steps. The gates' gradients take the place of the products that
   * forward left behind.
   *
   * @param dy gradient of y, its first row at the span's start, or null for zero
   * @param ldDy distance between the rows of dy, in elements
   * @param gradients of the weights, added to; null if nobody wants them
   * @param dx receives the gradient of x, be it the input or a table, or null if nobody wants it
   * @param dxBeta 0 to overwrite dx, 1 to add to it
   */
  public void backward(Span dy, int ldDy, RecurrentWeights gradients, Span dx, double dxBeta) {
    call.dy = dy == null ? null : dy.buffer();
    call.dyAt = dy == null ? 0 : dy.at();
    call.ldDy = ldDy;
    if (unitGradient != null) {
      kernels.fill(unitGradient, 0);
    }
    if (runsFused()) {
      fused.backward(call);
    } else {
      for (int k = call.steps - 1; k >= 0; k--) {
        int t = call.time(k);
        kernels.cellBackward(call, t);
        recurrentGradient(t);
      }
    }
    Span dzx = zx;
    Span dProducts = products;
    if (index != null) {
      kernels.fill(dProducts, 0);
      kernels.scatterAddRows(dzx, index, dProducts, gates());
    }
    if (gradients != null) {
      addInputWeightGradient(dProducts, gradients.inputHidden());
      addOtherGradients(dzx, gradients);
    }
    if (dx != null) {
      Span weight = weights.inputHidden();
      kernels.gemm(false, false, inputRows(), inputSize(), gates(), dProducts, weight, dxBeta, dx);
    }
  }

  private void addInputWeightGradient(Span dProducts, Span dWeight) {
    if (x == null) {
      kernels.transpose(dProducts, dWeight, inputSize(), gates(), 1);
    } else {
      kernels.gemm(true, false, gates(), inputSize(), inputRows(), dProducts, x, 1, dWeight);
    }
  }

  private void addOtherGradients(Span dzx, RecurrentWeights gradients) {
    Span previous = call.reverse ? outputsFromOne : outputsFromStart;
    if (resets != null) {
      kernels.maskRows(previous, resets, masked, call.hiddenSize);
      previous = masked;
    }
    kernels.gemm(
        true, false, gates(), call.hiddenSize, rows(), dzh, previous, 1, gradients.hiddenHidden());
    if (call.cell.inputAndRecurrentAdd()) {
      kernels.columnSum(dzx, biasGradient, 0); // once for both, for it reads all of dzx
      kernels.axpby(biasGradient, gradients.inputBias(), 1, 1);
      kernels.axpby(biasGradient, gradients.hiddenBias(), 1, 1);
    } else {
      kernels.columnSum(dzx, gradients.inputBias(), 1);
      kernels.columnSum(dzh, gradients.hiddenBias(), 1);
    }
    if (unitGradient != null) {
      kernels.columnSum(unitGradient, gradients.unit(), 1);
    }
  }

  /** ds[h] += dzh_t W_hh, in rows that step t does not reset. */
  private void recurrentGradient(int t) {
    int hidden = call.hiddenSize;
    if (resets != null) {
      kernels.maskRecurrentGradient(call, masked, t);
    }
    DeviceBuffer gradient = resets == null ? call.dzh : masked.buffer();
    long at = resets == null ? call.dzhAt + (long) t * call.batch * gates() : masked.at();
    kernels
        .device()
        .gemm(
            false,
            false,
            call.batch,
            hidden,
            gates(),
            gradient,
            at,
            gates(),
            call.weightHh,
            call.weightHhAt,
            hidden,
            1,
            call.ds,
            call.dsAt,
            hidden);
  }

  private boolean runsFused() {
    if (schedule == Schedule.STEPWISE) {
      return false;
    }
    if (offeredSteps != call.steps || offeredBatch != call.batch) {
      offeredSteps = call.steps;
      offeredBatch = call.batch;
      fused =
          kernels
              .device()
              .fusedRecurrence(call.cell, call.steps, call.batch, call.hiddenSize)
              .recurrence();
    }
    return fused != null;
  }

  private int rows() {
    return Math.multiplyExact(call.steps, call.batch);
  }

  private int gates() {
    return call.cell.gateCount() * call.hiddenSize;
  }

  private int inputSize() {
    return Math.toIntExact(weights.inputHidden().length() / gates());
  }

  /** The number of rows of x: T*B, or V of a table. */
  private int inputRows() {
    return x == null ? inputSize() : Math.toIntExact(x.length() / inputSize());
  }
}
