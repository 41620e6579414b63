package io.unroll.device;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** Counts the bytes that a device holds; each device has one and reports through it. */
public final class Ledger {
  private final Set<DeviceBuffer> live =
      Collections.newSetFromMap(new java.util.IdentityHashMap<>());
  private long liveBytes;
  private long peakBytes;

  /** Enters a buffer. */
  public void add(DeviceBuffer buffer, long bytes) {
    live.add(buffer);
    liveBytes += bytes;
    peakBytes = Math.max(peakBytes, liveBytes);
  }

  /** Strikes a buffer out; tells whether it was there. */
  public boolean remove(DeviceBuffer buffer, long bytes) {
    boolean known = live.remove(buffer);
    if (known) {
      liveBytes -= bytes;
    }
    return known;
  }

  /** Bytes held now. */
  public long liveBytes() {
    return liveBytes;
  }

  /** The most bytes held at once. */
  public long peakBytes() {
    return peakBytes;
  }

  /** The buffers held now. */
  public Collection<DeviceBuffer> live() {
    return new LinkedHashSet<>(live);
  }

  /**
   * @throws IllegalStateException if buffers are live; the message lists them
   */
  public void requireEmpty(String deviceName) {
    if (!live.isEmpty()) {
      throw new IllegalStateException(
          "backend \""
              + deviceName
              + "\" was closed with "
              + liveBytes
              + " bytes still live: "
              + live.stream()
                  .map(b -> b.purpose() + " (" + b.length() + " elements)")
                  .sorted()
                  .collect(Collectors.joining(", "))
              + ". Close tapes, parameters and states before their backend.");
    }
  }
}
