package io.unroll.device;

/**
 * Times whole stretches of work by the device's own clock, and sets what a benchmark may ask of a
 * device besides. Takes what it needs when it is first used, and gives it back when it is closed.
 */
public interface DeviceTimer extends AutoCloseable {
  /** Waits for the queue. Time runs from the beginning of the first command that comes then. */
  void start();

  /**
   * Waits for what has been queued since {@link #start}.
   *
   * @return seconds from the beginning of the first command to the end of the last
   * @throws IllegalStateException if it was not started, or no command came
   */
  double stop();

  /**
   * Waits for the queue and lets the device write more than its caches hold, so that what comes
   * next finds none of its data there.
   *
   * @throws io.unroll.OutOfDeviceMemoryException if there is no room for that; it stays usable
   */
  void emptyCaches();

  /** How many bytes displace all that the caches hold: those that {@link #emptyCaches} writes. */
  long beyondCaches();

  /** Bytes of the device's memory that nobody holds, or -1 if it does not tell. */
  long freeBytes();

  /**
   * Whether the device may give its driver many commands as one, as graphs; it may until it is told
   * otherwise, and again after {@link #close}.
   */
  void useGraphs(boolean allowed);

  /** Frees what it has taken. */
  @Override
  void close();

  /**
   * What a device answers when asked for a timer.
   *
   * @param timer the timer, or null
   * @param refusal why there is none; null if there is one
   */
  record Offer(DeviceTimer timer, String refusal) {
    /** An offer to time. */
    public static Offer of(DeviceTimer timer) {
      return new Offer(timer, null);
    }

    /** A refusal, in words for the user. */
    public static Offer refused(String why) {
      return new Offer(null, why);
    }
  }
}
