package io.unroll.reference;

import static java.lang.Math.log;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.CellSpec;
import io.unroll.reference.ReferenceRecurrence.Forward;
import io.unroll.reference.ReferenceRecurrence.Gradients;
import io.unroll.reference.ReferenceRecurrence.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * Cases small enough for pencil and paper. They lean on tanh(ln 2) = 3/5, tanh(ln 3) = 4/5,
 * sigmoid(0) = 1/2, sigmoid(ln 2) = 2/3 and sigmoid(ln 3) = 3/4.
 */
class HandWorkedTest {
  private static final double CLOSE = 1e-13;

  private static double[] v(double... values) {
    return values;
  }

  private static ReferenceRecurrence layer(CellSpec cell, int inputSize, int hiddenSize) {
    return new ReferenceRecurrence(cell, inputSize, hiddenSize, false, Arithmetic.FLOAT64);
  }

  @Test
  void tanhOverTwoSteps() {
    // W_ih = 2, W_hh = 5, b_ih = 1, b_hh = -2, h_0 = 1/5.
    // t=0: 2 x_0 + 1 + 5/5 - 2 = 2 x_0     = ln 2 with x_0 = ln(2)/2, so h_1 = 3/5
    // t=1: 2 x_1 + 1 + 5*3/5 - 2 = 2 x_1 + 2 = ln 3 with x_1 = (ln(3)-2)/2, so h_2 = 4/5
    double[] x = v(log(2) / 2, (log(3) - 2) / 2);
    Forward run =
        layer(CellSpec.TANH, 1, 1)
            .forward(
                new Sequence(2, 1, 1, x, null),
                new double[][] {{0.2}},
                new Weights(v(2), v(5), v(1), v(-2)));
    assertArrayEquals(v(0.6, 0.8), run.y(), CLOSE);
    assertArrayEquals(v(0.8), run.finalStates()[0], CLOSE);

    // dy = (1, 2), dh_n = 3.
    // t=1: dh = 2+3 = 5, dz = 5 (1-16/25) = 9/5,  dx_1 = 2*9/5 = 18/5, to h_1: 5*9/5 = 9
    // t=0: dh = 1+9 = 10, dz = 10 (1-9/25) = 32/5, dx_0 = 64/5,        to h_0: 32
    // dW_hh = 9/5*3/5 + 32/5*1/5 = 59/25;  db = 9/5+32/5 = 41/5;  dW_ih = 9/5 x_1 + 32/5 x_0
    Gradients got = layer(CellSpec.TANH, 1, 1).backward(run, v(1, 2), new double[][] {{3}});
    assertArrayEquals(v(12.8, 3.6), got.dx(), CLOSE);
    assertArrayEquals(v(32), got.dInitialStates()[0], CLOSE);
    assertArrayEquals(v(2.36), got.dWeights().wHh(), CLOSE);
    assertArrayEquals(v(8.2), got.dWeights().bIh(), CLOSE);
    assertArrayEquals(v(8.2), got.dWeights().bHh(), CLOSE);
    assertArrayEquals(v(1.8 * x[1] + 6.4 * x[0]), got.dWeights().wIh(), CLOSE);
  }

  @Test
  void reluWithTwoUnitsTellsAMatrixFromItsTranspose() {
    // W_ih = [1 2; 3 4], W_hh = [0 1; 2 -9], b_ih = (1, 0), b_hh = (0, -1), h_0 = (1, 2).
    // t=0: W_ih (1,1) = (3, 7); W_hh (1,2) = (2, -16); sum with biases (6, -10) -> h_1 = (6, 0)
    // t=1: W_ih (2,-1) = (0, 2); W_hh (6,0) = (0, 12); sum with biases (1, 13) -> h_2 = (1, 13)
    Forward run =
        layer(CellSpec.RELU, 2, 2)
            .forward(
                new Sequence(2, 1, 2, v(1, 1, 2, -1), null),
                new double[][] {{1, 2}},
                new Weights(v(1, 2, 3, 4), v(0, 1, 2, -9), v(1, 0), v(0, -1)));
    assertArrayEquals(v(6, 0, 1, 13), run.y(), 0);

    // dy = (0,0), (1,10).  t=1: dz = (1, 10), dx_1 = W_ih^T dz = (31, 42),
    // dh_1 = W_hh^T dz = (20, -89).  t=0: unit 1 is dead: dz = (20, 0), dx_0 = (20, 40),
    // dh_0 = W_hh^T (20, 0) = (0, 20).
    // dW_ih = (1,10)(2,-1)^T + (20,0)(1,1)^T = [22 19; 20 -10]
    // dW_hh = (1,10)(6,0)^T + (20,0)(1,2)^T = [26 40; 60 0];  db = (21, 10)
    Gradients got = layer(CellSpec.RELU, 2, 2).backward(run, v(0, 0, 1, 10), null);
    assertArrayEquals(v(20, 40, 31, 42), got.dx(), 0);
    assertArrayEquals(v(0, 20), got.dInitialStates()[0], 0);
    assertArrayEquals(v(22, 19, 20, -10), got.dWeights().wIh(), 0);
    assertArrayEquals(v(26, 40, 60, 0), got.dWeights().wHh(), 0);
    assertArrayEquals(v(21, 10), got.dWeights().bIh(), 0);
    assertArrayEquals(v(21, 10), got.dWeights().bHh(), 0);
  }

