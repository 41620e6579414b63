package io.unroll;

/**
 * A device failed while working; its backend can then only be closed, but after an {@link
 * OutOfDeviceMemoryException} and where a method says so.
 */
public class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message which call failed, what the device said, what the user can do
   */
  public DeviceException(String message) {
    super(message);
  }

  /**
   * @param message which call failed, what the device said, what the user can do
   * @param cause what the device's library threw
   */
  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
