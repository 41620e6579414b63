package io.unroll.reference;

import static io.unroll.reference.Sequence.requireLength;

import io.unroll.CellSpec;
import java.util.Arrays;

/**
 * One layer in one direction over a whole sequence: forward, and back-propagation through time
 * (Werbos, "Backpropagation through time: what it does and how to do it", 1990), as in
 * docs/equations.md.
 *
 * <p>With {@code T, B, I, H} steps, batch, input and hidden size and {@code G, S, K, P} gates,
 * states, reserved values and unit weights of the cell, all arrays are row-major and in time order.
 * A reverse layer visits a row's steps from the last valid one down to 0; its output stays at the
 * step that it belongs to. A step past a row's length carries the states over, writes zeros to y
 * and has no gradient. In a step that resets a row the states before it count as zero and get no
 * gradient.
 */
public final class ReferenceRecurrence {
  /**
   * The parameters of the layer, or their gradients. Gate by gate in the order of {@link
   * CellSpec#gates}.
   *
   * @param wIh [G*H,I]
   * @param wHh [G*H,H]
   * @param bIh [G*H]
   * @param bHh [G*H]
   * @param unit weights of each unit's own [P*H], in the order of {@link CellSpec#unitWeights}
   */
  public record Weights(double[] wIh, double[] wHh, double[] bIh, double[] bHh, double[] unit) {
    /** Those of a cell whose units have no weights of their own. */
    public Weights(double[] wIh, double[] wHh, double[] bIh, double[] bHh) {
      this(wIh, wHh, bIh, bHh, new double[0]);
    }

    /** All zero. */
    public static Weights zeros(CellSpec cell, int inputSize, int hiddenSize) {
      int rows = cell.gateCount() * hiddenSize;
      return new Weights(
          new double[rows * inputSize],
          new double[rows * hiddenSize],
          new double[rows],
          new double[rows],
          new double[cell.unitWeightCount() * hiddenSize]);
    }
  }

  /**
   * What forward computed and backward needs.
   *
   * @param input the sequence it ran over
   * @param weights the weights it used
   * @param y the output h [T,B,H]
   * @param finalStates the states after each row's last visited step [S][B*H]
   * @param states all states [S][(T+1)*B*H]: the ones before step t at t, after it at t+1; reverse:
   *     before it at t+1, after it at t
   * @param keep [T,B,H,K]
   */
  public record Forward(
      Sequence input,
      Weights weights,
      double[] y,
      double[][] finalStates,
      double[][] states,
      double[] keep) {}

  /**
   * What backward computed.
   *
   * @param dx [T,B,I]
   * @param dInitialStates [S][B*H]
   * @param dWeights in the shapes of the weights
   */
  public record Gradients(double[] dx, double[][] dInitialStates, Weights dWeights) {}

  private final CellSpec cell;
  private final Cells.CellMath math;
  private final int inputSize;
  private final int hiddenSize;
  private final boolean reverse;
  private final Arithmetic arithmetic;

  /**
   * Describes the layer; the weights come with each call.
   *
   * @throws IllegalArgumentException if a size is below 1
   */
  public ReferenceRecurrence(
      CellSpec cell, int inputSize, int hiddenSize, boolean reverse, Arithmetic arithmetic) {
    if (inputSize < 1 || hiddenSize < 1) {
      throw new IllegalArgumentException(
          "I and H must be at least 1, but are " + inputSize + ", " + hiddenSize);
    }
    this.cell = cell;
    this.math = Cells.of(cell);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.reverse = reverse;
    this.arithmetic = arithmetic;
  }

