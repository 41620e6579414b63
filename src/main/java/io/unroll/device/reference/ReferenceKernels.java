package io.unroll.device.reference;

import static io.unroll.device.reference.ReferenceDevice.ints;
import static io.unroll.device.reference.ReferenceDevice.reals;

import io.unroll.CellSpec;
import io.unroll.Philox;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import io.unroll.reference.Cells;
import java.util.Arrays;

/** The kernels of {@link Kernel}, each as its Javadoc there says it, one item after the other. */
final class ReferenceKernels {
  /** Runs items 0 to items-1. */
  interface Body {
    void run(KernelArgs args, int items);
  }

  private interface Formula {
    double of(double a, double b);
  }

  private ReferenceKernels() {}

  static Body of(Kernel kernel, CellSpec cell) {
    return switch (kernel) {
      case CELL_FORWARD -> new CellForward(cell);
      case CELL_BACKWARD -> new CellBackward(cell);
      case BIAS_ADD -> ReferenceKernels::biasAdd;
      case COLUMN_SUM -> ReferenceKernels::columnSum;
      case GATHER_ROWS -> ReferenceKernels::gatherRows;
      case MASK_ROWS -> ReferenceKernels::maskRows;
      case SCATTER_ADD_ROWS -> ReferenceKernels::scatterAddRows;
      case CROSS_ENTROPY_FORWARD -> ReferenceLosses::crossEntropyForward;
      case CROSS_ENTROPY_MEAN -> ReferenceLosses::crossEntropyMean;
      case CROSS_ENTROPY_BACKWARD -> ReferenceLosses::crossEntropyBackward;
      case SQUARED_ERROR_MEAN -> ReferenceLosses::squaredErrorMean;
      case SQUARED_ERROR_BACKWARD -> ReferenceLosses::squaredErrorBackward;
      case CTC_EMISSIONS -> ReferenceCtc::emissions;
      case CTC_PATHS -> ReferenceCtc::paths;
      case CTC_BACKWARD -> ReferenceCtc::backward;
      case SAMPLE -> ReferenceSampling::sample;
      case TANH_FORWARD -> (a, n) -> map(a, n, (x, unused) -> Math.tanh(x));
      case SIGMOID_FORWARD -> (a, n) -> map(a, n, (x, unused) -> Cells.sigmoid(x));
      case RELU_FORWARD -> (a, n) -> map(a, n, (x, unused) -> Math.max(0, x));
      case TANH_BACKWARD -> (a, n) -> gradient(a, n, (y, dY) -> dY * (1 - y * y));
      case SIGMOID_BACKWARD -> (a, n) -> gradient(a, n, (y, dY) -> dY * y * (1 - y));
      case RELU_BACKWARD -> (a, n) -> gradient(a, n, (y, dY) -> y <= 0 ? 0 : dY);
      case AXPBY -> ReferenceKernels::axpby;
      case MULTIPLY -> (a, n) -> gradient(a, n, (x, y) -> x * y);
      case COPY_ROWS -> ReferenceKernels::copyRows;
      case TRANSPOSE -> ReferenceKernels::transpose;
      case DROPOUT -> ReferenceKernels::dropout;
      case SGD, MOMENTUM, ADAGRAD, RMSPROP, ADAM -> ReferenceOptimizers.of(kernel);
      case SQUARE_SUM -> ReferenceOptimizers::squareSum;
      case CLIP_FACTOR -> ReferenceOptimizers::clipFactor;
      case SCALE_BY -> ReferenceOptimizers::scaleBy;
      case CLAMP -> ReferenceOptimizers::clamp;
      case SOFTMAX_FORWARD -> AttentionKernels::softmaxForward;
      case SOFTMAX_BACKWARD -> AttentionKernels::softmaxBackward;
      case ADDITIVE_SCORE_FORWARD -> AttentionKernels::additiveScoreForward;
      case ADDITIVE_SCORE_BACKWARD -> AttentionKernels::additiveScoreBackward;
    };
  }

  /** Writes value, or adds it if beta is 1. */
  static void put(double[] out, int at, double value, double beta) {
    out[at] = beta == 0 ? value : value + beta * out[at];
  }

  static int at(KernelArgs args, int i) {
    return (int) args.offsetAt(i);
  }

  private static void map(KernelArgs args, int items, Formula formula) {
    double[] x = reals(args.bufferAt(0));
    double[] y = reals(args.bufferAt(1));
    for (int i = 0; i < items; i++) {
      y[at(args, 1) + i] = formula.of(x[at(args, 0) + i], 0);
    }
  }

  private static void gradient(KernelArgs args, int items, Formula formula) {
    double[] a = reals(args.bufferAt(0));
    double[] b = reals(args.bufferAt(1));
    double[] out = reals(args.bufferAt(2));
    for (int i = 0; i < items; i++) {
      double value = formula.of(a[at(args, 0) + i], b[at(args, 1) + i]);
      put(out, at(args, 2) + i, value, args.realAt(3));
    }
  }

