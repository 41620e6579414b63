package io.unroll.device.reference;

import static io.unroll.device.reference.ReferenceDevice.ints;
import static io.unroll.device.reference.ReferenceDevice.reals;
import static io.unroll.device.reference.ReferenceKernels.at;
import static io.unroll.device.reference.ReferenceKernels.put;
import static io.unroll.reference.ReferenceCtc.logAdd;
import static io.unroll.reference.ReferenceLosses.crossEntropyGradient;

import io.unroll.device.KernelArgs;

/** The kernels of connectionist temporal classification in float64. */
final class ReferenceCtc {
  private static final double IMPOSSIBLE = Double.NEGATIVE_INFINITY;

  private ReferenceCtc() {}

  static void emissions(KernelArgs args, int items) {
    double[] logits = reals(args.bufferAt(0));
    int[] symbols = ints(args.bufferAt(1));
    double[] emission = reals(args.bufferAt(4));
    int batch = args.i32At(5);
    int classes = args.i32At(6);
    int longest = args.i32At(7);
    for (int r = 0; r < items; r++) {
      int b = r % batch;
      if (r / batch < length(args, 2, b, Integer.MAX_VALUE)) {
        int row = at(args, 0) + r * classes;
        double lse = ReferenceLosses.logSumExp(logits, row, classes);
        reals(args.bufferAt(3))[at(args, 3) + r] = lse;
        for (int k = 0; k <= longest; k++) {
          int symbol = symbols[at(args, 1) + b * (longest + 2) + k];
          emission[at(args, 4) + r * (longest + 1) + k] = logits[row + symbol] - lse;
        }
      }
    }
  }

  static void paths(KernelArgs args, int items) {
    int batch = args.i32At(9);
    for (int item = 0; item < items; item++) {
      double logP = new Walk(args, item / batch, item % batch).run();
      if (item < batch) {
        double weight = reals(args.bufferAt(4))[at(args, 4) + item];
        boolean impossible = logP == IMPOSSIBLE;
        boolean zero = impossible && args.i32At(11) != 0;
        double scale = impossible ? Double.NaN : weight;
        reals(args.bufferAt(6))[at(args, 6) + item] = zero ? 0 : -weight * logP;
        reals(args.bufferAt(7))[at(args, 7) + item] = zero ? 0 : scale;
      }
    }
  }

  /** One row, from its first frame on in direction 0, from its last one back in direction 1. */
  private static final class Walk {
    private final double[] emission;
    private final double[] paths;
    private final int[] symbols;
    private final int symbolsAt;
    private final int longest;
    private final int direction;
    private final int labels;

    private final KernelArgs args;
    private final int row;

    Walk(KernelArgs args, int direction, int row) {
      this.args = args;
      this.direction = direction;
      this.row = row;
      emission = reals(args.bufferAt(0));
      symbols = ints(args.bufferAt(1));
      labels = ints(args.bufferAt(2))[at(args, 2) + row];
      paths = reals(args.bufferAt(5));
      longest = args.i32At(10);
      symbolsAt = at(args, 1) + row * (longest + 2);
    }

    /** Writes all frames; gives the log probability of the row. */
    double run() {
      int steps = args.i32At(8);
      int batch = args.i32At(9);
      int frames = length(args, 3, row, steps);
      double logP = labels == 0 ? 0 : IMPOSSIBLE;
      double shift = 0;
      double total = 0;
      int before = -1;
      for (int n = 0; n < frames; n++) {
        int r = (direction == 0 ? n : frames - 1 - n) * batch + row;
        int frame = at(args, 5) + (direction * steps * batch + r) * (2 * longest + 3);
        total += shift;
        double largest = frame(frame, before, at(args, 0) + r * (longest + 1), shift);
        shift = largest == IMPOSSIBLE ? 0 : largest;
        before = frame;
        logP = total + logAdd(paths[frame + longest + 2 + labels], paths[frame + labels]);
      }
      return logP;
    }

