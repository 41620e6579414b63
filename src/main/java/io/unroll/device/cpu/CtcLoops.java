package io.unroll.device.cpu;

import static io.unroll.device.cpu.PointwiseLoops.blend;
import static io.unroll.reference.ReferenceCtc.logAdd;

import io.unroll.device.KernelArgs;
import io.unroll.reference.ReferenceLosses;

/**
 * Loops of connectionist temporal classification, computed in float64 and kept in float32; {@link
 * io.unroll.device.Kernel} has their contract. One for each thread, so that a launch leaves no
 * garbage.
 */
final class CtcLoops {
  private static final float IMPOSSIBLE = Float.NEGATIVE_INFINITY;
  private static final long STATE_COST = 60;

  private float[] emission;
  private int emissionAt;
  private float[] paths;
  private int pathsAt;
  private int[] symbols;
  private int symbolsAt;
  private int steps;
  private int batch;
  private int longest;
  private int direction;
  private int labels;

  static long costOfPaths(KernelArgs args) {
    return STATE_COST * Args.integer(args, 8) * (2L * Args.integer(args, 10) + 1);
  }

  static void emissions(KernelArgs args, int from, int to, Scratch scratch) {
    float[] logits = Args.reals(args, 0);
    int[] symbols = Args.integers(args, 1);
    float[] lse = Args.reals(args, 3);
    float[] emission = Args.reals(args, 4);
    int batch = Args.integer(args, 5);
    int classes = Args.integer(args, 6);
    int longest = Args.integer(args, 7);
    for (int r = from; r < to; r++) {
      int b = r % batch;
      if (isFrame(args, 2, r / batch, b)) {
        int row = Args.at(args, 0) + r * classes;
        double log = LossLoops.logSumExp(logits, row, classes);
        lse[Args.at(args, 3) + r] = (float) log;
        int symbolsAt = Args.at(args, 1) + b * (longest + 2);
        int at = Args.at(args, 4) + r * (longest + 1);
        for (int k = 0; k <= longest; k++) {
          emission[at + k] = (float) (logits[row + symbols[symbolsAt + k]] - log);
        }
      }
    }
  }

  static void paths(KernelArgs args, int from, int to, Scratch scratch) {
    scratch.ctc.walk(args, from, to);
  }

  private void walk(KernelArgs args, int from, int to) {
    emission = Args.reals(args, 0);
    symbols = Args.integers(args, 1);
    paths = Args.reals(args, 5);
    steps = Args.integer(args, 8);
    batch = Args.integer(args, 9);
    longest = Args.integer(args, 10);
    for (int item = from; item < to; item++) {
      direction = item / batch;
      int row = item % batch;
      symbolsAt = Args.at(args, 1) + row * (longest + 2);
      labels = Args.integers(args, 2)[Args.at(args, 2) + row];
      double logP = walk(args, row);
      if (direction == 0) {
        finish(args, row, logP);
      }
    }
  }

  private static void finish(KernelArgs args, int row, double logP) {
    float weight = Args.reals(args, 4)[Args.at(args, 4) + row];
    boolean impossible = logP == IMPOSSIBLE;
    boolean zero = impossible && Args.integer(args, 11) != 0;
    Args.reals(args, 6)[Args.at(args, 6) + row] = zero ? 0 : (float) (-weight * logP);
    float scale = impossible ? Float.NaN : weight;
    Args.reals(args, 7)[Args.at(args, 7) + row] = zero ? 0 : scale;
  }

  /** Writes all frames of a row in one direction; gives its log probability. */
  private double walk(KernelArgs args, int row) {
    int[] lengths = Args.integers(args, 3);
    int frames = lengths == null ? steps : lengths[Args.at(args, 3) + row];
    double shift = 0;
    double total = 0;
    int before = -1;
    for (int n = 0; n < frames; n++) {
      int r = (direction == 0 ? n : frames - 1 - n) * batch + row;
      pathsAt = Args.at(args, 5) + (direction * steps * batch + r) * (2 * longest + 3);
      emissionAt = Args.at(args, 0) + r * (longest + 1);
      total += shift;
      float largest = frame(before, shift);
      shift = largest == IMPOSSIBLE ? 0 : largest;
      before = pathsAt;
    }
    if (frames == 0) {
      return labels == 0 ? 0 : IMPOSSIBLE;
    }
    return total + logAdd(paths[before + longest + 2 + labels], paths[before + labels]);
  }

