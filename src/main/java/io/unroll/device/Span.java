package io.unroll.device;

/**
 * A range of a device buffer. It does not own the memory.
 *
 * @param buffer where it lies
 * @param at its first element
 * @param length in elements
 */
public record Span(DeviceBuffer buffer, long at, long length) {
  /** The whole of a buffer. */
  public static Span of(DeviceBuffer buffer) {
    return new Span(buffer, 0, buffer.length());
  }

  /** A part of this range, from an offset in elements. */
  public Span slice(long from, long count) {
    assert from >= 0 && count >= 0 && from + count <= length : from + "+" + count + " of " + length;
    return count == length ? this : new Span(buffer, at + from, count);
  }
}
