package io.unroll.nn;

import io.unroll.ShapeException;
import io.unroll.device.Span;
import io.unroll.engine.Kernels;

/** Losses: each returns one element, the mean over what counts unless it is told otherwise. */
public final class Losses {
  private static final int[] ONE_ELEMENT = {1};

  private Losses() {}

  /**
   * Softmax cross-entropy in nats, as {@code torch.nn.functional.cross_entropy}: the mean over all
   * rows whose target is not {@link Indices#IGNORED}; 0 if there are none.
   *
   * @param logits [.., C], unnormalised
   * @param targets as many classes as logits has rows, each in [0, C)
   * @throws ShapeException if the numbers of rows differ
   * @throws IllegalArgumentException if a class is out of range
   */
  public static Tensor crossEntropy(Tensor logits, Indices targets) {
    return crossEntropy(logits, targets, 0);
  }

  /**
   * As {@link #crossEntropy(Tensor, Indices)} with smoothed targets: the right class has the
   * probability 1 - labelSmoothing + labelSmoothing/C, each other one labelSmoothing/C. Szegedy et
   * al., "Rethinking the Inception architecture for computer vision", CVPR 2016; {@code
   * label_smoothing} in PyTorch.
   *
   * @param logits [.., C], unnormalised
   * @param targets as many classes as logits has rows, each in [0, C)
   * @param labelSmoothing from 0 to 1; the smallest loss that can be reached grows with it
   * @throws ShapeException if the numbers of rows differ
   * @throws IllegalArgumentException if a class or the smoothing is out of range
   */
  public static Tensor crossEntropy(Tensor logits, Indices targets, double labelSmoothing) {
    Tape tape = tapeOf(logits);
    int classes = logits.dim(-1);
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
      throw new IllegalArgumentException(
          "labelSmoothing must be from 0 to 1, but is " + labelSmoothing);
    }
    double other = labelSmoothing / classes;
    Kernels.Wanted wanted = new Kernels.Wanted(Indices.IGNORED, 1 - labelSmoothing + other, other);
    if (targets.size() * classes != logits.size()) {
      throw new ShapeException(
          "crossEntropy needs one target for each row of "
              + logits
              + ", that is "
              + logits.size() / classes
              + ", but found "
              + targets.size());
    }
    targets.requireNotDrawn("targets");
    targets.requireRange("targets", 0, classes - 1, true);
    Kernels kernels = tape.kernels();
    Span lse = tape.arena().reals(targets.size());
    Span rowLoss = tape.arena().reals(targets.size());
    Span mean = tape.arena().reals(2);
    kernels.crossEntropyForward(logits.value(), targets.value(), lse, rowLoss, wanted);
    kernels.crossEntropyMean(rowLoss, targets.value(), mean, Indices.IGNORED);
    Tensor loss = tape.result(mean.slice(0, 1), logits.needsGradient(), ONE_ELEMENT);
    tape.record(
        loss,
        () -> {
          if (loss.hasGradient()) {
            double beta = logits.gradientBeta();
            kernels.crossEntropyBackward(
                logits.value(),
                targets.value(),
                lse,
                mean,
                loss.gradient(),
                logits.gradient(),
                wanted,
                beta);
          }
        });
    return loss;
  }

  /**
   * Mean squared error over all elements, as {@code torch.nn.functional.mse_loss}.
   *
   * @param x prediction
   * @param target same number of elements; gets no gradient
   */
  public static Tensor meanSquaredError(Tensor x, Tensor target) {
    return meanSquaredError(x, target, null);
  }

  /**
   * Weighted mean squared error: sum of w (x-target)^2 over sum of w. An element of weight 0 is not
   * looked at, so padding and missing values may hold anything there.
   *
   * @param x prediction
   * @param target same number of elements; gets no gradient
   * @param weights same number of elements, at least 0, or null for all 1; gets no gradient
   * @throws ShapeException if the numbers of elements differ
   */
  public static Tensor meanSquaredError(Tensor x, Tensor target, Tensor weights) {
    Tape tape = tapeOf(x);
    if (target.size() != x.size() || (weights != null && weights.size() != x.size())) {
      throw new ShapeException(
          "meanSquaredError needs as many targets and weights as predictions, found "
              + x
              + ", "
              + target
              + ", "
              + weights);
    }
    tape.owned(target);
    Kernels kernels = tape.kernels();
    Span w = weights == null ? null : tape.owned(weights).value();
    Span mean = tape.arena().reals(2);
    kernels.squaredErrorMean(x.value(), target.value(), w, mean);
    Tensor loss = tape.result(mean.slice(0, 1), x.needsGradient(), ONE_ELEMENT);
    tape.record(
        loss,
        () -> {
          if (loss.hasGradient()) {
            double beta = x.gradientBeta();
            kernels.squaredErrorBackward(
                x.value(), target.value(), w, mean, loss.gradient(), x.gradient(), beta);
          }
        });
    return loss;
  }

  /**
   * {@link #ctc(Tensor, Indices, int[][], CtcOptions)} with {@link CtcOptions#DEFAULT}: class 0 is
   * the blank, the mean of what a label costs, infinite if a row is impossible.
   *
   * @param logits [T,B,C], unnormalised, time first
   * @param lengths the number of frames of each row [B], each in [0, T], or null for T everywhere
   * @param labels of each row [B][], each in [1, C); not changed
   */
  public static Tensor ctc(Tensor logits, Indices lengths, int[][] labels) {
    return ctc(logits, lengths, labels, CtcOptions.DEFAULT);
  }

  /**
   * Connectionist temporal classification in nats, as {@code torch.nn.functional.ctc_loss} of a
   * log-softmax: -log of the probability that the frames of a row read as its labels when repeats
   * are merged and blanks are left out, summed over every alignment. Graves et al., ICML 2006;
   * docs/equations.md.
   *
   * <p>N labels of which R equal the one before them need N + R frames. With fewer a row is
   * impossible: its loss is infinite and its gradient NaN, unless {@link CtcOptions#zeroInfinity}
   * leaves it out. A row without labels should be all blank; one without frames reads as no labels.
   *
   * @param logits [T,B,C], unnormalised, time first; not read past the length of a row
   * @param lengths the number of frames of each row [B], each in [0, T], or null for T everywhere
   * @param labels of each row [B][], as long as they are, each in [0, C) but not the blank; not
   *     changed
   * @throws ShapeException if logits is not [T,B,C], or lengths or labels are not B
   * @throws IllegalArgumentException if a length or a label is out of range
   */
  public static Tensor ctc(Tensor logits, Indices lengths, int[][] labels, CtcOptions options) {
    return new CtcLoss(tapeOf(logits), logits, lengths, labels, options).run();
  }

  private static Tape tapeOf(Tensor x) {
    if (x.tape() == null) {
      throw new IllegalArgumentException("a loss needs a result of a tape, but got a parameter");
    }
    return x.tape();
  }
}
