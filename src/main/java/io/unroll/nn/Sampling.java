package io.unroll.nn;

/**
 * How a class, such as the next symbol of a text, is drawn from a model's logits; {@link Sampler}
 * does it.
 *
 * @param temperature divides the logits: below 1 bolder, above 1 wilder; 0 always takes the most
 *     likely class
 * @param topK draws only among the so many most likely classes, and those as likely as the last of
 *     them; 0 for all
 * @param seed of the draws; the same seed draws the same
 */
public record Sampling(double temperature, int topK, long seed) {
  /** Temperature 1, all classes. */
  public static Sampling seeded(long seed) {
    return new Sampling(1, 0, seed);
  }

  /** Always the most likely class. */
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

  /** 0 for greedy, and never that for another temperature, in float32 either. */
  double inverseTemperature() {
    return temperature == 0 ? 0 : Math.max(1 / temperature, Float.MIN_NORMAL);
  }
}