  /**
   * Runs the layer over the sequence.
   *
   * @param input x [T,B,I] with the lengths of its rows; not changed
   * @param initialStates [S][B*H], or null for zeros; not changed
   * @param weights not changed
   * @throws IllegalArgumentException if an array does not have its shape
   */
  public Forward forward(Sequence input, double[][] initialStates, Weights weights) {
    requireShapes(input, weights);
    requireStates("initial state", initialStates, input);
    int steps = input.steps();
    int rowsAtOnce = input.batch() * hiddenSize;
    Forward run =
        new Forward(
            input,
            weights,
            new double[steps * rowsAtOnce],
            new double[cell.stateCount()][rowsAtOnce],
            new double[cell.stateCount()][(steps + 1) * rowsAtOnce],
            new double[steps * rowsAtOnce * cell.reserved()]);
    int first = reverse ? steps * rowsAtOnce : 0;
    int last = reverse ? 0 : steps * rowsAtOnce;
    if (initialStates != null) {
      for (int s = 0; s < initialStates.length; s++) {
        copyRounded(initialStates[s], run.states[s], first);
      }
    }
    for (int k = 0; k < steps; k++) {
      int t = reverse ? steps - 1 - k : k;
      for (int b = 0; b < input.batch(); b++) {
        if (t < input.length(b)) {
          forwardRow(run, t, b);
        } else {
          for (double[] state : run.states) {
            System.arraycopy(state, before(input, t, b), state, after(input, t, b), hiddenSize);
          }
        }
      }
    }
    for (int s = 0; s < cell.stateCount(); s++) {
      System.arraycopy(run.states[s], last, run.finalStates[s], 0, rowsAtOnce);
    }
    return run;
  }

  /** zx = W_ih x_t + b_ih; zh = W_hh h_{t-1} + b_hh; s_t = cell(zx, zh, s_{t-1}); y_t = h_t. */
  private void forwardRow(Forward run, int t, int b) {
    Weights w = run.weights;
    int row = t * run.input.batch() + b;
    double[][] previous = previous(run, t, b);
    int after = after(run.input, t, b);
    double[] zx = affine(w.wIh, run.input.x(), row * inputSize, inputSize, w.bIh);
    double[] zh = affine(w.wHh, previous[0], 0, hiddenSize, w.bHh);
    double[] s = new double[cell.stateCount()];
    double[] keep = new double[cell.reserved()];
    for (int j = 0; j < hiddenSize; j++) {
      math.forward(gates(zx, j), gates(zh, j), states(previous, j), unit(w, j), s, keep);
      for (int k = 0; k < s.length; k++) {
        run.states[k][after + j] = arithmetic.round(s[k]);
      }
      for (int k = 0; k < keep.length; k++) {
        run.keep[(row * hiddenSize + j) * keep.length + k] = arithmetic.round(keep[k]);
      }
      run.y[row * hiddenSize + j] = arithmetic.round(s[0]);
    }
  }

  /**
   * Computes the gradients of {@code sum(y*dy) + sum(finalStates*dFinalStates)}.
   *
   * @param run what {@link #forward} of this layer returned; not changed
   * @param dy [T,B,H], or null for zeros; not read past a row's length; not changed
   * @param dFinalStates [S][B*H], or null for zeros; not changed
   * @throws IllegalArgumentException if an array does not have its shape
   */
  public Gradients backward(Forward run, double[] dy, double[][] dFinalStates) {
    Sequence input = run.input;
    requireShapes(input, run.weights);
    requireStates("gradient of the final state", dFinalStates, input);
    if (dy != null) {
      requireLength("dy [T,B,H]", dy, run.y.length);
    }
    double[][] ds = new double[cell.stateCount()][input.batch() * hiddenSize];
    if (dFinalStates != null) {
      for (int s = 0; s < dFinalStates.length; s++) {
        copyRounded(dFinalStates[s], ds[s], 0);
      }
    }
    Gradients gradients =
        new Gradients(new double[input.x().length], ds, Weights.zeros(cell, inputSize, hiddenSize));
    for (int k = input.steps() - 1; k >= 0; k--) {
      int t = reverse ? input.steps() - 1 - k : k;
      for (int b = 0; b < input.batch(); b++) {
        if (t < input.length(b)) {
          backwardRow(run, dy, t, b, gradients);
        }
      }
    }
    return gradients;
  }

