package io.unroll.device;

import java.util.Arrays;

/**
 * The arguments of one launch, in the order of {@link Kernel}. One object is filled again for every
 * launch, so that launching leaves no garbage.
 */
public final class KernelArgs {
  /** What an argument is. */
  public enum Kind {
    /** A buffer and an offset in elements; the buffer may be null. */
    BUFFER,
    /** A 32-bit integer. */
    I32,
    /** A 64-bit integer. */
    I64,
    /** A number of the device's working type. */
    REAL
  }

  private static final int CAPACITY = 24;

  private final Kind[] kinds = new Kind[CAPACITY];
  private final DeviceBuffer[] buffers = new DeviceBuffer[CAPACITY];
  private final long[] integers = new long[CAPACITY];
  private final double[] reals = new double[CAPACITY];
  private int count;

  /** Forgets all arguments. */
  public KernelArgs clear() {
    Arrays.fill(buffers, null);
    count = 0;
    return this;
  }

  /**
   * Adds a buffer that starts at an offset in elements; null for an absent one, whose offset is 0.
   */
  public KernelArgs buffer(DeviceBuffer buffer, long offset) {
    kinds[count] = Kind.BUFFER;
    buffers[count] = buffer;
    integers[count++] = buffer == null ? 0 : offset;
    return this;
  }

  /** Adds the buffer of a span at its start; null for an absent one. */
  public KernelArgs span(Span span) {
    return span == null ? buffer(null, 0) : buffer(span.buffer(), span.at());
  }

  /** Adds a 32-bit integer. */
  public KernelArgs i32(int value) {
    kinds[count] = Kind.I32;
    integers[count++] = value;
    return this;
  }

  /** Adds a 64-bit integer. */
  public KernelArgs i64(long value) {
    kinds[count] = Kind.I64;
    integers[count++] = value;
    return this;
  }

  /** Adds a number of the device's working type. */
  public KernelArgs real(double value) {
    kinds[count] = Kind.REAL;
    reals[count++] = value;
    return this;
  }

  /** How many arguments there are. */
  public int count() {
    return count;
  }

  /** What argument i is. */
  public Kind kind(int i) {
    return kinds[i];
  }

  /** The buffer of argument i, or null. */
  public DeviceBuffer bufferAt(int i) {
    assert kinds[i] == Kind.BUFFER : "argument " + i + " is " + kinds[i];
    return buffers[i];
  }

  /** The offset of buffer argument i, in elements. */
  public long offsetAt(int i) {
    assert kinds[i] == Kind.BUFFER : "argument " + i + " is " + kinds[i];
    return integers[i];
  }

  /** The 32-bit integer argument i. */
  public int i32At(int i) {
    assert kinds[i] == Kind.I32 : "argument " + i + " is " + kinds[i];
    return (int) integers[i];
  }

  /** The 64-bit integer argument i. */
  public long i64At(int i) {
    assert kinds[i] == Kind.I64 : "argument " + i + " is " + kinds[i];
    return integers[i];
  }

  /** The real argument i. */
  public double realAt(int i) {
    assert kinds[i] == Kind.REAL : "argument " + i + " is " + kinds[i];
    return reals[i];
  }
}
