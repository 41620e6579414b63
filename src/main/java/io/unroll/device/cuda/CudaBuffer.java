package io.unroll.device.cuda;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Ledger;

/** Floats or integers of four bytes each in the device's memory. */
final class CudaBuffer implements DeviceBuffer {
  private final ElementType type;
  private final long length;
  private final String purpose;
  private final Ledger ledger;
  private final CommandStream stream;
  private DeviceMemory memory;

  /** Takes memory of the device over and enters it into the ledger. */
  CudaBuffer(
      ElementType type,
      long length,
      String purpose,
      Ledger ledger,
      CommandStream stream,
      DeviceMemory memory) {
    this.type = type;
    this.length = length;
    this.purpose = purpose;
    this.ledger = ledger;
    this.stream = stream;
    this.memory = memory;
    ledger.add(this, bytes());
  }

  private long bytes() {
    return Integer.BYTES * length;
  }

  /**
   * The memory of a buffer.
   *
   * @throws IllegalStateException if it is closed
   */
  static DeviceMemory memory(DeviceBuffer buffer) {
    CudaBuffer mine = (CudaBuffer) buffer;
    if (mine.memory == null) {
      throw new IllegalStateException("the buffer \"" + mine.purpose + "\" is closed");
    }
    return mine.memory;
  }

  /** As {@link #memory(DeviceBuffer)}, of a buffer of one type. */
  static DeviceMemory memory(DeviceBuffer buffer, ElementType wanted) {
    assert buffer.type() == wanted
        : buffer.purpose() + " holds " + buffer.type() + ", not " + wanted;
    return memory(buffer);
  }

  /** The address of an element of a buffer, 0 for null. */
  static long address(DeviceBuffer buffer, long at) {
    return buffer == null ? 0 : memory(buffer).address() + Integer.BYTES * at;
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
      stream.free(memory);
      memory = null;
    }
  }
}