    /** Writes a frame out of the one walked through before, -1 for none; gives its largest. */
    private double frame(int at, int before, int emissionAt, double shift) {
      double largest = IMPOSSIBLE;
      paths[at] = IMPOSSIBLE;
      paths[at + labels + 1] = IMPOSSIBLE;
      for (int k = 0; k < labels; k++) {
        boolean first = k == direction * (labels - 1);
        double ways = before < 0 ? start(first) : intoLabel(before, k);
        paths[at + k + 1] = ways - shift + emission[emissionAt + k + 1];
        largest = Math.max(largest, paths[at + k + 1]);
      }
      for (int k = 0; k <= labels; k++) {
        double ways = before < 0 ? start(k == direction * labels) : intoBlank(before, k);
        paths[at + longest + 2 + k] = ways - shift + emission[emissionAt];
        largest = Math.max(largest, paths[at + longest + 2 + k]);
      }
      return largest;
    }

    private static double start(boolean first) {
      return first ? 0 : IMPOSSIBLE;
    }

    private double intoLabel(int before, int k) {
      int other = k + 2 * direction;
      boolean same = symbols[symbolsAt + other] == symbols[symbolsAt + k + 1];
      double ways = logAdd(paths[before + k + 1], paths[before + longest + 2 + k + direction]);
      return same ? ways : logAdd(ways, paths[before + other]);
    }

    private double intoBlank(int before, int k) {
      return logAdd(paths[before + longest + 2 + k], paths[before + k + direction]);
    }
  }

  static void backward(KernelArgs args, int items) {
    int batch = args.i32At(11);
    int classes = args.i32At(12);
    double[] logits = reals(args.bufferAt(0));
    double[] dLogits = reals(args.bufferAt(9));
    for (int r = 0; r < items; r++) {
      int b = r % batch;
      double scale = reals(args.bufferAt(7))[at(args, 7) + b];
      boolean counts = r / batch < length(args, 3, b, Integer.MAX_VALUE) && scale != 0;
      scale *= reals(args.bufferAt(8))[at(args, 8)];
      for (int c = 0; c < classes; c++) {
        double lse = counts ? reals(args.bufferAt(4))[at(args, 4) + r] : 0;
        double y = counts ? crossEntropyGradient(logits[at(args, 0) + r * classes + c], lse, 0) : 0;
        put(dLogits, at(args, 9) + r * classes + c, counts ? y * scale : 0, args.realAt(14));
      }
      if (counts) {
        takeShares(args, r, b, scale);
      }
    }
  }

  /** Takes from the gradient of a frame the shares of the symbols that its row emits there. */
  private static void takeShares(KernelArgs args, int r, int b, double scale) {
    int longest = args.i32At(13);
    int labels = ints(args.bufferAt(2))[at(args, 2) + b];
    int frame = at(args, 6) + r * (2 * longest + 3);
    double all = IMPOSSIBLE;
    for (int s = 0; s <= 2 * labels; s++) {
      all = logAdd(all, through(args, frame, r, s, labels));
    }
    for (int s = 0; s <= 2 * labels; s++) {
      int k = s < labels ? s + 1 : 0;
      int symbol = ints(args.bufferAt(1))[at(args, 1) + b * (longest + 2) + k];
      int target = at(args, 9) + r * args.i32At(12) + symbol;
      double share = Math.exp(through(args, frame, r, s, labels) - all);
      reals(args.bufferAt(9))[target] -= share * scale;
    }
  }

  /** All paths through state s of a frame: the labels, then the blanks. */
  private static double through(KernelArgs args, int frame, int r, int s, int labels) {
    double[] paths = reals(args.bufferAt(6));
    int longest = args.i32At(13);
    int on = args.i32At(10) * args.i32At(11) * (2 * longest + 3);
    int at = frame + (s < labels ? s + 1 : longest + 2 + s - labels);
    int k = s < labels ? s + 1 : 0;
    double emission = reals(args.bufferAt(5))[at(args, 5) + r * (longest + 1) + k];
    return emission == IMPOSSIBLE ? IMPOSSIBLE : paths[at] + paths[at + on] - emission;
  }

  /** The frames of a row by buffer argument i, or all if that is absent. */
  private static int length(KernelArgs args, int i, int row, int all) {
    return args.bufferAt(i) == null ? all : ints(args.bufferAt(i))[at(args, i) + row];
  }
}
