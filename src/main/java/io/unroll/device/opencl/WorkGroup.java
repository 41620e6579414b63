package io.unroll.device.opencl;

import io.unroll.BackendUnavailableException;

/** How many work items a group has: one number for all kernels of a device. */
final class WorkGroup {
  /** {@code -Dunroll.opencl.group=64} takes the small groups where large ones would do. */
  static final String PROPERTY = "unroll.opencl.group";

  static final int LARGE = 256;
  static final int SMALL = 64;

  private WorkGroup() {}

  /**
   * The size for a device.
   *
   * @throws BackendUnavailableException if the property asks for another size, or for more than the
   *     device has
   */
  static int size(Hardware hardware) {
    String wanted = System.getProperty(PROPERTY);
    if (wanted == null) {
      return hardware.largestGroup() >= LARGE ? LARGE : SMALL;
    }
    int size = wanted.equals("" + LARGE) ? LARGE : wanted.equals("" + SMALL) ? SMALL : 0;
    if (size == 0 || size > hardware.largestGroup()) {
      throw new BackendUnavailableException(
          "-D%s is %s, but must be %d or %d and at most the %d of %s"
              .formatted(PROPERTY, wanted, SMALL, LARGE, hardware.largestGroup(), hardware.name()));
    }
    return size;
  }
}
