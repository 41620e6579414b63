package io.unroll.engine;

import io.unroll.Backend;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.device.Device;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What some work, such as training, holds on a device when it holds most, found before any of it is
 * taken: the work runs once on a device that counts what is allocated and computes nothing.
 *
 * <pre>
 * MemoryPlan plan = MemoryPlan.of(backend, 64, (device, batch) -&gt; {
 *   try (Parameters parameters = new Parameters(device, 42);
 *       Tape tape = new Tape(device)) {
 *     ... build the model, make a Trainer, train two steps of that batch ...
 *   }
 * });
 * if (!plan.fits()) {
 *   System.err.println(plan.advice());
 * }
 * </pre>
 *
 * <p>The plan is exact where the work takes its memory in the same order as the real one: two steps
 * of training rather than one, because a {@link Arena} is taken in pieces first and as a whole from
 * the second step on, and a measurement on validation data, if there will be one. It holds all that
 * has a purpose in the ledger of the device; what a driver takes for itself is not in it.
 */
public final class MemoryPlan {
  private static final double MEGABYTE = 1e6;

  /** What is planned. */
  @FunctionalInterface
  public interface Work {
    /**
     * Does the work, and closes all that it took from the backend.
     *
     * @param backend counts; losses and all else that is read from it are zeros
     * @param batch rows of a batch
     */
    void run(Backend backend, int batch);
  }

  /**
   * A part of the memory.
   *
   * @param purpose such as {@code parameters}, {@code gradients} or {@code activations}
   * @param bytes held when the work holds most
   */
  public record Line(String purpose, long bytes) {}

  private final Device device;
  private final Work work;
  private final int batch;
  private final long bytes;
  private final List<Line> lines;

  private MemoryPlan(Device device, int batch, Work work) {
    this.device = device;
    this.work = work;
    this.batch = batch;
    CountingDevice counting = CountingDevice.of(device);
    work.run(counting, batch);
    counting.close();
    bytes = counting.peakBytes();
    lines =
        counting.ledger().peakByPurpose().entrySet().stream()
            .map(entry -> new Line(entry.getKey(), entry.getValue()))
            .sorted(Comparator.comparingLong(Line::bytes).reversed())
            .toList();
  }

  /**
   * Plans work on a device, of which nothing is taken.
   *
   * @param backend decides how long an element is and which way recurrences take
   * @param batch rows of a batch, at least 1
   * @throws IllegalArgumentException if batch is below 1
   * @throws IllegalStateException if the work leaves buffers open
   */
  public static MemoryPlan of(Backend backend, int batch, Work work) {
    if (batch < 1) {
      throw new IllegalArgumentException(
          "a batch has at least 1 row, but " + batch + " were asked");
    }
    return new MemoryPlan(Device.of(backend), batch, work);
  }

  /** The batch it was made for. */
  public int batch() {
    return batch;
  }

  /** The most bytes held at once. */
  public long bytes() {
    return bytes;
  }

  /** What {@link #bytes} consists of, the largest part first. */
  public List<Line> lines() {
    return lines;
  }

  /** Whether it is within the {@link Backend#memoryBytes} of the device. */
  public boolean fits() {
    return bytes <= device.memoryBytes();
  }

  /**
   * The largest batch of which the same work holds no more than a limit, found by bisection, with a
   * plan for each batch that is tried.
   *
   * @param limitBytes what may be held
   * @param most no larger batch is tried, at least 1
   * @return a batch between 1 and most, or 0 if not even 1 fits
   */
  public int largestBatch(long limitBytes, int most) {
    int fitting = 0;
    int tooLarge = most + 1;
    int tried = most;
    while (tooLarge - fitting > 1) {
      if (bytesOf(tried) <= limitBytes) {
        fitting = tried;
      } else {
        tooLarge = tried;
      }
      tried = fitting + (tooLarge - fitting) / 2;
    }
    return fitting;
  }

  private long bytesOf(int other) {
    return other == batch ? bytes : of(device, other, work).bytes;
  }

  /**
   * The plan in words, and what to do if it does not fit: the largest batch that does, up to that
   * of the plan.
   */
  public String advice() {
    long limit = device.memoryBytes();
    if (fits()) {
      return this
          + (limit == Long.MAX_VALUE
              ? ""
              : ". Device \"" + device.name() + "\" holds " + megabytes(limit) + " in all");
    }
    int largest = largestBatch(limit, batch);
    return this
        + ". Device \""
        + device.name()
        + "\" holds "
        + megabytes(limit)
        + (largest > 0
            ? "; the largest batch that fits is " + largest
            : "; not even a batch of 1 fits, so use shorter sequences or a smaller model");
  }

  /**
   * As {@link #advice()}, after the device refused a buffer all the same: where the plan fits,
   * others hold memory there, and a batch that needs no more than they left is a safe one.
   */
  public String advice(OutOfDeviceMemoryException refusal) {
    int safe = fits() ? largestBatch(refusal.availableBytes(), batch) : 0;
    return safe == 0 || safe == batch
        ? advice()
        : advice()
            + ", but not all of it was free; a batch of "
            + safe
            + " needs no more than the "
            + megabytes(refusal.availableBytes())
            + " that were to be had when it ran out";
  }

  /** One line: the batch, the sum and its parts, those below a thousandth of it together. */
  @Override
  public String toString() {
    long named = bytes / 1000;
    long rest = lines.stream().mapToLong(Line::bytes).filter(part -> part < named).sum();
    return "a batch of "
        + batch
        + " needs "
        + megabytes(bytes)
        + lines.stream()
            .filter(line -> line.bytes() >= named)
            .map(line -> line.purpose() + " " + megabytes(line.bytes()))
            .collect(Collectors.joining(", ", " (", ""))
        + (rest > 0 ? ", others " + megabytes(rest) + ")" : ")");
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%,.1f MB", bytes / MEGABYTE);
  }
}
