package io.unroll.nn;

import io.unroll.Philox;

/** The first value of a parameter's elements, a function of the seed and of the position. */
@FunctionalInterface
public interface Initializer {
  /**
   * @param seed of the parameters
   * @param position of the element among all elements of all parameters
   */
  float at(long seed, long position);

  /** Uniform in [-bound, bound), as {@code torch.nn.RNN} and {@code torch.nn.Linear} do. */
  static Initializer uniform(double bound) {
    return (seed, position) -> (float) ((2.0 * Philox.uniform(seed, position) - 1) * bound);
  }

  /**
   * Normal with mean 0, by Box and Muller, "A note on the generation of random normal deviates".
   */
  static Initializer normal(double deviation) {
    return (seed, position) -> {
      double u = 1 - (double) Philox.uniform(seed, 2 * position);
      double v = Philox.uniform(seed, 2 * position + 1);
      double radius = StrictMath.sqrt(-2 * StrictMath.log(u));
      return (float) (deviation * radius * StrictMath.cos(2 * Math.PI * v));
    };
  }

  /** All the same value. */
  static Initializer constant(double value) {
    return (seed, position) -> (float) value;
  }
}
