package io.unroll;

/**
 * How to open a backend.
 *
 * @param threads worker threads of the CPU backends, at least 1, or 0 for one per physical core
 *     that this process may use
 * @param precision arithmetic of the matrix products, or {@code null} for the backend's own default
 */
public record BackendOptions(int threads, Precision precision) {
  /** One thread per physical core, the backend's own precision. */
  public static final BackendOptions DEFAULT = new BackendOptions(0, null);

  /** Checks the number of threads. */
  public BackendOptions {
    if (threads < 0) {
      throw new IllegalArgumentException(
          "threads must be at least 1, or 0 for one per core, but is " + threads);
    }
  }

  /** The same options with another number of threads. */
  public BackendOptions withThreads(int threads) {
    return new BackendOptions(threads, precision);
  }

  /** The same options with another precision. */
  public BackendOptions withPrecision(Precision precision) {
    return new BackendOptions(threads, precision);
  }

  /** The number of threads, with 0 resolved to the physical cores that this process may use. */
  public int resolvedThreads() {
    return threads > 0 ? threads : PhysicalCores.count();
  }
}
