package io.unroll.engine;

import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory for what lives during one step: it is handed out in order and taken back all at once.
 *
 * <p>While the sequence of requests repeats, so do the addresses, and nothing is allocated on the
 * device or on the heap. When a step needs more than there is, further chunks are added; the next
 * reset merges them into one.
 */
public final class Arena implements AutoCloseable {
  private static final long ALIGNMENT = 32;
  private static final long SMALLEST_CHUNK = 1 << 14;

  private final Device device;
  private final Lane reals;
  private final Lane ints;

  /** An empty arena; it takes no memory before the first request. */
  public Arena(Device device, String purpose) {
    this.device = device;
    this.reals = new Lane(ElementType.REAL, purpose);
    this.ints = new Lane(ElementType.INT, purpose + " (integers)");
  }

  /** A range of reals of undefined content, valid until the next reset. */
  public Span reals(long length) {
    return reals.take(length);
  }

  /** A range of integers of undefined content, valid until the next reset. */
  public Span ints(long length) {
    return ints.take(length);
  }

  /** Takes everything back. */
  public void reset() {
    reals.reset();
    ints.reset();
  }

  /** Frees the memory. */
  @Override
  public void close() {
    reals.free();
    ints.free();
  }

  private final class Lane {
    private final ElementType type;
    private final String purpose;
    private final List<DeviceBuffer> chunks = new ArrayList<>();
    private final List<Span> handedOut = new ArrayList<>();
    private int next;
    private long used;
    private long wanted;

    Lane(ElementType type, String purpose) {
      this.type = type;
      this.purpose = purpose;
    }

    Span take(long length) {
      if (next < handedOut.size()) {
        Span again = handedOut.get(next);
        if (again.length() == length) {
          next++;
          used = again.at() + aligned(length);
          return again;
        }
        handedOut.subList(next, handedOut.size()).clear();
      }
      Span span = place(length);
      handedOut.add(span);
      next++;
      return span;
    }

    private Span place(long length) {
      long size = aligned(length);
      if (chunks.isEmpty() || used + size > chunks.get(chunks.size() - 1).length()) {
        long grown = chunks.stream().mapToLong(DeviceBuffer::length).sum() / 2;
        long chunk = Math.max(Math.max(size, wanted), Math.max(grown, SMALLEST_CHUNK));
        chunks.add(device.allocate(type, chunk, purpose));
        wanted = 0;
        used = 0;
      }
      Span span = new Span(chunks.get(chunks.size() - 1), used, length);
      used += size;
      return span;
    }

    void reset() {
      if (chunks.size() > 1) {
        long total = chunks.stream().mapToLong(DeviceBuffer::length).sum();
        free();
        wanted = total;
      }
      next = 0;
      used = 0;
    }

    void free() {
      chunks.forEach(DeviceBuffer::close);
      chunks.clear();
      handedOut.clear();
      next = 0;
      used = 0;
      wanted = 0;
    }

    private static long aligned(long length) {
      return (Math.max(length, 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
  }
}