  /** Writes a frame out of the one walked through before, -1 for none; gives its largest. */
  private float frame(int before, double shift) {
    float largest = IMPOSSIBLE;
    paths[pathsAt] = IMPOSSIBLE;
    paths[pathsAt + labels + 1] = IMPOSSIBLE;
    for (int k = 0; k < labels; k++) {
      boolean first = k == direction * (labels - 1);
      double ways = before < 0 ? start(first) : intoLabel(before, k);
      float state = (float) (ways - shift + emission[emissionAt + k + 1]);
      paths[pathsAt + k + 1] = state;
      largest = Math.max(largest, state);
    }
    for (int k = 0; k <= labels; k++) {
      double ways = before < 0 ? start(k == direction * labels) : intoBlank(before, k);
      float state = (float) (ways - shift + emission[emissionAt]);
      paths[pathsAt + longest + 2 + k] = state;
      largest = Math.max(largest, state);
    }
    return largest;
  }

  private static double start(boolean first) {
    return first ? 0 : IMPOSSIBLE;
  }

  private double intoLabel(int before, int k) {
    int other = k + 2 * direction; // the label before, in symbols as in the frame
    double ways = logAdd(paths[before + k + 1], paths[before + longest + 2 + k + direction]);
    boolean same = symbols[symbolsAt + other] == symbols[symbolsAt + k + 1];
    return same ? ways : logAdd(ways, paths[before + other]);
  }

  private double intoBlank(int before, int k) {
    return logAdd(paths[before + longest + 2 + k], paths[before + k + direction]);
  }

  static void backward(KernelArgs args, int from, int to, Scratch scratch) {
    float[] logits = Args.reals(args, 0);
    float[] dLogits = Args.reals(args, 9);
    int batch = Args.integer(args, 11);
    int classes = Args.integer(args, 12);
    float beta = Args.real(args, 14);
    double dLoss = Args.reals(args, 8)[Args.at(args, 8)];
    for (int r = from; r < to; r++) {
      int b = r % batch;
      double scale = Args.reals(args, 7)[Args.at(args, 7) + b] * dLoss;
      boolean counts = isFrame(args, 3, r / batch, b) && scale != 0;
      double lse = counts ? Args.reals(args, 4)[Args.at(args, 4) + r] : 0;
      int at = Args.at(args, 9) + r * classes;
      for (int c = 0; c < classes; c++) {
        float value = 0;
        if (counts) {
          float logit = logits[Args.at(args, 0) + r * classes + c];
          value = (float) (ReferenceLosses.crossEntropyGradient(logit, lse, 0) * scale);
        }
        dLogits[at + c] = blend(value, beta, dLogits[at + c]);
      }
      if (counts) {
        scratch.ctc.takeShares(args, r, b, scale);
      }
    }
  }

  /** Takes from the gradient of a frame the shares of the symbols that its row emits there. */
  private void takeShares(KernelArgs args, int r, int b, double scale) {
    emission = Args.reals(args, 5);
    paths = Args.reals(args, 6);
    longest = Args.integer(args, 13);
    labels = Args.integers(args, 2)[Args.at(args, 2) + b];
    int width = 2 * longest + 3;
    int on = Args.integer(args, 10) * Args.integer(args, 11) * width;
    pathsAt = Args.at(args, 6) + r * width;
    emissionAt = Args.at(args, 5) + r * (longest + 1);
    double all = IMPOSSIBLE;
    for (int s = 0; s <= 2 * labels; s++) {
      all = logAdd(all, through(s, on));
    }
    int[] symbols = Args.integers(args, 1);
    float[] dLogits = Args.reals(args, 9);
    for (int s = 0; s <= 2 * labels; s++) {
      int k = s < labels ? s + 1 : 0;
      int symbol = symbols[Args.at(args, 1) + b * (longest + 2) + k];
      int target = Args.at(args, 9) + r * Args.integer(args, 12) + symbol;
      dLogits[target] -= (float) (Math.exp(through(s, on) - all) * scale);
    }
  }

  /** All paths through state s of a frame: the labels, then the blanks. */
  private double through(int s, int on) {
    int at = pathsAt + (s < labels ? s + 1 : longest + 2 + s - labels);
    float emitted = emission[emissionAt + (s < labels ? s + 1 : 0)];
    return emitted == IMPOSSIBLE ? IMPOSSIBLE : (double) paths[at] + paths[at + on] - emitted;
  }

  /** Whether row b has a frame t, by its length in buffer argument i, if there is one. */
  private static boolean isFrame(KernelArgs args, int i, int t, int b) {
    int[] lengths = Args.integers(args, i);
    return lengths == null || t < lengths[Args.at(args, i) + b];
  }
}
