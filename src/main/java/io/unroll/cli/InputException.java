package io.unroll.cli;

/** The user gave something that a command cannot work with: exit code 2. */
final class InputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what, found, allowed, cure
   */
  InputException(String message) {
    super(message);
  }
}
