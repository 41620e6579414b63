package io.unroll.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Gives work that Ctrl-C interrupts, or a request to end the process, the time to save itself: asks
 * it to stop and holds the end of the process until this is closed.
 */
final class Interruption implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 60;

  private final CountDownLatch saved = new CountDownLatch(1);
  private final Thread hook;
  private volatile boolean requested;

  /**
   * @param stop asks the work to end soon; runs on another thread
   */
  Interruption(Runnable stop) {
    hook =
        new Thread(
            () -> {
              requested = true;
              stop.run();
              try {
                saved.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "save before the end");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Whether the process is ending. */
  boolean requested() {
    return requested;
  }

  @Override
  public void close() {
    saved.countDown();
    if (!requested) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException endingRightNow) {
        return;
      }
    }
  }
}
