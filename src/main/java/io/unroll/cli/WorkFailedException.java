package io.unroll.cli;

/** The input was good but the work failed: exit code 1. */
final class WorkFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what failed, what was found, cure
   */
  WorkFailedException(String message) {
    super(message);
  }
}
