package io.unroll.train;

/**
 * The learning rate as a function of the step, so that a resumed run continues it without any
 * state.
 */
@FunctionalInterface
public interface LearningRate {
  /**
   * @param step 0 for the first update
   */
  double at(long step);

  /** Always the same. */
  static LearningRate constant(double rate) {
    return step -> rate;
  }

  /**
   * Multiplied by a factor after every interval: char-rnn's decay.
   *
   * @param factor above 0; 0.97 in char-rnn
   * @param every interval in steps, at least 1
   * @param after steps at the full rate before the first decay
   */
  static LearningRate decaying(double rate, double factor, long every, long after) {
    if (!(factor > 0) || every < 1 || after < 0) {
      throw new IllegalArgumentException(
          "a decay needs a factor above 0, an interval of at least 1 step and a start of at least"
              + " 0, but has "
              + factor
              + ", "
              + every
              + ", "
              + after);
    }
    return step -> {
      long decays = step < after ? 0 : (step - after) / every + 1;
      return rate * Math.pow(factor, (double) decays);
    };
  }

  /**
   * Down along half a cosine: Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts.
   *
   * @param lowest the rate at the end and after it
   * @param steps length of the curve, at least 1
   */
  static LearningRate cosine(double rate, double lowest, long steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("a cosine needs at least 1 step, but has " + steps);
    }
    return step -> {
      double done = Math.min(1, (double) step / steps);
      return lowest + (rate - lowest) * (1 + StrictMath.cos(StrictMath.PI * done)) / 2;
    };
  }

  /** This rate, reached on a straight line over the first steps. */
  default LearningRate withWarmup(long steps) {
    return step -> at(step) * Math.min(1, (step + 1.0) / Math.max(1, steps));
  }
}