  @Test
  void gruResetActsOnTheRecurrentProductAfterItsBias() {
    // h_0 = 1. Recurrent products with bias: zh = (1, 2, 2) from W_hh = (3, 4, 1), b_hh =
    // (-2,-2,1).
    // zx = W_ih*1 + 0 = (-1, ln 3 - 2, ln 2 - 1).
    // r = sigmoid(0) = 1/2;  z = sigmoid(ln 3) = 3/4;  n = tanh(ln 2 - 1 + 1/2*2) = 3/5
    // h_1 = 1/4*3/5 + 3/4*1 = 9/10
    Forward run =
        layer(CellSpec.GRU, 1, 1)
            .forward(
                new Sequence(1, 1, 1, v(1), null),
                new double[][] {{1}},
                new Weights(v(-1, log(3) - 2, log(2) - 1), v(3, 4, 1), v(0, 0, 0), v(-2, -2, 1)));
    assertArrayEquals(v(0.9), run.y(), CLOSE);

    // dh = 1: dn = 1/4 (1-9/25) = 4/25;  dr = 4/25*2*1/4 = 2/25;  dz = (1-3/5)*3/16 = 3/40
    // dzx = (2/25, 3/40, 4/25), dzh = (2/25, 3/40, 2/25)
    // dh_0 = z + W_hh^T dzh = 3/4 + 6/25 + 3/10 + 2/25 = 1.37
    Gradients got = layer(CellSpec.GRU, 1, 1).backward(run, v(1), null);
    assertArrayEquals(v(0.08, 0.075, 0.16), got.dWeights().bIh(), CLOSE);
    assertArrayEquals(v(0.08, 0.075, 0.08), got.dWeights().bHh(), CLOSE);
    assertArrayEquals(v(0.08, 0.075, 0.16), got.dWeights().wIh(), CLOSE);
    assertArrayEquals(v(0.08, 0.075, 0.08), got.dWeights().wHh(), CLOSE);
    assertArrayEquals(v(1.37), got.dInitialStates()[0], CLOSE);
  }

