package io.unroll.device;

import io.unroll.CellSpec;
import io.unroll.reference.Cells;

/** What a {@link Sequence} should become, by the contract of RecurrentCall, in float64. */
final class DoubleSequence {
  private final RecurrentCall call;
  private final CellSpec cell;
  private final int[] lengths;
  private final int[] resets;
  private final int batch;
  private final int hidden;
  private final int gates;
  private final double[] zx;
  private final double[] weight;
  private final double[] biasIh;
  private final double[] biasHh;
  private final double[] unit;
  private final double[] states;
  private final double[] keep;
  private final double[] y;
  private final double[] ds;
  private final double[] dy;
  private final double[] dzx;
  private final double[] dzh;
  private final double[] dUnit;

  DoubleSequence(Sequence s) {
    call = s.call;
    cell = s.call.cell;
    lengths = s.lengths;
    resets = s.resets;
    batch = s.call.batch;
    hidden = s.call.hiddenSize;
    gates = cell.gateCount();
    zx = wide(s.zx);
    weight = wide(s.weight);
    biasIh = wide(s.biasIh);
    biasHh = wide(s.biasHh);
    unit = wide(s.unit);
    states = wide(s.states);
    keep = wide(s.keep);
    y = wide(s.y);
    ds = wide(s.ds);
    dy = wide(s.dy);
    dzx = wide(s.dzx);
    dzh = s.dzh == s.dzx ? dzx : wide(s.dzh);
    dUnit = wide(s.dUnit);
  }

  private static double[] wide(Guarded guarded) {
    float[] values = guarded.values();
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i];
    }
    return result;
  }

  double[][] results() {
    return new double[][] {states, keep, y, ds, dzx, dzh, dUnit};
  }

  void run() {
    for (int k = 0; k < call.steps; k++) {
      for (int b = 0; b < batch; b++) {
        for (int j = 0; j < hidden; j++) {
          forward(call.time(k), b, j);
        }
      }
    }
    for (int k = call.steps - 1; k >= 0; k--) {
      int t = call.time(k);
      for (int b = 0; b < batch; b++) {
        for (int j = 0; j < hidden; j++) {
          backward(t, b, j);
        }
      }
      for (int b = 0; b < batch; b++) {
        for (int i = 0; i < gates * hidden && !isReset(t, b); i++) {
          for (int j = 0; j < hidden; j++) {
            ds[b * hidden + j] +=
                dzh[(t * batch + b) * gates * hidden + i] * weight[i * hidden + j];
          }
        }
      }
    }
  }

  private boolean isPast(int t, int b) {
    return lengths != null && t >= lengths[b];
  }

  private boolean isReset(int t, int b) {
    return resets != null && resets[(int) call.resetsAt(t) + b] != 0;
  }

  private int previous(int t) {
    return (call.reverse ? t + 1 : t) * batch * hidden;
  }

  private int next(int t) {
    return (call.reverse ? t : t + 1) * batch * hidden;
  }

  private int stride() {
    return (call.steps + 1) * batch * hidden;
  }

  private static double[] pick(double[] from, int at, int stride, int count) {
    double[] picked = new double[count];
    for (int i = 0; i < count; i++) {
      picked[i] = from[at + i * stride];
    }
    return picked;
  }

  private static void put(double[] values, double[] to, int at, int stride) {
    for (int i = 0; i < values.length; i++) {
      to[at + i * stride] = values[i];
    }
  }

  private void forward(int t, int b, int j) {
    double[] s = pick(states, previous(t) + b * hidden + j, stride(), cell.stateCount());
    int outAt = (t * batch + b) * call.ldY + j;
    if (isPast(t, b)) {
      put(s, states, next(t) + b * hidden + j, stride());
      y[outAt] = 0;
      return;
    }
    boolean reset = isReset(t, b);
    double[] x = new double[gates];
    double[] h = new double[gates];
    for (int g = 0; g < gates; g++) {
      int unit = g * hidden + j;
      x[g] = zx[(t * batch + b) * gates * hidden + unit] + biasIh[unit];
      h[g] = biasHh[unit];
      for (int q = 0; q < hidden && !reset; q++) {
        h[g] += weight[unit * hidden + q] * states[previous(t) + b * hidden + q];
      }
    }
    s = reset ? new double[s.length] : s;
    double[] after = new double[s.length];
    double[] kept = new double[cell.reserved()];
    Cells.of(cell).forward(x, h, s, pick(unit, j, hidden, cell.unitWeightCount()), after, kept);
    put(after, states, next(t) + b * hidden + j, stride());
    put(kept, keep, (t * batch + b) * kept.length * hidden + j, hidden);
    y[outAt] = after[0];
  }

  private void backward(int t, int b, int j) {
    int products = (t * batch + b) * gates * hidden + j;
    if (isPast(t, b)) {
      put(new double[gates], dzx, products, hidden);
      put(new double[gates], dzh, products, hidden);
      return;
    }
    int count = cell.stateCount();
    double[] gradient = pick(ds, b * hidden + j, batch * hidden, count);
    gradient[0] += dy[(t * batch + b) * call.ldDy + j];
    double[] x = new double[gates];
    double[] h = new double[gates];
    double[] before = new double[count];
    int reserved = cell.reserved();
    int owned = cell.unitWeightCount();
    double[] dOwn = new double[owned];
    Cells.of(cell)
        .backward(
            pick(keep, (t * batch + b) * reserved * hidden + j, hidden, reserved),
            isReset(t, b)
                ? new double[count]
                : pick(states, previous(t) + b * hidden + j, stride(), count),
            pick(states, next(t) + b * hidden + j, stride(), count),
            pick(unit, j, hidden, owned),
            gradient,
            x,
            h,
            before,
            dOwn);
    put(x, dzx, products, hidden);
    put(h, dzh, products, hidden);
    put(isReset(t, b) ? new double[count] : before, ds, b * hidden + j, batch * hidden);
    for (int p = 0; p < owned; p++) {
      dUnit[(b * owned + p) * hidden + j] += dOwn[p];
    }
  }
}
