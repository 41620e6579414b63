package io.unroll.device.cpu;

import io.unroll.CellSpec;
import io.unroll.device.KernelArgs;
import io.unroll.device.RecurrentCall;
import io.unroll.reference.Cells;
import java.util.Arrays;

/**
 * One step of a cell over items (row, unit), forward and backward: the layouts of {@link
 * io.unroll.device.Kernel#CELL_FORWARD}, the arithmetic of {@link Cells}. One for each thread;
 * holds where the operands lie and the values of one unit.
 */
final class CellLoops {
  private static final int MAX_GATES =
      CellSpec.all().stream().mapToInt(CellSpec::gateCount).max().getAsInt();
  private static final int MAX_STATES =
      CellSpec.all().stream().mapToInt(CellSpec::stateCount).max().getAsInt();
  private static final int MAX_RESERVED =
      CellSpec.all().stream().mapToInt(CellSpec::reserved).max().getAsInt();
  private static final int MAX_UNIT_WEIGHTS =
      CellSpec.all().stream().mapToInt(CellSpec::unitWeightCount).max().getAsInt();

  // Values of one unit: products, states, own weights, reserve, and the gradients behind d.
  private final double[] zx = new double[MAX_GATES];
  private final double[] zh = new double[MAX_GATES];
  private final double[] sPrev = new double[MAX_STATES];
  private final double[] s = new double[MAX_STATES];
  private final double[] own = new double[MAX_UNIT_WEIGHTS];
  private final double[] keep = new double[MAX_RESERVED];
  private final double[] dzx = new double[MAX_GATES];
  private final double[] dzh = new double[MAX_GATES];
  private final double[] ds = new double[MAX_STATES];
  private final double[] dsPrev = new double[MAX_STATES];
  private final double[] dOwn = new double[MAX_UNIT_WEIGHTS];

  private Cells.CellMath math;
  private int gates;
  private int states;
  private int reserved;
  private int unitWeightCount;
  private int batch;
  private int hiddenSize;
  private int time;

  // In forward inputProduct and recurrentProduct are zx and zh, in backward their gradients; output
  // is y, in backward dy.
  private float[] inputProduct;
  private int inputProductAt;
  private float[] recurrentProduct;
  private int recurrentProductAt;
  private float[] biasIh;
  private int biasIhAt;
  private float[] biasHh;
  private int biasHhAt;
  private float[] unitWeights;
  private int unitWeightsAt;
  private int[] lengths;
  private int lengthsAt;
  private int[] resets;
  private int resetsAt;
  private float[] previous;
  private int previousAt;
  private float[] next;
  private int nextAt;
  private int stateStride;
  private float[] reserve;
  private int reserveAt;
  private float[] output;
  private int outputAt;
  private int ldOutput;
  private float[] stateGradient;
  private int stateGradientAt;
  private float[] unitGradient;
  private int unitGradientAt;

  private CellLoops cell(CellSpec cell) {
    math = Cells.of(cell);
    gates = cell.gateCount();
    states = cell.stateCount();
    reserved = cell.reserved();
    unitWeightCount = cell.unitWeightCount();
    return this;
  }

  /** Takes the operands of a CELL_FORWARD launch. */
  CellLoops forwardOperands(CellSpec cell, KernelArgs args) {
    cell(cell);
    inputProduct = Args.reals(args, 0);
    inputProductAt = Args.at(args, 0);
    recurrentProduct = Args.reals(args, 1);
    recurrentProductAt = Args.at(args, 1);
    biasIh = Args.reals(args, 2);
    biasIhAt = Args.at(args, 2);
    biasHh = Args.reals(args, 3);
    biasHhAt = Args.at(args, 3);
    unitWeights = Args.reals(args, 4);
    unitWeightsAt = Args.at(args, 4);
    lengths = Args.integers(args, 5);
    lengthsAt = Args.at(args, 5);
    resets = Args.integers(args, 6);
    resetsAt = Args.at(args, 6);
    previous = Args.reals(args, 7);
    previousAt = Args.at(args, 7);
    next = Args.reals(args, 8);
    nextAt = Args.at(args, 8);
    reserve = Args.reals(args, 9);
    reserveAt = Args.at(args, 9);
    output = Args.reals(args, 10);
    outputAt = Args.at(args, 10);
    sizes(args, 11);
    return this;
  }

