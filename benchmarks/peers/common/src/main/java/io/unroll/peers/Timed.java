package io.unroll.peers;

/** Something that a child times: it is prepared and run in turn, on one thread. */
public interface Timed extends AutoCloseable {
  /** What stands outside the time: inputs are brought in place, old gradients are dropped. */
  default void prepare() {}

  /** What is timed; the result is there when it returns. */
  void run();

  /**
   * Checks what the latest run has left.
   *
   * @throws IllegalStateException if a number is NaN or infinite
   */
  void check();

  @Override
  void close();
}
