package io.unroll.device.cpu;

import io.unroll.CellSpec;
import io.unroll.device.DeviceKernel;
import io.unroll.device.Kernel;

/** A kernel with its loop. */
record JavaKernel(Kernel kernel, RangeLoop loop, RangeLoop.Cost cost) implements DeviceKernel {
  private static final long CELL_COST = 100;
  private static final long TRANSCENDENTAL_COST = 20;

  /** The loop of a kernel; the cell is null but for the two of cells. */
  static JavaKernel of(Kernel kernel, CellSpec cell) {
    return switch (kernel) {
      case CELL_FORWARD ->
          each(
              kernel,
              CELL_COST,
              (args, from, to, scratch) ->
                  scratch.cells.forwardOperands(cell, args).forward(from, to));
      case CELL_BACKWARD ->
          each(
              kernel,
              CELL_COST,
              (args, from, to, scratch) ->
                  scratch.cells.backwardOperands(cell, args).backward(from, to));
      case BIAS_ADD -> each(kernel, 1, PointwiseLoops::biasAdd);
      case COLUMN_SUM -> with(kernel, ReductionLoops::columnSum, a -> Args.integer(a, 2));
      case GATHER_ROWS -> each(kernel, 1, RowLoops::gather);
      case MASK_ROWS -> each(kernel, 1, RowLoops::mask);
      case SCATTER_ADD_ROWS -> with(kernel, RowLoops::scatterAdd, a -> Args.integer(a, 3));
      case CROSS_ENTROPY_FORWARD ->
          with(
              kernel,
              LossLoops::crossEntropyForward,
              a -> TRANSCENDENTAL_COST * Args.integer(a, 4));
      case CROSS_ENTROPY_MEAN -> each(kernel, 1, LossLoops::crossEntropyMean);
      case CROSS_ENTROPY_BACKWARD ->
          each(kernel, TRANSCENDENTAL_COST, LossLoops::crossEntropyBackward);
      case SQUARED_ERROR_MEAN -> each(kernel, 1, LossLoops::squaredErrorMean);
      case SQUARED_ERROR_BACKWARD -> each(kernel, 1, LossLoops::squaredErrorBackward);
      case CTC_EMISSIONS ->
          with(kernel, CtcLoops::emissions, a -> TRANSCENDENTAL_COST * Args.integer(a, 6));
      case CTC_PATHS -> with(kernel, CtcLoops::paths, CtcLoops::costOfPaths);
      case CTC_BACKWARD ->
          with(
              kernel,
              CtcLoops::backward,
              a -> TRANSCENDENTAL_COST * (Args.integer(a, 12) + 4L * Args.integer(a, 13)));
      case SAMPLE ->
          with(kernel, SamplingLoops::sample, a -> 2 * TRANSCENDENTAL_COST * Args.integer(a, 2));
      case TANH_FORWARD -> each(kernel, TRANSCENDENTAL_COST, PointwiseLoops::tanhForward);
      case TANH_BACKWARD -> each(kernel, 1, PointwiseLoops::tanhBackward);
      case SIGMOID_FORWARD -> each(kernel, TRANSCENDENTAL_COST, PointwiseLoops::sigmoidForward);
      case SIGMOID_BACKWARD -> each(kernel, 1, PointwiseLoops::sigmoidBackward);
      case RELU_FORWARD -> each(kernel, 1, PointwiseLoops::reluForward);
      case RELU_BACKWARD -> each(kernel, 1, PointwiseLoops::reluBackward);
      case AXPBY -> each(kernel, 1, PointwiseLoops::axpby);
      case MULTIPLY -> each(kernel, 1, PointwiseLoops::multiply);
      case COPY_ROWS -> each(kernel, 1, RowLoops::copy);
      case TRANSPOSE -> each(kernel, 1, RowLoops::transpose);
      case DROPOUT -> each(kernel, TRANSCENDENTAL_COST, PointwiseLoops::dropout);
      case SGD -> each(kernel, 1, OptimizerLoops::sgd);
      case MOMENTUM -> each(kernel, 1, OptimizerLoops::momentum);
      case ADAGRAD -> each(kernel, 2, OptimizerLoops::adagrad);
      case RMSPROP -> each(kernel, 2, OptimizerLoops::rmsprop);
      case ADAM -> each(kernel, 2, OptimizerLoops::adam);
      case SQUARE_SUM ->
          with(kernel, ReductionLoops::squareSum, a -> Args.integer(a, 2) / Args.integer(a, 3));
      case CLIP_FACTOR -> each(kernel, 1, ReductionLoops::clipFactor);
      case SCALE_BY -> each(kernel, 1, PointwiseLoops::scaleBy);
      case CLAMP -> each(kernel, 1, PointwiseLoops::clamp);
      case SOFTMAX_FORWARD ->
          with(
              kernel,
              AttentionLoops::softmaxForward,
              a -> TRANSCENDENTAL_COST * Args.integer(a, 3));
      case SOFTMAX_BACKWARD ->
          with(kernel, AttentionLoops::softmaxBackward, a -> 2L * Args.integer(a, 4));
      case ADDITIVE_SCORE_FORWARD ->
          with(
              kernel,
              AttentionLoops::additiveScoreForward,
              a -> TRANSCENDENTAL_COST * Args.integer(a, 6));
      case ADDITIVE_SCORE_BACKWARD ->
          with(
              kernel,
              AttentionLoops::additiveScoreBackward,
              a -> TRANSCENDENTAL_COST * Args.integer(a, 8));
    };
  }

  private static JavaKernel each(Kernel kernel, long cost, RangeLoop loop) {
    return new JavaKernel(kernel, loop, args -> cost);
  }

  private static JavaKernel with(Kernel kernel, RangeLoop loop, RangeLoop.Cost cost) {
    return new JavaKernel(kernel, loop, cost);
  }
}
