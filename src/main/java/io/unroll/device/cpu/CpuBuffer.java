package io.unroll.device.cpu;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Ledger;

/** A buffer of either way to compute on the CPU; they differ in where its elements lie. */
abstract class CpuBuffer implements DeviceBuffer {
  private final ElementType type;
  private final long length;
  private final String purpose;
  private final Ledger ledger;

  CpuBuffer(ElementType type, long length, String purpose, Ledger ledger) {
    this.type = type;
    this.length = length;
    this.purpose = purpose;
    this.ledger = ledger;
  }

  /** Enters it into the ledger; the last act of a constructor. */
  final void enter() {
    ledger.add(this, bytes());
  }

  /** Whether it has its memory. */
  abstract boolean isOpen();

  /** Gives its memory back; called once. */
  abstract void release();

  final long bytes() {
    return length * type.bytes(CpuDevice.PRECISION);
  }

  /**
   * @throws IllegalStateException if it is closed
   */
  final void requireOpen(ElementType wanted) {
    if (!isOpen()) {
      throw new IllegalStateException("the buffer \"" + purpose + "\" is closed");
    }
    assert type == wanted : purpose + " holds " + type + ", not " + wanted;
  }

  @Override
  public final ElementType type() {
    return type;
  }

  @Override
  public final long length() {
    return length;
  }

  @Override
  public final String purpose() {
    return purpose;
  }

  @Override
  public final void close() {
    if (ledger.remove(this, bytes())) {
      release();
    }
  }
}