  /**
   * One step of one row, after its later steps: ds holds the gradient of s_t on entry and that of
   * s_{t-1} on exit.
   */
  private void backwardRow(Forward run, double[] dy, int t, int b, Gradients out) {
    Weights w = run.weights;
    Weights dw = out.dWeights;
    int row = t * run.input.batch() + b;
    double[][] previous = previous(run, t, b);
    double[] dzx = new double[cell.gateCount() * hiddenSize];
    double[] dzh = new double[cell.gateCount() * hiddenSize];
    for (int j = 0; j < hiddenSize; j++) {
      backwardUnit(run, dy, t, b, j, out, dzx, dzh);
    }
    int dh = b * hiddenSize;
    accumulateTransposed(dzh, w.wHh, out.dInitialStates[0], dh, hiddenSize);
    if (run.input.isReset(t, b)) {
      for (double[] ds : out.dInitialStates) {
        Arrays.fill(ds, dh, dh + hiddenSize, 0);
      }
    }
    accumulateTransposed(dzx, w.wIh, out.dx, row * inputSize, inputSize);
    accumulateOuter(dzx, run.input.x(), row * inputSize, inputSize, dw.wIh);
    accumulateOuter(dzh, previous[0], 0, hiddenSize, dw.wHh);
    for (int g = 0; g < dzx.length; g++) {
      dw.bIh[g] = arithmetic.add(dw.bIh[g], dzx[g]);
      dw.bHh[g] = arithmetic.add(dw.bHh[g], dzh[g]);
    }
  }

  /**
   * The cell's own gradient for unit j: dh_t += dy_t, then ds becomes the part of the gradient of
   * s_{t-1} that does not pass through W_hh, and the unit's own weights get their gradient. Its
   * parameters name one unit and where its results go.
   */
  private void backwardUnit(
      Forward run, double[] dy, int t, int b, int j, Gradients out, double[] dzx, double[] dzh) {
    double[][] ds = out.dInitialStates;
    int row = t * run.input.batch() + b;
    int unit = b * hiddenSize + j;
    double[] keep = new double[cell.reserved()];
    System.arraycopy(run.keep, (row * hiddenSize + j) * keep.length, keep, 0, keep.length);
    double[] dsUnit = new double[cell.stateCount()];
    for (int s = 0; s < dsUnit.length; s++) {
      dsUnit[s] = ds[s][unit];
    }
    if (dy != null) {
      dsUnit[0] = arithmetic.add(dsUnit[0], dy[row * hiddenSize + j]);
    }
    double[] dzxUnit = new double[cell.gateCount()];
    double[] dzhUnit = new double[cell.gateCount()];
    double[] dsPrev = new double[cell.stateCount()];
    double[] sPrev =
        run.input.isReset(t, b)
            ? new double[cell.stateCount()]
            : states(run.states, before(run.input, t, b) + j);
    double[] s = states(run.states, after(run.input, t, b) + j);
    double[] dOwn = new double[cell.unitWeightCount()];
    double[] own = unit(run.weights, j);
    math.backward(keep, sPrev, s, own, dsUnit, dzxUnit, dzhUnit, dsPrev, dOwn);
    for (int g = 0; g < dzxUnit.length; g++) {
      dzx[g * hiddenSize + j] = arithmetic.round(dzxUnit[g]);
      dzh[g * hiddenSize + j] = arithmetic.round(dzhUnit[g]);
    }
    for (int k = 0; k < dsPrev.length; k++) {
      ds[k][unit] = arithmetic.round(dsPrev[k]);
    }
    double[] dUnit = out.dWeights.unit;
    for (int p = 0; p < dOwn.length; p++) {
      int at = p * hiddenSize + j;
      dUnit[at] = arithmetic.add(dUnit[at], dOwn[p]);
    }
  }

