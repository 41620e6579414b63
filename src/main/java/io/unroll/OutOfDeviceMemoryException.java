package io.unroll;

/**
 * A device has no room for a buffer. Its backend stays usable: what was not taken is not missed.
 * {@link io.unroll.engine.MemoryPlan} tells beforehand what a step takes and which batch fits.
 */
public final class OutOfDeviceMemoryException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** Bytes of the buffer that was refused. */
  private final long wantedBytes;

  /** Bytes in use when it was refused. */
  private final long liveBytes;

  /** Bytes that the device holds in all. */
  private final long deviceBytes;

  /** Bytes that it could have held. */
  private final long availableBytes;

  /**
   * Of a device that does not tell how much is free.
   *
   * @param message what was wanted, what there is, what the user can do
   * @param wantedBytes of the buffer that was refused
   * @param liveBytes in use on the device when it was refused, as far as the backend knows
   * @param deviceBytes {@link Backend#memoryBytes} of the device
   * @param cause what the device's library threw, or null
   */
  public OutOfDeviceMemoryException(
      String message, long wantedBytes, long liveBytes, long deviceBytes, Throwable cause) {
    this(message, wantedBytes, liveBytes, deviceBytes, liveBytes, cause);
  }

  /**
   * @param message what was wanted, what there is, what the user can do
   * @param wantedBytes of the buffer that was refused
   * @param liveBytes in use on the device when it was refused, as far as the backend knows
   * @param deviceBytes {@link Backend#memoryBytes} of the device
   * @param availableBytes liveBytes and what nobody held then
   * @param cause what the device's library threw, or null
   */
  public OutOfDeviceMemoryException(
      String message,
      long wantedBytes,
      long liveBytes,
      long deviceBytes,
      long availableBytes,
      Throwable cause) {
    super(message, cause);
    this.availableBytes = availableBytes;
    this.wantedBytes = wantedBytes;
    this.liveBytes = liveBytes;
    this.deviceBytes = deviceBytes;
  }

  /** Bytes of the buffer that was refused. */
  public long wantedBytes() {
    return wantedBytes;
  }

  /** Bytes in use on the device when the buffer was refused, as far as the backend knows. */
  public long liveBytes() {
    return liveBytes;
  }

  /**
   * Bytes that the backend could have held when the buffer was refused, because others hold the
   * rest: {@link #liveBytes} where it is not known what was free.
   */
  public long availableBytes() {
    return availableBytes;
  }

  /** Bytes that the device holds in all, Long.MAX_VALUE where that is not known. */
  public long deviceBytes() {
    return deviceBytes;
  }
}
