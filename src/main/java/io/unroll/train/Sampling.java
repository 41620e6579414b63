package io.unroll.train;

import io.unroll.Philox;
import java.util.Arrays;

/**
 * How the next symbol is drawn from a model's logits.
 *
 * @param temperature divides the logits: below 1 bolder, above 1 wilder; 0 always takes the most
 *     likely symbol
 * @param topK draws only among the so many most likely symbols; 0 for all
 * @param seed of the draws; the same seed draws the same
 */
public record Sampling(double temperature, int topK, long seed) {
  /** Temperature 1, all symbols. */
  public static Sampling seeded(long seed) {
    return new Sampling(1, 0, seed);
  }

  /** Always the most likely symbol. */
  public static Sampling greedy() {
    return new Sampling(0, 0, 0);
  }

  /** Checks the numbers. */
  public Sampling {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "temperature must be above 0, or 0 for greedy, but is " + temperature);
    }
    if (topK < 0) {
      throw new IllegalArgumentException("top-k must be at least 1, or 0 for all, but is " + topK);
    }
  }

  /**
   * Draws a symbol.
   *
   * @param logits one per symbol, unnormalised
   * @param position how many draws came before
   * @return its number
   * @throws TrainingDivergedException if a logit is NaN
   */
  public int draw(float[] logits, long position) {
    int best = 0;
    for (int i = 0; i < logits.length; i++) {
      if (Float.isNaN(logits[i])) {
        throw new TrainingDivergedException(
            "the model's output is NaN, so nothing can be drawn; use an earlier checkpoint");
      }
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    if (temperature == 0) {
      return best;
    }
    float threshold = threshold(logits);
    double[] weights = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      if (logits[i] >= threshold) {
        weights[i] = StrictMath.exp((logits[i] - (double) logits[best]) / temperature);
        sum += weights[i];
      }
    }
    double left = Philox.uniform(seed, position) * sum;
    for (int i = 0; i < weights.length; i++) {
      left -= weights[i];
      if (left < 0 && weights[i] > 0) {
        return i;
      }
    }
    return best;
  }

  /** The smallest logit that may still be drawn. */
  private float threshold(float[] logits) {
    if (topK == 0 || topK >= logits.length) {
      return Float.NEGATIVE_INFINITY;
    }
    float[] sorted = logits.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length - topK];
  }
}
