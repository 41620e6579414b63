package io.unroll.device.cpu;

import io.unroll.OutOfDeviceMemoryException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Ledger;
import java.lang.management.ManagementFactory;

/** Floats or integers outside the Java heap, aligned to a cache line. */
final class NativeBuffer extends CpuBuffer {
  /** Memory of this machine or of its container; a system may promise more than it has. */
  static final long MACHINE_BYTES =
      ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
          .getTotalMemorySize();

  private long address;

  /**
   * Allocates it and enters it into the ledger.
   *
   * @throws OutOfDeviceMemoryException if the machine has not so much memory
   */
  NativeBuffer(ElementType type, long length, String purpose, Ledger ledger) {
    super(type, length, purpose, ledger);
    if (length <= (MACHINE_BYTES - ledger.liveBytes()) / 4) {
      address = Native.allocate(bytes());
    }
    if (address == 0) {
      throw new OutOfDeviceMemoryException(
          "cannot allocate "
              + length
              + " elements of 4 bytes for "
              + purpose
              + ": the machine has "
              + MACHINE_BYTES
              + " bytes of memory, of which this backend holds "
              + ledger.liveBytes()
              + ". Use a smaller batch or shorter sequences.",
          length > Long.MAX_VALUE / 4 ? Long.MAX_VALUE : bytes(),
          ledger.liveBytes(),
          MACHINE_BYTES,
          null);
    }
    enter();
  }

  /** The address of an element of a buffer of reals; 0 for null. */
  static long reals(DeviceBuffer buffer, long at) {
    return address(buffer, at, ElementType.REAL);
  }

  /** The address of an element of a buffer of integers; 0 for null. */
  static long integers(DeviceBuffer buffer, long at) {
    return address(buffer, at, ElementType.INT);
  }

  /** The address of an element of a buffer of any type; 0 for null. */
  static long address(DeviceBuffer buffer, long at) {
    return buffer == null ? 0 : address(buffer, at, buffer.type());
  }

  private static long address(DeviceBuffer buffer, long at, ElementType type) {
    if (buffer == null) {
      return 0;
    }
    NativeBuffer mine = (NativeBuffer) buffer;
    mine.requireOpen(type);
    assert at >= 0 && at <= mine.length() : mine.purpose() + " has no element " + at;
    return mine.address + 4 * at;
  }

  @Override
  boolean isOpen() {
    return address != 0;
  }

  @Override
  void release() {
    Native.release(address);
    address = 0;
  }
}