  @Test
  void lstmWithItsTwoStates() {
    // No recurrent weight reaches the gates' values: h_0 = 0. b_ih = (ln 3, 0, ln 2, ln 2):
    // i = 3/4, f = 1/2, g = 3/5, o = 2/3.  c_1 = c_0/2 + 9/20 = ln 2 with c_0 = 2 ln 2 - 9/10
    // h_1 = 2/3*3/5 = 2/5
    double c0 = 2 * log(2) - 0.9;
    Forward run =
        layer(CellSpec.LSTM, 1, 1)
            .forward(
                new Sequence(1, 1, 1, v(5), null),
                new double[][] {{0}, {c0}},
                new Weights(
                    v(0, 0, 0, 0), v(1, 2, 3, 4), v(log(3), 0, log(2), log(2)), v(0, 0, 0, 0)));
    assertArrayEquals(v(0.4), run.y(), CLOSE);
    assertArrayEquals(v(0.4), run.finalStates()[0], CLOSE);
    assertArrayEquals(v(log(2)), run.finalStates()[1], CLOSE);

    // dh_n = 3, dc_n = 1: dc = 1 + 3*2/3*16/25 = 57/25.
    // di = 57/25*3/5*3/16 = 513/2000;  df = 57/25*c_0/4;  dg = 57/25*3/4*16/25 = 684/625
    // do = 3*3/5*2/9 = 2/5;  dc_0 = 57/50;  dx = 0 (W_ih is 0);  dW_ih = 5 dz;  dW_hh = 0
    Gradients got = layer(CellSpec.LSTM, 1, 1).backward(run, null, new double[][] {{3}, {1}});
    double df = 0.57 * c0;
    assertArrayEquals(v(0.2565, df, 1.0944, 0.4), got.dWeights().bIh(), CLOSE);
    assertArrayEquals(v(0.2565, df, 1.0944, 0.4), got.dWeights().bHh(), CLOSE);
    assertArrayEquals(v(1.2825, 5 * df, 5.472, 2), got.dWeights().wIh(), CLOSE);
    assertArrayEquals(v(0, 0, 0, 0), got.dWeights().wHh(), 0);
    assertArrayEquals(v(0), got.dx(), 0);
    assertArrayEquals(v(1.14), got.dInitialStates()[1], CLOSE);
    assertArrayEquals(v(0.2565 + 2 * df + 3 * 1.0944 + 1.6), got.dInitialStates()[0], CLOSE);
  }

  @Test
  void peepholesShowTheStateToTheGates() {
    // Weights as in lstmWithItsTwoStates, c_0 = 2 ln 2 - 9/10, b_ih = (0, -ln 2, ln 2, 0) and
    // p = (ln 3/c_0, ln 2/c_0, 1): i = sigmoid(ln 3) = 3/4, f = sigmoid(0) = 1/2, g = 3/5,
    // c_1 = c_0/2 + 9/20 = ln 2, o = sigmoid(c_1) = 2/3, h_1 = 2/3*3/5 = 2/5
    double c0 = 2 * log(2) - 0.9;
    double[] p = {log(3) / c0, log(2) / c0, 1};
    ReferenceRecurrence layer = layer(CellSpec.LSTM_PEEPHOLE, 1, 1);
    Forward run =
        layer.forward(
            new Sequence(1, 1, 1, v(5), null),
            new double[][] {{0}, {c0}},
            new Weights(v(0, 0, 0, 0), v(1, 2, 3, 4), v(0, -log(2), log(2), 0), v(0, 0, 0, 0), p));
    assertArrayEquals(v(0.4), run.y(), CLOSE);
    assertArrayEquals(v(log(2)), run.finalStates()[1], CLOSE);

    // dh_n = 3, dc_n = 1: do = 3*3/5*2/9 = 2/5;  dc = 1 + 3*2/3*16/25 + do p_o = 67/25
    // di = 67/25*3/5*3/16 = 603/2000;  df = 67/25*c_0/4;  dg = 67/25*3/4*16/25 = 804/625
    // dc_0 = 67/50 + di p_i + df p_f;  dp = (di c_0, df c_0, do c_1)
    Gradients got = layer.backward(run, null, new double[][] {{3}, {1}});
    double df = 0.67 * c0;
    assertArrayEquals(v(0.3015, df, 1.2864, 0.4), got.dWeights().bIh(), CLOSE);
    assertArrayEquals(v(0.3015, df, 1.2864, 0.4), got.dWeights().bHh(), CLOSE);
    assertArrayEquals(v(0.3015 * c0, df * c0, 0.4 * log(2)), got.dWeights().unit(), CLOSE);
    assertArrayEquals(v(1.34 + 0.3015 * p[0] + df * p[1]), got.dInitialStates()[1], CLOSE);
  }

  // Running sums: relu, W_ih = W_hh = 1, no biases. Rows of length 3, 2, 0; 100 is never read.
  private static final double[] RAGGED_X = {1, 2, 100, 3, 4, 100, 5, 100, 100};
  private static final int[] RAGGED_LENGTHS = {3, 2, 0};
  private static final Weights SUM = new Weights(v(1), v(1), v(0), v(0));

