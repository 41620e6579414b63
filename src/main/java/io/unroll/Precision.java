package io.unroll;

/** The arithmetic of matrix products; what a device offers is its {@link Backend#precision}. */
public enum Precision {
  /** IEEE float64: the reference only. */
  FP64,
  /** IEEE float32 operands and accumulation; the default. */
  FP32,
  /** Operands rounded to TF32 (10 mantissa bits), float32 accumulation. */
  TF32,
  /** bfloat16 operands, float32 accumulation, master weights and cell state. */
  BF16
}
