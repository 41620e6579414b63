package io.unroll.examples.learn;

import java.util.Arrays;
import java.util.Random;

/**
 * docs/learn.md, chapters 1 to 4: a recurrent network in plain Java, with its gradients by hand.
 */
final class Unrolled {
  // learn network begin
  final int inputSize;
  final int hiddenSize;
  final double[][] wIh; // [H][I]
  final double[][] wHh; // [H][H]
  final double[] bias; // [H]
  final double[] wOut; // [H]: the answer is read from the last state

  /** All weights zero. */
  Unrolled(int inputSize, int hiddenSize) {
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    wIh = new double[hiddenSize][inputSize];
    wHh = new double[hiddenSize][hiddenSize];
    bias = new double[hiddenSize];
    wOut = new double[hiddenSize];
  }

  // learn network end

  /** All weights but the bias uniform within 1/sqrt(H). */
  static Unrolled random(int inputSize, int hiddenSize, Random random) {
    Unrolled network = new Unrolled(inputSize, hiddenSize);
    double range = 1 / Math.sqrt(hiddenSize);
    for (int j = 0; j < hiddenSize; j++) {
      Arrays.setAll(network.wIh[j], i -> range * (2 * random.nextDouble() - 1));
      Arrays.setAll(network.wHh[j], k -> range * (2 * random.nextDouble() - 1));
      network.wOut[j] = range * (2 * random.nextDouble() - 1);
    }
    return network;
  }

  // learn forward begin
  /** The states of all steps, [T+1][H]: h[0] is zero, h[t+1] comes after x[t]. */
  double[][] forward(double[][] x) {
    double[][] h = new double[x.length + 1][hiddenSize];
    for (int t = 0; t < x.length; t++) {
      for (int j = 0; j < hiddenSize; j++) {
        double sum = bias[j];
        for (int i = 0; i < inputSize; i++) {
          sum += wIh[j][i] * x[t][i];
        }
        for (int k = 0; k < hiddenSize; k++) {
          sum += wHh[j][k] * h[t][k];
        }
        h[t + 1][j] = Math.tanh(sum);
      }
    }
    return h;
  }

  // learn forward end

  // learn loss begin
  /** What it answers after the last step. */
  double answer(double[][] h) {
    double answer = 0;
    for (int j = 0; j < hiddenSize; j++) {
      answer += wOut[j] * h[h.length - 1][j];
    }
    return answer;
  }

  /** Half the squared error. */
  double loss(double[][] x, double target) {
    double error = answer(forward(x)) - target;
    return error * error / 2;
  }

  // learn loss end

  // learn backward begin
  /** Adds the gradients of the loss to those of d: backpropagation through time. */
  void backward(double[][] x, double target, Unrolled d) {
    double[][] h = forward(x);
    double error = answer(h) - target;
    double[] dh = new double[hiddenSize]; // of the loss with respect to h[t+1]
    for (int j = 0; j < hiddenSize; j++) {
      d.wOut[j] += error * h[x.length][j];
      dh[j] = error * wOut[j];
    }
    for (int t = x.length - 1; t >= 0; t--) {
      double[] dhBefore = new double[hiddenSize];
      for (int j = 0; j < hiddenSize; j++) {
        double dSum = dh[j] * (1 - h[t + 1][j] * h[t + 1][j]); // through the tanh
        d.bias[j] += dSum;
        for (int i = 0; i < inputSize; i++) {
          d.wIh[j][i] += dSum * x[t][i];
        }
        for (int k = 0; k < hiddenSize; k++) {
          d.wHh[j][k] += dSum * h[t][k];
          dhBefore[k] += dSum * wHh[j][k];
        }
      }
      dh = dhBefore; // one step further into the past
    }
  }

  // learn backward end

  // learn check begin
  /** The gradient of wHh[j][k] by central differences: what backward must agree with. */
  double measured(double[][] x, double target, int j, int k) {
    double epsilon = 1e-5;
    double weight = wHh[j][k];
    wHh[j][k] = weight + epsilon;
    double above = loss(x, target);
    wHh[j][k] = weight - epsilon;
    double below = loss(x, target);
    wHh[j][k] = weight;
    return (above - below) / (2 * epsilon);
  }

  // learn check end

  // learn learn begin
  /** Moves every weight against its gradient. */
  void update(Unrolled d, double rate) {
    for (int j = 0; j < hiddenSize; j++) {
      for (int i = 0; i < inputSize; i++) {
        wIh[j][i] -= rate * d.wIh[j][i];
      }
      for (int k = 0; k < hiddenSize; k++) {
        wHh[j][k] -= rate * d.wHh[j][k];
      }
      bias[j] -= rate * d.bias[j];
      wOut[j] -= rate * d.wOut[j];
    }
  }

  /** Learns to say at the end what came first, 1 or -1; returns the mean loss at the end. */
  double learn(int steps, int sequences, double rate, Random random) {
    double mean = 1;
    for (int n = 0; n < sequences; n++) {
      double[][] x = new double[steps][inputSize];
      for (double[] step : x) {
        step[0] = random.nextBoolean() ? 1 : -1;
      }
      mean += 0.01 * (loss(x, x[0][0]) - mean);
      Unrolled d = new Unrolled(inputSize, hiddenSize);
      backward(x, x[0][0], d);
      update(d, rate);
    }
    return mean;
  }

  // learn learn end
}
