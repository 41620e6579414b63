package io.unroll;

/** A tensor, buffer or file does not have the shape that the call needs. Nothing was changed. */
public final class ShapeException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, the shape found, the shape expected
   */
  public ShapeException(String message) {
    super(message);
  }
}
