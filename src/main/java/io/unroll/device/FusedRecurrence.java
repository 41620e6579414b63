package io.unroll.device;

/**
 * A device's way to run all steps of a {@link RecurrentCall} in one call, with the weights kept
 * close to the arithmetic.
 */
public interface FusedRecurrence {
  /** Computes states, keep and y from zx and the first states. */
  void forward(RecurrentCall call);

  /**
   * Computes dzx, dzh and the gradient of the first states from dy and that of the last states, and
   * adds to dUnit.
   */
  void backward(RecurrentCall call);

  /** What a step forward takes with so many rows, or null where nobody has counted it. */
  default Step step(int batch) {
    return null;
  }

  /**
   * What one step takes of a device, for models of its time.
   *
   * @param isLaunch whether each step is a launch of its own; else all are one, in which a group
   *     waits for its own lanes after each step
   * @param groups that work side by side
   * @param bytes of W_hh that all groups together read from beyond their processors in each step
   */
  record Step(boolean isLaunch, long groups, long bytes) {}

  /**
   * What a device answers when asked for a fused recurrence.
   *
   * @param recurrence the way, or null
   * @param refusal why there is none, with the sizes that would fit; null if there is one
   */
  record Offer(FusedRecurrence recurrence, String refusal) {
    /** An offer to run it. */
    public static Offer of(FusedRecurrence recurrence) {
      return new Offer(recurrence, null);
    }

    /** A refusal, in words for the user. */
    public static Offer refused(String why) {
      return new Offer(null, why);
    }
  }
}
