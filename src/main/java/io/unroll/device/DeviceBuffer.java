package io.unroll.device;

/**
 * A piece of a device's memory, owned by whoever allocated it. Only its own device can read it; no
 * raw pointer leaves a device package.
 */
public interface DeviceBuffer extends AutoCloseable {
  /** What it holds. */
  ElementType type();

  /** Its length in elements. */
  long length();

  /** What it is for, as given to {@link Device#allocate}; the ledger prints it. */
  String purpose();

  /** Frees it. A second call does nothing. */
  @Override
  void close();
}