  /** Takes the operands of a CELL_BACKWARD launch. */
  CellLoops backwardOperands(CellSpec cell, KernelArgs args) {
    cell(cell);
    reserve = Args.reals(args, 0);
    reserveAt = Args.at(args, 0);
    unitWeights = Args.reals(args, 1);
    unitWeightsAt = Args.at(args, 1);
    lengths = Args.integers(args, 2);
    lengthsAt = Args.at(args, 2);
    resets = Args.integers(args, 3);
    resetsAt = Args.at(args, 3);
    previous = Args.reals(args, 4);
    previousAt = Args.at(args, 4);
    next = Args.reals(args, 5);
    nextAt = Args.at(args, 5);
    stateGradient = Args.reals(args, 6);
    stateGradientAt = Args.at(args, 6);
    unitGradient = Args.reals(args, 7);
    unitGradientAt = Args.at(args, 7);
    output = Args.reals(args, 8);
    outputAt = Args.at(args, 8);
    inputProduct = Args.reals(args, 9);
    inputProductAt = Args.at(args, 9);
    recurrentProduct = Args.reals(args, 10);
    recurrentProductAt = Args.at(args, 10);
    sizes(args, 11);
    return this;
  }

  private void sizes(KernelArgs args, int first) {
    batch = Args.integer(args, first);
    hiddenSize = Args.integer(args, first + 1);
    stateStride = Args.integer(args, first + 2);
    ldOutput = Args.integer(args, first + 3);
    time = Args.integer(args, first + 4);
  }

  /** Takes the operands of a step of a whole forward sequence; its products zh lie in scratch. */
  CellLoops forwardOperands(RecurrentCall call, int time, float[] zh) {
    sequence(call, time);
    inputProduct = JavaBuffer.reals(call.zx);
    inputProductAt = stepAt(call.zxAt, gates);
    recurrentProduct = zh;
    recurrentProductAt = 0;
    biasIh = JavaBuffer.reals(call.biasIh);
    biasIhAt = (int) call.biasIhAt;
    biasHh = JavaBuffer.reals(call.biasHh);
    biasHhAt = (int) call.biasHhAt;
    output = JavaBuffer.reals(call.y);
    outputAt = (int) call.yAt + time * batch * call.ldY;
    ldOutput = call.ldY;
    return this;
  }

  /** Takes the operands of a step of a whole backward sequence. */
  CellLoops backwardOperands(RecurrentCall call, int time) {
    sequence(call, time);
    inputProduct = JavaBuffer.reals(call.dzx);
    inputProductAt = stepAt(call.dzxAt, gates);
    recurrentProduct = JavaBuffer.reals(call.dzh);
    recurrentProductAt = stepAt(call.dzhAt, gates);
    stateGradient = JavaBuffer.reals(call.ds);
    stateGradientAt = (int) call.dsAt;
    unitGradient = JavaBuffer.reals(call.dUnit);
    unitGradientAt = (int) call.dUnitAt;
    output = JavaBuffer.reals(call.dy);
    outputAt = (int) call.dyAt + time * batch * call.ldDy;
    ldOutput = call.ldDy;
    return this;
  }

  private void sequence(RecurrentCall call, int time) {
    cell(call.cell);
    this.time = time;
    batch = call.batch;
    hiddenSize = call.hiddenSize;
    unitWeights = JavaBuffer.reals(call.unit);
    unitWeightsAt = (int) call.unitAt;
    lengths = JavaBuffer.integers(call.lengths);
    lengthsAt = (int) call.lengthsAt;
    resets = JavaBuffer.integers(call.resets);
    resetsAt = (int) call.resetsAt(time);
    previous = JavaBuffer.reals(call.states);
    previousAt = (int) call.previousAt(time);
    next = previous;
    nextAt = (int) call.nextAt(time);
    stateStride = (int) call.stateStride();
    reserve = JavaBuffer.reals(call.keep);
    reserveAt = stepAt(call.keepAt, reserved);
  }

  private int stepAt(long at, int valuesPerUnit) {
    return (int) at + time * batch * valuesPerUnit * hiddenSize;
  }

  /** Runs items from..to of the forward step. */
  void forward(int from, int to) {
    for (int item = from; item < to; ) {
      int row = item / hiddenSize;
      int first = item - row * hiddenSize;
      int end = Math.min(hiddenSize, first + to - item);
      if (isPast(row)) {
        carry(row, first, end);
      } else {
        forwardRow(row, first, end);
      }
      item += end - first;
    }
  }

