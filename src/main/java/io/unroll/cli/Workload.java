package io.unroll.cli;

/** What {@link Stopwatch} times, again and again. */
interface Workload extends AutoCloseable {
  /** Copies inputs to the device and the like: what is not timed. */
  void prepare();

  /** Queues what is timed. */
  void work();

  /**
   * Looks at the results of the last {@link #work}.
   *
   * @throws WorkFailedException if one is NaN or infinite
   */
  void requireFinite();

  @Override
  void close();
}
