package io.unroll.device.cpu;

import io.unroll.DeviceException;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Ledger;

/** A Java array of floats or of integers. */
final class JavaBuffer extends CpuBuffer {
  /** The longest array that HotSpot allocates. */
  static final int MAX_LENGTH = Integer.MAX_VALUE - 8;

  private float[] reals;
  private int[] integers;

  /**
   * Allocates it and enters it into the ledger.
   *
   * @throws DeviceException if it is longer than an array can be
   * @throws OutOfDeviceMemoryException if the heap has no room for it
   */
  JavaBuffer(ElementType type, long length, String purpose, Ledger ledger) {
    super(type, length, purpose, ledger);
    if (length > MAX_LENGTH) {
      throw new DeviceException(
          "cannot allocate "
              + length
              + " elements for "
              + purpose
              + ": on backend \"cpu\" in plain Java a buffer holds at most "
              + MAX_LENGTH
              + " elements. Use a smaller batch or shorter sequences.");
    }
    if (type == ElementType.REAL) {
      reals = floats((int) length, purpose);
    } else {
      integers = ints((int) length, purpose);
    }
    enter();
  }

  /** Allocates floats; a full heap becomes a message that says what to do. */
  static float[] floats(int length, String purpose) {
    try {
      return new float[length];
    } catch (OutOfMemoryError e) {
      throw tooLarge(length, purpose, e);
    }
  }

  private static int[] ints(int length, String purpose) {
    try {
      return new int[length];
    } catch (OutOfMemoryError e) {
      throw tooLarge(length, purpose, e);
    }
  }

  private static OutOfDeviceMemoryException tooLarge(
      int length, String purpose, OutOfMemoryError cause) {
    Runtime heap = Runtime.getRuntime();
    return new OutOfDeviceMemoryException(
        "cannot allocate "
            + 4L * length
            + " bytes for "
            + purpose
            + ": the Java heap is limited to "
            + heap.maxMemory()
            + " bytes. Raise the limit with -Xmx, or use a smaller batch.",
        4L * length,
        heap.totalMemory() - heap.freeMemory(),
        heap.maxMemory(),
        cause);
  }

  /** The floats of a buffer of this device, or null for null. */
  static float[] reals(DeviceBuffer buffer) {
    if (buffer == null) {
      return null;
    }
    JavaBuffer mine = (JavaBuffer) buffer;
    mine.requireOpen(ElementType.REAL);
    return mine.reals;
  }

  /** The integers of a buffer of this device, or null for null. */
  static int[] integers(DeviceBuffer buffer) {
    if (buffer == null) {
      return null;
    }
    JavaBuffer mine = (JavaBuffer) buffer;
    mine.requireOpen(ElementType.INT);
    return mine.integers;
  }

  @Override
  boolean isOpen() {
    return reals != null || integers != null;
  }

  @Override
  void release() {
    reals = null;
    integers = null;
  }
}