  @Test
  void raggedForward() {
    ReferenceRecurrence layer = layer(CellSpec.RELU, 1, 1);
    Forward run =
        layer.forward(
            new Sequence(3, 3, 1, RAGGED_X, RAGGED_LENGTHS), new double[][] {{10, 20, 30}}, SUM);
    // Row 0: 11, 14, 19. Row 1: 22, 26, then nothing. Row 2: nothing; its state stays 30.
    assertArrayEquals(v(11, 22, 0, 14, 26, 0, 19, 0, 0), run.y(), 0);
    assertArrayEquals(v(19, 26, 30), run.finalStates()[0], 0);

    // dy = 1 everywhere (past the end it must not count), dh_n = (0, 10, 100).
    // dz of row 0 at t = 2, 1, 0: 1, 2, 3.  Row 1 at t = 1, 0: 11, 12.  Row 2: none.
    Gradients got =
        layer.backward(run, v(1, 1, 1, 1, 1, 1, 1, 1, 1), new double[][] {{0, 10, 100}});
    assertArrayEquals(v(3, 12, 0, 2, 11, 0, 1, 0, 0), got.dx(), 0);
    assertArrayEquals(v(3, 12, 100), got.dInitialStates()[0], 0);
    assertArrayEquals(v(29), got.dWeights().bIh(), 0);
    // dW_ih = 3*1+2*3+1*5 + 12*2+11*4 = 82;  dW_hh = 3*10+2*11+1*14 + 12*20+11*22 = 548
    assertArrayEquals(v(82), got.dWeights().wIh(), 0);
    assertArrayEquals(v(548), got.dWeights().wHh(), 0);
  }

  @Test
  void raggedReverseStartsAtEachRowsEnd() {
    ReferenceRecurrence layer =
        new ReferenceRecurrence(CellSpec.RELU, 1, 1, true, Arithmetic.FLOAT64);
    Forward run =
        layer.forward(
            new Sequence(3, 3, 1, RAGGED_X, RAGGED_LENGTHS), new double[][] {{10, 20, 30}}, SUM);
    // Row 0 at t = 2, 1, 0: 15, 18, 19. Row 1 at t = 1, 0: 24, 26. Row 2: its state stays 30.
    assertArrayEquals(v(19, 26, 0, 18, 24, 0, 15, 0, 0), run.y(), 0);
    assertArrayEquals(v(19, 26, 30), run.finalStates()[0], 0);

    // dz of row 0 at t = 0, 1, 2: 1, 2, 3. Row 1 at t = 0, 1: 11, 12.
    Gradients got =
        layer.backward(run, v(1, 1, 1, 1, 1, 1, 1, 1, 1), new double[][] {{0, 10, 100}});
    assertArrayEquals(v(1, 11, 0, 2, 12, 0, 3, 0, 0), got.dx(), 0);
    assertArrayEquals(v(3, 12, 100), got.dInitialStates()[0], 0);
    // dW_hh = 1*18+2*15+3*10 + 11*24+12*20 = 582
    assertArrayEquals(v(582), got.dWeights().wHh(), 0);
  }

  @Test
  void everyWrongSizeIsNamed() {
    assertMessage(
        "x [T,B,I] must hold 6 numbers, but holds 5",
        () -> new Sequence(1, 2, 3, new double[5], null));
    assertMessage(
        "lengths[1] must be from 0 to T = 1, but is 2",
        () -> new Sequence(1, 2, 3, new double[6], new int[] {1, 2}));
    Sequence input = new Sequence(1, 2, 3, new double[6], null);
    Weights weights = Weights.zeros(CellSpec.LSTM, 3, 4);
    assertMessage(
        "initial state must hold the states [h, c], but holds 1",
        () -> layer(CellSpec.LSTM, 3, 4).forward(input, new double[1][8], weights));
    assertMessage(
        "wIh [G*H,I] must hold 36 numbers, but holds 48",
        () -> layer(CellSpec.GRU, 3, 4).forward(input, null, weights));
    assertMessage(
        "unit [P*H] must hold 12 numbers, but holds 0",
        () -> layer(CellSpec.LSTM_PEEPHOLE, 3, 4).forward(input, null, weights));
    Forward run = layer(CellSpec.LSTM, 3, 4).forward(input, null, weights);
    assertMessage(
        "dy [T,B,H] must hold 8 numbers, but holds 7",
        () -> layer(CellSpec.LSTM, 3, 4).backward(run, new double[7], null));
  }

  private static void assertMessage(String expected, Executable call) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, call).getMessage());
  }
}
