package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.device.DeviceTimer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * A case several times over, each with networks and inputs in memory of its own, to be timed in
 * turn: together they are more than the caches hold, so that each finds nothing of its own there
 * but what its inputs left. To be used without graphs: all have the same shape and would share one,
 * every node of which had to be set anew before each launch.
 */
final class Rotation implements AutoCloseable {
  /** Networks at most. */
  static final int MOST = 64;

  /** Of the free memory, what they take at most. */
  private static final int PART = 4;

  private final DeviceTimer timer;
  private final List<Workload> all = new ArrayList<>();
  private final String refusal;
  private int next;

  /**
   * Makes as many as it takes, and runs each new one once.
   *
   * @param first one that has run; it is not closed here
   * @param more makes another one of it
   */
  Rotation(Backend backend, DeviceTimer timer, Workload first, Supplier<Workload> more) {
    this.timer = timer;
    all.add(first);
    try {
      refusal = fill(backend, more);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
    if (refusal != null) {
      close();
    }
  }

  /** Why not, or null. */
  private String fill(Backend backend, Supplier<Workload> more) {
    long most = timer.freeBytes() / PART;
    long wanted = timer.beyondCaches();
    long before = backend.liveBytes();
    if (2 * before > most) {
      return "two networks might need more than %,d bytes".formatted(most);
    }
    add(more);
    long each = backend.liveBytes() - before;
    long count = each == 0 ? Long.MAX_VALUE : Math.max(2, wanted / each + 1);
    if (count > MOST || count * each > most) {
      return "%d networks of %,d bytes, %,d at most, do not exceed twice the cache, %,d bytes"
          .formatted(MOST, each, most, wanted);
    }
    while (all.size() < count) {
      add(more);
    }
    for (int i = 0; i < lead(); i++) {
      all.get(i).prepare();
    }
    return null;
  }

  private void add(Supplier<Workload> more) {
    Workload made = more.get();
    all.add(made);
    made.prepare();
    made.work();
  }

  /** Why there are none to take turns, in words for the user; or null. */
  String refusal() {
    return refusal;
  }

  int size() {
    return all.size();
  }

  /** By how many runs one is prepared ahead, so that half of the others displace what that read. */
  private int lead() {
    return all.size() / 2;
  }

  /** Runs the one whose turn it is; seconds by the device's clock. */
  double run() {
    all.get((next + lead()) % all.size()).prepare();
    timer.start();
    all.get(next).work();
    double seconds = timer.stop();
    next = (next + 1) % all.size();
    return seconds;
  }

  /**
   * Looks at the results of the one that ran last.
   *
   * @throws WorkFailedException if one is NaN or infinite
   */
  void requireFinite() {
    all.get((next + all.size() - 1) % all.size()).requireFinite();
  }

  /** Closes all but the first. */
  @Override
  public void close() {
    while (all.size() > 1) {
      all.remove(all.size() - 1).close();
    }
  }
}
