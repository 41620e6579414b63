package io.unroll.reference;

import static java.lang.Math.exp;
import static java.lang.Math.max;
import static java.lang.Math.tanh;

import io.unroll.CellSpec;
import java.util.Map;

/**
 * The arithmetic of every cell for one unit of one row at one step, in float64: the same letters
 * and the same order as docs/equations.md.
 */
public final class Cells {
  /** One cell's two functions. They keep nothing between calls. */
  public interface CellMath {
    /**
     * One step of one unit.
     *
     * @param zx input product with its bias, one value per gate [G]
     * @param zh recurrent product with its bias [G]
     * @param sPrev states before the step [S]
     * @param unit the unit's own weights [P]
     * @param s receives the states after it [S]
     * @param keep receives what backward needs [K]
     */
    void forward(
        double[] zx, double[] zh, double[] sPrev, double[] unit, double[] s, double[] keep);

    /**
     * The gradient of {@link #forward}.
     *
     * @param ds gradient of s [S]
     * @param dzx receives the gradient of zx [G]
     * @param dzh receives the gradient of zh [G]
     * @param dsPrev receives the gradient of sPrev, without the part that flows through zh [S]
     * @param dUnit receives what this step adds to the gradient of unit [P]
     */
    void backward(
        double[] keep,
        double[] sPrev,
        double[] s,
        double[] unit,
        double[] ds,
        double[] dzx,
        double[] dzh,
        double[] dsPrev,
        double[] dUnit);
  }

  private static final Map<CellSpec, CellMath> ALL =
      Map.of(
          CellSpec.TANH, new Tanh(),
          CellSpec.RELU, new Relu(),
          CellSpec.GRU, new Gru(),
          CellSpec.LSTM, new Lstm(),
          CellSpec.LSTM_PEEPHOLE, new LstmPeephole());

  private Cells() {}

  /**
   * The arithmetic of a cell.
   *
   * @throws IllegalArgumentException if this class has none for it
   */
  public static CellMath of(CellSpec cell) {
    CellMath math = ALL.get(cell);
    if (math == null) {
      throw new IllegalArgumentException("no reference arithmetic for the cell " + cell);
    }
    return math;
  }

