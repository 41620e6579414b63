package io.unroll.examples;

import io.unroll.Backend;

/**
 * One kind of sequence mapping, learned from data that it makes itself. The same setup gives the
 * same data on every backend, and the same losses but for rounding.
 */
public interface Example {
  /** The name of its class. */
  default String name() {
    return getClass().getSimpleName();
  }

  /** What its figures are made with. */
  Setup usual(Backend backend, long seed);

  /** Learns, then measures. */
  Learned run(Setup setup);
}
