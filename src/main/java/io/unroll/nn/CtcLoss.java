package io.unroll.nn;

import io.unroll.ShapeException;
import io.unroll.device.Span;
import io.unroll.engine.CtcRows;
import io.unroll.engine.Kernels;
import java.util.Arrays;

/** One call of {@link Losses#ctc(Tensor, Indices, int[][], CtcOptions)}. */
final class CtcLoss {
  private final Tape tape;
  private final Tensor logits;
  private final Indices lengths;
  private final int[][] labels;
  private final CtcOptions options;
  private final int steps;
  private final int batch;
  private final int classes;
  private final int longest;

  CtcLoss(Tape tape, Tensor logits, Indices lengths, int[][] labels, CtcOptions options) {
    this.tape = tape;
    this.logits = logits;
    this.lengths = lengths;
    this.labels = labels;
    this.options = options;
    if (logits.shape().length != 3) {
      throw new ShapeException("ctc needs logits [T,B,C], found " + logits);
    }
    steps = logits.dim(0);
    batch = logits.dim(1);
    classes = logits.dim(2);
    if (labels.length != batch) {
      throw new ShapeException(
          "ctc needs labels for B = " + batch + " rows, found " + labels.length);
    }
    if (lengths != null) {
      requireLengths();
    }
    if (options.blank() < 0 || options.blank() >= classes) {
      throw new IllegalArgumentException(
          "the blank must be a class from 0 to " + (classes - 1) + ", but is " + options.blank());
    }
    for (int b = 0; b < batch; b++) {
      requireLabels(b);
    }
    longest = Arrays.stream(labels).mapToInt(row -> row.length).max().orElse(0);
  }

  private void requireLengths() {
    if (lengths.size() != batch) {
      throw new ShapeException(
          "ctc needs a length for each of B = " + batch + " rows, found " + lengths.size());
    }
    lengths.requireNotDrawn("lengths");
    lengths.requireRange("lengths", 0, steps, false);
  }

  private void requireLabels(int b) {
    for (int i = 0; i < labels[b].length; i++) {
      int label = labels[b][i];
      if (label < 0 || label >= classes || label == options.blank()) {
        throw new IllegalArgumentException(
            "labels[%d][%d] must be a class from 0 to %d other than the blank, %d, but is %d"
                .formatted(b, i, classes - 1, options.blank(), label));
      }
    }
  }

  /** Queues the loss and records its gradient, for which alone paths are followed backward. */
  Tensor run() {
    Kernels kernels = tape.kernels();
    boolean differentiable = logits.needsGradient() && tape.training();
    CtcRows rows =
        new CtcRows(
            logits.value(),
            tape.indices(symbols(), batch, longest + 2).value(),
            tape.indices(labelLengths(), batch).value(),
            lengths == null ? null : lengths.value(),
            classes);
    Span weights = tape.input(weights(), batch).value();
    long frames = (long) steps * batch;
    Span lse = tape.arena().reals(frames);
    Span emission = tape.arena().reals(frames * (longest + 1));
    Span paths = tape.arena().reals((differentiable ? 2 : 1) * frames * (2 * longest + 3));
    Span lossAndScale = tape.arena().reals(2L * batch);
    Tensor loss = tape.result(differentiable, 1);
    kernels.ctcEmissions(rows, lse, emission);
    kernels.ctcPaths(rows, emission, weights, paths, lossAndScale, options.zeroInfinity());
    kernels.columnSum(lossAndScale.slice(0, batch), loss.value(), 0);
    Span scale = lossAndScale.slice(batch, batch);
    tape.record(
        loss,
        () -> {
          if (loss.hasGradient()) {
            double beta = logits.gradientBeta();
            Span dLoss = loss.gradient();
            kernels.ctcBackward(rows, lse, emission, paths, scale, dLoss, logits.gradient(), beta);
          }
        });
    return loss;
  }

  /** Of each row the blank, its labels, then blanks to the end. */
  private int[] symbols() {
    int[] symbols = new int[batch * (longest + 2)];
    Arrays.fill(symbols, options.blank());
    for (int b = 0; b < batch; b++) {
      System.arraycopy(labels[b], 0, symbols, b * (longest + 2) + 1, labels[b].length);
    }
    return symbols;
  }

  private int[] labelLengths() {
    return Arrays.stream(labels).mapToInt(row -> row.length).toArray();
  }

  private double[] weights() {
    return switch (options.reduction()) {
      case SUM -> Arrays.stream(labels).mapToDouble(row -> 1).toArray();
      case MEAN ->
          Arrays.stream(labels).mapToDouble(row -> 1.0 / batch / Math.max(1, row.length)).toArray();
    };
  }
}
