package io.unroll.train;

/** A loss or a weight is NaN or infinite. The parameters are those before the failed step. */
public final class TrainingDivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message which step, what was found, what helps
   */
  public TrainingDivergedException(String message) {
    super(message);
  }
}
