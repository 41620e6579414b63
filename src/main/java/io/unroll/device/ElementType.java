package io.unroll.device;

/** What a buffer holds. */
public enum ElementType {
  /** The device's working floating-point type: float32, on the reference device float64. */
  REAL,
  /** Signed 32-bit integers: token numbers, class numbers, lengths. */
  INT
}