  /** Runs items from..to of the backward step. */
  void backward(int from, int to) {
    for (int item = from; item < to; ) {
      int row = item / hiddenSize;
      int first = item - row * hiddenSize;
      int end = Math.min(hiddenSize, first + to - item);
      if (isPast(row)) {
        clearGradients(row, first, end);
      } else {
        backwardRow(row, first, end);
      }
      item += end - first;
    }
  }

  private boolean isPast(int row) {
    return lengths != null && time >= lengths[lengthsAt + row];
  }

  private boolean isReset(int row) {
    return resets != null && resets[resetsAt + row] != 0;
  }

  private void carry(int row, int first, int end) {
    for (int k = 0; k < states; k++) {
      int at = k * stateStride + row * hiddenSize + first;
      System.arraycopy(previous, previousAt + at, next, nextAt + at, end - first);
    }
    if (output != null) {
      int at = outputAt + row * ldOutput;
      Arrays.fill(output, at + first, at + end, 0);
    }
  }

  private void forwardRow(int row, int first, int end) {
    int product = row * gates * hiddenSize;
    int state = row * hiddenSize;
    boolean reset = isReset(row);
    for (int j = first; j < end; j++) {
      for (int g = 0; g < gates; g++) {
        int unit = g * hiddenSize + j;
        int at = product + unit;
        zx[g] = (double) inputProduct[inputProductAt + at] + biasIh[biasIhAt + unit];
        double recurrent = reset ? 0 : recurrentProduct[recurrentProductAt + at];
        zh[g] = recurrent + biasHh[biasHhAt + unit];
      }
      for (int k = 0; k < states; k++) {
        sPrev[k] = reset ? 0 : previous[previousAt + k * stateStride + state + j];
      }
      loadOwn(j);
      math.forward(zx, zh, sPrev, own, s, keep);
      for (int k = 0; k < states; k++) {
        next[nextAt + k * stateStride + state + j] = (float) s[k];
      }
      if (reserve != null) {
        storeReserve(row, j);
      }
      if (output != null) {
        output[outputAt + row * ldOutput + j] = (float) s[0];
      }
    }
  }

  private void loadOwn(int j) {
    for (int p = 0; p < unitWeightCount; p++) {
      own[p] = unitWeights[unitWeightsAt + p * hiddenSize + j];
    }
  }

  private void storeReserve(int row, int j) {
    int at = reserveAt + row * reserved * hiddenSize + j;
    for (int k = 0; k < reserved; k++) {
      reserve[at + k * hiddenSize] = (float) keep[k];
    }
  }

  private void clearGradients(int row, int first, int end) {
    for (int g = 0; g < gates; g++) {
      int at = (row * gates + g) * hiddenSize;
      Arrays.fill(inputProduct, inputProductAt + at + first, inputProductAt + at + end, 0);
      Arrays.fill(
          recurrentProduct, recurrentProductAt + at + first, recurrentProductAt + at + end, 0);
    }
  }

  private void backwardRow(int row, int first, int end) {
    int state = row * hiddenSize;
    boolean reset = isReset(row);
    for (int j = first; j < end; j++) {
      for (int k = 0; k < reserved; k++) {
        keep[k] = reserve[reserveAt + (row * reserved + k) * hiddenSize + j];
      }
      for (int k = 0; k < states; k++) {
        int at = k * stateStride + state + j;
        sPrev[k] = reset ? 0 : previous[previousAt + at];
        s[k] = next[nextAt + at];
        ds[k] = stateGradient[stateGradientAt + k * batch * hiddenSize + state + j];
      }
      if (output != null) {
        ds[0] += output[outputAt + row * ldOutput + j];
      }
      loadOwn(j);
      math.backward(keep, sPrev, s, own, ds, dzx, dzh, dsPrev, dOwn);
      for (int g = 0; g < gates; g++) {
        int at = (row * gates + g) * hiddenSize + j;
        inputProduct[inputProductAt + at] = (float) dzx[g];
        recurrentProduct[recurrentProductAt + at] = (float) dzh[g];
      }
      for (int k = 0; k < states; k++) {
        float gradient = reset ? 0 : (float) dsPrev[k];
        stateGradient[stateGradientAt + k * batch * hiddenSize + state + j] = gradient;
      }
      for (int p = 0; p < unitWeightCount; p++) {
        unitGradient[unitGradientAt + (row * unitWeightCount + p) * hiddenSize + j] +=
            (float) dOwn[p];
      }
    }
  }
}
