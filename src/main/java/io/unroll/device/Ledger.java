package io.unroll.device;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Counts the bytes that a device holds; each device has one and reports through it. */
public final class Ledger {
  private final Set<DeviceBuffer> live = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<String, Long> byPurpose = new TreeMap<>();
  private Map<String, Long> peakByPurpose = Map.of();
  private long liveBytes;
  private long peakBytes;

  private final List<Scratch> scratch = new ArrayList<>();

  /** Memory that a device keeps between launches; it is given back with the last other buffer. */
  interface Scratch {
    /** Bytes that are in the ledger now. */
    long bytes();

    /** Closes its buffers; it may take others later. */
    void release();
  }

  /** Watches over scratch, whose buffers are entered like others. */
  void watch(Scratch kept) {
    scratch.add(kept);
  }

  /** Enters a buffer. */
  public void add(DeviceBuffer buffer, long bytes) {
    live.add(buffer);
    liveBytes += bytes;
    byPurpose.merge(buffer.purpose(), bytes, Long::sum);
    if (liveBytes > peakBytes) {
      peakBytes = liveBytes;
      peakByPurpose = new TreeMap<>(byPurpose);
    }
  }

  /** Strikes a buffer out; tells whether it was there. */
  public boolean remove(DeviceBuffer buffer, long bytes) {
    boolean known = live.remove(buffer);
    if (known) {
      liveBytes -= bytes;
      byPurpose.computeIfPresent(
          buffer.purpose(), (purpose, held) -> held == bytes ? null : held - bytes);
      if (liveBytes > 0 && liveBytes == scratch.stream().mapToLong(Scratch::bytes).sum()) {
        scratch.forEach(Scratch::release);
      }
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

  /** What {@link #peakBytes} consisted of: bytes by the purposes of the buffers. */
  public Map<String, Long> peakByPurpose() {
    return Collections.unmodifiableMap(peakByPurpose);
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
