package io.unroll.device.opencl;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Ledger;
import org.lwjgl.opencl.CL10;

/** Floats or integers of four bytes each in the device's memory. */
final class OpenClBuffer implements DeviceBuffer {
  private final ElementType type;
  private final long length;
  private final String purpose;
  private final Ledger ledger;
  private long memory;

  /**
   * Takes memory of the device over and enters it into the ledger.
   *
   * @param memory OpenCL's handle
   */
  OpenClBuffer(ElementType type, long length, String purpose, Ledger ledger, long memory) {
    this.type = type;
    this.length = length;
    this.purpose = purpose;
    this.ledger = ledger;
    this.memory = memory;
    ledger.add(this, bytes());
  }

  private long bytes() {
    return Integer.BYTES * length;
  }

  /**
   * OpenCL's handle of a buffer, 0 for null.
   *
   * @throws IllegalStateException if it is closed
   */
  static long memory(DeviceBuffer buffer) {
    if (buffer == null) {
      return 0;
    }
    OpenClBuffer mine = (OpenClBuffer) buffer;
    if (mine.memory == 0) {
      throw new IllegalStateException("the buffer \"" + mine.purpose + "\" is closed");
    }
    return mine.memory;
  }

  /** As {@link #memory(DeviceBuffer)}, of a buffer of one type. */
  static long memory(DeviceBuffer buffer, ElementType wanted) {
    assert buffer == null || buffer.type() == wanted
        : buffer.purpose() + " holds " + buffer.type() + ", not " + wanted;
    return memory(buffer);
  }

  @Override
  public ElementType type() {
    return type;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public String purpose() {
    return purpose;
  }

  @Override
  public void close() {
    if (ledger.remove(this, bytes())) {
      // The driver keeps the memory until queued commands have done with it.
      ReturnCode.freed(CL10.clReleaseMemObject(memory), "clReleaseMemObject");
      memory = 0;
    }
  }
}
