package io.unroll.device.cuda;

import io.unroll.DeviceException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Ends waits of groups for one another that would never end. Each kernel with such waits has a slot
 * in memory of the host: for how long one may last, and what the first group wrote that gave up.
 * The other side of it is {@code kernels/cuda/handoff.h}.
 */
final class SpinWatch implements AutoCloseable {
  /** A slot: what went wrong, then the limit in nanoseconds. */
  private static final int SLOT = 2 * Long.BYTES;

  private static final int CAPACITY = 64;
  private static final double NANOS = 1e9;

  /** A kernel and its hand-offs by their numbers. */
  private record Watched(String kernel, List<String> handoffs) {}

  private final long limitNanos;
  private final HostMemory memory;
  private final ByteBuffer words;
  private final List<Watched> watched = new ArrayList<>();

  /**
   * Takes memory of the context that is current.
   *
   * @param limitNanos how long a wait may last
   */
  SpinWatch(long limitNanos) {
    this.limitNanos = limitNanos;
    memory = new HostMemory((long) CAPACITY * SLOT, "the watch over waiting kernels");
    words = memory.slice(0, CAPACITY * SLOT);
  }

  /**
   * Opens a slot for a kernel.
   *
   * @param kernel its name, for messages
   * @param handoffs what its groups wait for, in the order of the numbers in its text
   * @return the address that the kernel takes as its watch
   */
  long slot(String kernel, String... handoffs) {
    int at = watched.size();
    if (at == CAPACITY) {
      throw new IllegalStateException("more than " + CAPACITY + " kernels are watched");
    }
    words.putLong(at * SLOT, 0).putLong(at * SLOT + Long.BYTES, limitNanos);
    watched.add(new Watched(kernel, List.of(handoffs)));
    return memory.address() + (long) at * SLOT;
  }

  /**
   * To be called when the kernels have ended. What was found is forgotten.
   *
   * @throws DeviceException if one has given up; what it should have written is then worth nothing
   */
  void require() {
    for (int i = 0; i < watched.size(); i++) {
      long word = words.getLong(i * SLOT);
      if (word != 0) {
        words.putLong(i * SLOT, 0);
        throw new DeviceException(inWords(watched.get(i), word));
      }
    }
  }

  /** As {@code give_up} in the text packs it. */
  private String inWords(Watched of, long word) {
    int handoff = (int) (word >>> 56) - 1;
    return ("kernel %s gave up after %.1f s: its group %d waited for %s of step %d, which did not"
            + " come. Not all of its groups may be running, or one has stopped")
        .formatted(
            of.kernel(),
            limitNanos / NANOS,
            word >>> 32 & 0xff_ffff,
            handoff < of.handoffs().size() ? of.handoffs().get(handoff) : "hand-off " + handoff,
            (int) word);
  }

  /** Frees the memory; no kernel may be running. */
  @Override
  public void close() {
    memory.close();
  }
}
