package io.unroll;

/** A backend cannot be opened here: its driver, device or library is missing. */
public final class BackendUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message which backend, why it is unavailable, what cures it
   */
  public BackendUnavailableException(String message) {
    super(message);
  }

  /**
   * @param message which backend, why it is unavailable, what cures it
   * @param cause what the probe ran into
   */
  public BackendUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