  private static void biasAdd(KernelArgs args, int items) {
    double[] out = reals(args.bufferAt(0));
    double[] bias = reals(args.bufferAt(1));
    int n = args.i32At(2);
    for (int i = 0; i < items; i++) {
      out[at(args, 0) + i] += bias[at(args, 1) + i % n];
    }
  }

  private static void columnSum(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] out = reals(args.bufferAt(1));
    int n = args.i32At(3);
    for (int column = 0; column < items; column++) {
      double sum = 0;
      for (int row = 0; row < args.i32At(2); row++) {
        sum += x[at(args, 0) + row * n + column];
      }
      put(out, at(args, 1) + column, sum, args.realAt(4));
    }
  }

  private static void gatherRows(KernelArgs args, int items) {
    double[] table = reals(args.bufferAt(0));
    int[] index = ints(args.bufferAt(1));
    double[] out = reals(args.bufferAt(2));
    int n = args.i32At(3);
    for (int i = 0; i < items; i++) {
      int row = index[at(args, 1) + i / n];
      out[at(args, 2) + i] = row < 0 ? 0 : table[at(args, 0) + row * n + i % n];
    }
  }

  private static void maskRows(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    int[] mask = ints(args.bufferAt(1));
    double[] out = reals(args.bufferAt(2));
    for (int i = 0; i < items; i++) {
      boolean masked = mask[at(args, 1) + i / args.i32At(3)] != 0;
      out[at(args, 2) + i] = masked ? 0 : x[at(args, 0) + i];
    }
  }

  private static void scatterAddRows(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    int[] index = ints(args.bufferAt(1));
    double[] table = reals(args.bufferAt(2));
    int n = args.i32At(4);
    for (int r = 0; r < args.i32At(3); r++) {
      int row = index[at(args, 1) + r];
      assert row < args.i32At(5) : "index " + row + " of a table of " + args.i32At(5) + " rows";
      for (int column = 0; row >= 0 && column < items; column++) {
        table[at(args, 2) + row * n + column] += x[at(args, 0) + r * n + column];
      }
    }
  }

  private static void axpby(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] y = reals(args.bufferAt(1));
    for (int i = 0; i < items; i++) {
      put(y, at(args, 1) + i, args.realAt(2) * x[at(args, 0) + i], args.realAt(3));
    }
  }

  private static void copyRows(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] out = reals(args.bufferAt(1));
    int columns = args.i32At(2);
    for (int i = 0; i < items; i++) {
      int row = i / columns;
      int column = i % columns;
      double value = x[at(args, 0) + row * args.i32At(3) + column];
      put(out, at(args, 1) + row * args.i32At(4) + column, value, args.realAt(5));
    }
  }

  private static void transpose(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] out = reals(args.bufferAt(1));
    int rows = args.i32At(2);
    for (int i = 0; i < items; i++) {
      double value = x[at(args, 0) + i % rows * args.i32At(3) + i / rows];
      put(out, at(args, 1) + i, value, args.realAt(4));
    }
  }

  private static void dropout(KernelArgs args, int items) {
    double[] x = reals(args.bufferAt(0));
    double[] out = reals(args.bufferAt(1));
    float p = (float) args.realAt(2);
    double scale = args.realAt(3);
    for (int i = 0; i < items; i++) {
      boolean kept = Philox.uniform(args.i64At(4), args.i64At(5) + i) >= p;
      put(out, at(args, 1) + i, kept ? x[at(args, 0) + i] * scale : 0, args.realAt(6));
    }
  }

  /** The own weights of unit j out of buffer argument i [P*H]. */
  private static void loadOwn(KernelArgs args, int i, int j, int hidden, double[] own) {
    for (int p = 0; p < own.length; p++) {
      own[p] = reals(args.bufferAt(i))[at(args, i) + p * hidden + j];
    }
  }

  /** Whether row b begins anew, by buffer argument i. */
  private static boolean isReset(KernelArgs args, int i, int b) {
    return args.bufferAt(i) != null && ints(args.bufferAt(i))[at(args, i) + b] != 0;
  }

  /** {@link Kernel#CELL_FORWARD} for one cell. */
  private static final class CellForward implements Body {
    private final Cells.CellMath math;
    private final double[] px;
    private final double[] ph;
    private final double[] sp;
    private final double[] s;
    private final double[] own;
    private final double[] kept;

    CellForward(CellSpec cell) {
      math = Cells.of(cell);
      px = new double[cell.gateCount()];
      ph = new double[cell.gateCount()];
      sp = new double[cell.stateCount()];
      s = new double[cell.stateCount()];
      own = new double[cell.unitWeightCount()];
      kept = new double[cell.reserved()];
    }

    @Override
    public void run(KernelArgs args, int items) {
      int hidden = args.i32At(12);
      int stride = (int) args.i64At(13);
      int[] lengths = ints(args.bufferAt(5));
      for (int item = 0; item < items; item++) {
        int b = item / hidden;
        int j = item % hidden;
        boolean active = lengths == null || args.i32At(15) < lengths[at(args, 5) + b];
        step(args, b, j, hidden, stride, active);
        if (args.bufferAt(10) != null) {
          double h = active ? reals(args.bufferAt(8))[at(args, 8) + item] : 0;
          reals(args.bufferAt(10))[at(args, 10) + b * args.i32At(14) + j] = h;
        }
      }
    }

    private void step(KernelArgs args, int b, int j, int hidden, int stride, boolean active) {
      double[] previous = reals(args.bufferAt(7));
      double[] next = reals(args.bufferAt(8));
      for (int k = 0; k < sp.length; k++) {
        sp[k] = previous[at(args, 7) + k * stride + b * hidden + j];
        s[k] = sp[k];
      }
      if (active) {
        boolean reset = isReset(args, 6, b);
        if (reset) {
          Arrays.fill(sp, 0);
        }
        for (int g = 0; g < px.length; g++) {
          int unit = g * hidden + j;
          int product = b * px.length * hidden + unit;
          px[g] = reals(args.bufferAt(0))[at(args, 0) + product];
          px[g] += reals(args.bufferAt(2))[at(args, 2) + unit];
          ph[g] = reset ? 0 : reals(args.bufferAt(1))[at(args, 1) + product];
          ph[g] += reals(args.bufferAt(3))[at(args, 3) + unit];
        }
        loadOwn(args, 4, j, hidden, own);
        math.forward(px, ph, sp, own, s, kept);
        for (int k = 0; k < kept.length && args.bufferAt(9) != null; k++) {
          reals(args.bufferAt(9))[at(args, 9) + (b * kept.length + k) * hidden + j] = kept[k];
        }
      }
      for (int k = 0; k < s.length; k++) {
        next[at(args, 8) + k * stride + b * hidden + j] = s[k];
      }
    }
  }

  /** {@link Kernel#CELL_BACKWARD} for one cell. */
  private static final class CellBackward implements Body {
    private final Cells.CellMath math;
    private final double[] dzx;
    private final double[] dzh;
    private final double[] sp;
    private final double[] s;
    private final double[] ds;
    private final double[] dsPrevious;
    private final double[] dOwn;
    private final double[] own;
    private final double[] kept;

    CellBackward(CellSpec cell) {
      math = Cells.of(cell);
      dzx = new double[cell.gateCount()];
      dzh = new double[cell.gateCount()];
      sp = new double[cell.stateCount()];
      s = new double[cell.stateCount()];
      ds = new double[cell.stateCount()];
      dsPrevious = new double[cell.stateCount()];
      dOwn = new double[cell.unitWeightCount()];
      own = new double[cell.unitWeightCount()];
      kept = new double[cell.reserved()];
    }

    @Override
    public void run(KernelArgs args, int items) {
      int batch = args.i32At(11);
      int hidden = args.i32At(12);
      int[] lengths = ints(args.bufferAt(2));
      for (int item = 0; item < items; item++) {
        int b = item / hidden;
        int j = item % hidden;
        boolean active = lengths == null || args.i32At(15) < lengths[at(args, 2) + b];
        if (active) {
          load(args, b, j, batch, hidden);
          loadOwn(args, 1, j, hidden, own);
          if (isReset(args, 3, b)) {
            Arrays.fill(sp, 0);
          }
          math.backward(kept, sp, s, own, ds, dzx, dzh, dsPrevious, dOwn);
          if (isReset(args, 3, b)) {
            Arrays.fill(dsPrevious, 0);
          }
        }
        for (int g = 0; g < dzx.length; g++) {
          int product = (b * dzx.length + g) * hidden + j;
          reals(args.bufferAt(10))[at(args, 10) + product] = active ? dzh[g] : 0;
          reals(args.bufferAt(9))[at(args, 9) + product] = active ? dzx[g] : 0;
        }
        for (int k = 0; active && k < ds.length; k++) {
          reals(args.bufferAt(6))[at(args, 6) + (k * batch + b) * hidden + j] = dsPrevious[k];
        }
        for (int p = 0; active && p < dOwn.length; p++) {
          reals(args.bufferAt(7))[at(args, 7) + (b * dOwn.length + p) * hidden + j] += dOwn[p];
        }
      }
    }

    private void load(KernelArgs args, int b, int j, int batch, int hidden) {
      int stride = (int) args.i64At(13);
      for (int k = 0; k < s.length; k++) {
        int state = k * stride + b * hidden + j;
        sp[k] = reals(args.bufferAt(4))[at(args, 4) + state];
        s[k] = reals(args.bufferAt(5))[at(args, 5) + state];
        ds[k] = reals(args.bufferAt(6))[at(args, 6) + (k * batch + b) * hidden + j];
      }
      if (args.bufferAt(8) != null) {
        ds[0] += reals(args.bufferAt(8))[at(args, 8) + b * args.i32At(14) + j];
      }
      for (int k = 0; k < kept.length; k++) {
        kept[k] = reals(args.bufferAt(0))[at(args, 0) + (b * kept.length + k) * hidden + j];
      }
    }
  }
}