  /** The logistic function 1/(1+e^-x). */
  public static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
  }

  private static final class Tanh implements CellMath {
    @Override
    public void forward(
        double[] zx, double[] zh, double[] sPrev, double[] unit, double[] s, double[] keep) {
      s[0] = tanh(zx[0] + zh[0]);
    }

    @Override
    public void backward(
        double[] keep,
        double[] sPrev,
        double[] s,
        double[] unit,
        double[] ds,
        double[] dzx,
        double[] dzh,
        double[] dsPrev,
        double[] dUnit) {
      double h = s[0];
      dzx[0] = dzh[0] = ds[0] * (1 - h * h);
      dsPrev[0] = 0;
    }
  }

  private static final class Relu implements CellMath {
    @Override
    public void forward(
        double[] zx, double[] zh, double[] sPrev, double[] unit, double[] s, double[] keep) {
      s[0] = max(0, zx[0] + zh[0]);
    }

    @Override
    public void backward(
        double[] keep,
        double[] sPrev,
        double[] s,
        double[] unit,
        double[] ds,
        double[] dzx,
        double[] dzh,
        double[] dsPrev,
        double[] dUnit) {
      dzx[0] = dzh[0] = s[0] <= 0 ? 0 : ds[0];
      dsPrev[0] = 0;
    }
  }

  private static final class Gru implements CellMath {
    @Override
    public void forward(
        double[] zx, double[] zh, double[] sPrev, double[] unit, double[] s, double[] keep) {
      double r = sigmoid(zx[0] + zh[0]);
      double z = sigmoid(zx[1] + zh[1]);
      double n = tanh(zx[2] + r * zh[2]);
      s[0] = (1 - z) * n + z * sPrev[0];
      keep[0] = r;
      keep[1] = z;
      keep[2] = n;
      keep[3] = zh[2];
    }

    @Override
    public void backward(
        double[] keep,
        double[] sPrev,
        double[] s,
        double[] unit,
        double[] ds,
        double[] dzx,
        double[] dzh,
        double[] dsPrev,
        double[] dUnit) {
      double r = keep[0];
      double z = keep[1];
      double n = keep[2];
      double q = keep[3];
      double h = sPrev[0];
      double dh = ds[0];
      double dn = dh * (1 - z) * (1 - n * n);
      dzx[0] = dzh[0] = dn * q * r * (1 - r);
      dzx[1] = dzh[1] = dh * (h - n) * z * (1 - z);
      dzx[2] = dn;
      dzh[2] = dn * r;
      dsPrev[0] = dh * z;
    }
  }

  private static final class Lstm implements CellMath {
    @Override
    public void forward(
        double[] zx, double[] zh, double[] sPrev, double[] unit, double[] s, double[] keep) {
      double i = sigmoid(zx[0] + zh[0]);
      double f = sigmoid(zx[1] + zh[1]);
      double g = tanh(zx[2] + zh[2]);
      double o = sigmoid(zx[3] + zh[3]);
      double c = f * sPrev[1] + i * g;
      s[0] = o * tanh(c);
      s[1] = c;
      keep[0] = i;
      keep[1] = f;
      keep[2] = g;
      keep[3] = o;
    }

    @Override
    public void backward(
        double[] keep,
        double[] sPrev,
        double[] s,
        double[] unit,
        double[] ds,
        double[] dzx,
        double[] dzh,
        double[] dsPrev,
        double[] dUnit) {
      double i = keep[0];
      double f = keep[1];
      double g = keep[2];
      double o = keep[3];
      double tc = tanh(s[1]);
      double dc = ds[1] + ds[0] * o * (1 - tc * tc);
      dzx[0] = dzh[0] = dc * g * i * (1 - i);
      dzx[1] = dzh[1] = dc * sPrev[1] * f * (1 - f);
      dzx[2] = dzh[2] = dc * i * (1 - g * g);
      dzx[3] = dzh[3] = ds[0] * tc * o * (1 - o);
      dsPrev[0] = 0;
      dsPrev[1] = dc * f;
    }
  }

  private static final class LstmPeephole implements CellMath {
    @Override
    public void forward(
        double[] zx, double[] zh, double[] sPrev, double[] unit, double[] s, double[] keep) {
      double i = sigmoid(zx[0] + zh[0] + unit[0] * sPrev[1]);
      double f = sigmoid(zx[1] + zh[1] + unit[1] * sPrev[1]);
      double g = tanh(zx[2] + zh[2]);
      double c = f * sPrev[1] + i * g;
      double o = sigmoid(zx[3] + zh[3] + unit[2] * c);
      s[0] = o * tanh(c);
      s[1] = c;
      keep[0] = i;
      keep[1] = f;
      keep[2] = g;
      keep[3] = o;
    }

    @Override
    public void backward(
        double[] keep,
        double[] sPrev,
        double[] s,
        double[] unit,
        double[] ds,
        double[] dzx,
        double[] dzh,
        double[] dsPrev,
        double[] dUnit) {
      double i = keep[0];
      double f = keep[1];
      double g = keep[2];
      double o = keep[3];
      double c = sPrev[1];
      double tc = tanh(s[1]);
      double dO = ds[0] * tc * o * (1 - o);
      double dc = ds[1] + ds[0] * o * (1 - tc * tc) + dO * unit[2];
      double dI = dc * g * i * (1 - i);
      double dF = dc * c * f * (1 - f);
      dzx[0] = dzh[0] = dI;
      dzx[1] = dzh[1] = dF;
      dzx[2] = dzh[2] = dc * i * (1 - g * g);
      dzx[3] = dzh[3] = dO;
      dsPrev[0] = 0;
      dsPrev[1] = dc * f + dI * unit[0] + dF * unit[1];
      dUnit[0] = dI * c;
      dUnit[1] = dF * c;
      dUnit[2] = dO * s[1];
    }
  }
}