  /** w v + bias, for w [G*H,n] and the n numbers of v from {@code at}. */
  private double[] affine(double[] w, double[] v, int at, int n, double[] bias) {
    double[] z = new double[bias.length];
    for (int g = 0; g < z.length; g++) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum = arithmetic.multiplyAdd(sum, w[g * n + i], v[at + i]);
      }
      z[g] = arithmetic.add(sum, bias[g]);
    }
    return z;
  }

  /** out += w^T dz, for w [G*H,n] and the n numbers of out from {@code at}. */
  private void accumulateTransposed(double[] dz, double[] w, double[] out, int at, int n) {
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int g = 0; g < dz.length; g++) {
        sum = arithmetic.multiplyAdd(sum, dz[g], w[g * n + i]);
      }
      out[at + i] = arithmetic.add(out[at + i], sum);
    }
  }

  /** dw += dz v^T, for dw [G*H,n] and the n numbers of v from {@code at}. */
  private void accumulateOuter(double[] dz, double[] v, int at, int n, double[] dw) {
    for (int g = 0; g < dz.length; g++) {
      for (int i = 0; i < n; i++) {
        dw[g * n + i] = arithmetic.multiplyAdd(dw[g * n + i], dz[g], v[at + i]);
      }
    }
  }

  private double[] gates(double[] z, int j) {
    double[] unit = new double[cell.gateCount()];
    for (int g = 0; g < unit.length; g++) {
      unit[g] = z[g * hiddenSize + j];
    }
    return unit;
  }

  private double[] unit(Weights w, int j) {
    double[] unit = new double[cell.unitWeightCount()];
    for (int p = 0; p < unit.length; p++) {
      unit[p] = w.unit[p * hiddenSize + j];
    }
    return unit;
  }

  private static double[] states(double[][] states, int at) {
    double[] unit = new double[states.length];
    for (int s = 0; s < unit.length; s++) {
      unit[s] = states[s][at];
    }
    return unit;
  }

  /** The states before a step of a row [S][H]: zeros if the step resets it. */
  private double[][] previous(Forward run, int t, int b) {
    double[][] previous = new double[cell.stateCount()][hiddenSize];
    for (int s = 0; s < previous.length && !run.input.isReset(t, b); s++) {
      System.arraycopy(run.states[s], before(run.input, t, b), previous[s], 0, hiddenSize);
    }
    return previous;
  }

  private int before(Sequence input, int t, int b) {
    return ((reverse ? t + 1 : t) * input.batch() + b) * hiddenSize;
  }

  private int after(Sequence input, int t, int b) {
    return ((reverse ? t : t + 1) * input.batch() + b) * hiddenSize;
  }

  private void copyRounded(double[] from, double[] to, int at) {
    for (int k = 0; k < from.length; k++) {
      to[at + k] = arithmetic.round(from[k]);
    }
  }

  private void requireShapes(Sequence input, Weights w) {
    if (input.features() != inputSize) {
      throw new IllegalArgumentException(
          "x must be [T,B," + inputSize + "], but its rows have " + input.features() + " numbers");
    }
    int rows = cell.gateCount() * hiddenSize;
    requireLength("wIh [G*H,I]", w.wIh, rows * inputSize);
    requireLength("wHh [G*H,H]", w.wHh, rows * hiddenSize);
    requireLength("bIh [G*H]", w.bIh, rows);
    requireLength("bHh [G*H]", w.bHh, rows);
    requireLength("unit [P*H]", w.unit, cell.unitWeightCount() * hiddenSize);
  }

  private void requireStates(String what, double[][] states, Sequence input) {
    if (states == null) {
      return;
    }
    if (states.length != cell.stateCount()) {
      throw new IllegalArgumentException(
          what + " must hold the states " + cell.states() + ", but holds " + states.length);
    }
    for (int s = 0; s < states.length; s++) {
      requireLength(
          what + " " + cell.states().get(s) + " [B,H]", states[s], input.batch() * hiddenSize);
    }
  }
}
