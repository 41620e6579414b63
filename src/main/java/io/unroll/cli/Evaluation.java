package io.unroll.cli;

import io.unroll.nn.Tape;
import io.unroll.train.CharRnn;
import io.unroll.train.Trainer;

/** The loss of a model on a text. */
final class Evaluation {
  private Evaluation() {}

  /**
   * The task of predicting a text that may be short: fewer streams where it does not fill them.
   *
   * @return null if it has fewer than two characters
   */
  static CharRnn.TextTask task(CharRnn model, int[] ids, int seqLength, int batch) {
    int pairs = ids.length - 1;
    if (pairs < 1) {
      return null;
    }
    int steps = Math.min(seqLength, pairs);
    return model.task(ids, steps, Math.max(1, Math.min(batch, pairs / steps)));
  }

  /** The mean loss in nats a character. */
  static double loss(CharRnn model, CharRnn.TextTask task) {
    try (Tape tape = new Tape(model.parameters().kernels().device())) {
      return Trainer.evaluate(tape, task);
    }
  }
}
