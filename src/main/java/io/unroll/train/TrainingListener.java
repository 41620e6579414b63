package io.unroll.train;

/** Hears of a training; the methods run on the training thread. */
public interface TrainingListener {
  /**
   * Where a training stands.
   *
   * @param step updates made so far
   * @param epoch passes over the data begun so far, less one
   * @param loss of the latest batch, before its update
   * @param learningRate of the latest update
   * @param validationLoss the latest one measured, NaN before the first
   */
  record Progress(long step, int epoch, double loss, double learningRate, double validationLoss) {}

  /**
   * After every update, and after the measurement if one was due. A checkpoint that is written here
   * continues exactly.
   */
  default void stepped(Progress progress) {}

  /**
   * After every measurement on the validation data.
   *
   * @param best whether it is the lowest so far
   */
  default void evaluated(Progress progress, boolean best) {}
}
