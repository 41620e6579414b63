package io.unroll.io;

/** The element types of a safetensors file that Unroll reads. All are little-endian. */
public enum Dtype {
  /** IEEE binary64. */
  F64(8, true),
  /** IEEE binary32. */
  F32(4, true),
  /** IEEE binary16. */
  F16(2, true),
  /** The upper half of a binary32. */
  BF16(2, true),
  /** Signed 64-bit integer. */
  I64(8, false),
  /** Signed 32-bit integer. */
  I32(4, false),
  /** Signed 16-bit integer. */
  I16(2, false),
  /** Signed 8-bit integer. */
  I8(1, false),
  /** Unsigned 8-bit integer. */
  U8(1, false),
  /** One byte, 0 or 1. */
  BOOL(1, false);

  private final int bytes;
  private final boolean floating;

  Dtype(int bytes, boolean floating) {
    this.bytes = bytes;
    this.floating = floating;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** Whether it holds reals; the others hold integers. */
  public boolean floating() {
    return floating;
  }
}
