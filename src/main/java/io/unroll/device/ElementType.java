package io.unroll.device;

import io.unroll.Precision;

/** What a buffer holds. */
public enum ElementType {
  /** The device's working floating-point type: float32, on the reference device float64. */
  REAL,
  /** Signed 32-bit integers: token numbers, class numbers, lengths. */
  INT;

  /**
   * Bytes of an element.
   *
   * @param precision that of the device
   */
  public int bytes(Precision precision) {
    return this == REAL && precision == Precision.FP64 ? Double.BYTES : Float.BYTES;
  }
}
