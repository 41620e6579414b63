package io.unroll.nn;

import io.unroll.Backend;
import io.unroll.ShapeException;
import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Span;
import io.unroll.engine.Kernels;
import java.util.Arrays;

/**
 * Draws classes from logits on the device and keeps them there, so that what one step drew is read
 * by the next without a way over the host.
 *
 * <pre>
 * tape.begin(Tape.Mode.EVALUATION);
 * sampler.draw(model.forward(sampler.drawn(tape, 1, batch)), sampling, position);
 * int[] classes = sampler.toInts();
 * </pre>
 *
 * <p>Used by one thread at a time.
 */
public final class Sampler implements AutoCloseable {
  private final Kernels kernels;
  private final DeviceBuffer buffer;
  private int classes;

  /**
   * @param backend where the logits live
   * @param rows how many classes are drawn at once, at least 1
   */
  public Sampler(Backend backend, int rows) {
    if (rows < 1) {
      throw new ShapeException("a sampler draws at least 1 class, but " + rows + " were asked for");
    }
    kernels = new Kernels(Device.of(backend));
    buffer = kernels.device().allocate(ElementType.INT, rows, "drawn classes");
  }

  /**
   * Draws a class from each row of logits by the random numbers at position, position + 1, and so
   * on; docs/equations.md has the rule. Returns when the work is queued.
   *
   * @param logits [..,V], unnormalised, as many rows as this sampler draws
   * @param position how many draws came before
   * @throws ShapeException if logits has another number of rows
   */
  public void draw(Tensor logits, Sampling sampling, long position) {
    int last = logits.dim(-1);
    if (logits.size() != buffer.length() * last) {
      throw new ShapeException(
          "the sampler draws from [.., V] of "
              + buffer.length()
              + " rows, but the logits are "
              + logits);
    }
    classes = last;
    kernels.sample(
        logits.value(),
        Span.of(buffer),
        sampling.topK(),
        sampling.inverseTemperature(),
        sampling.seed(),
        position);
  }

  /**
   * What was drawn last, to be read in the running step of a tape, backward included, before the
   * next draw. A row of NaN reads as {@link Indices#IGNORED} would.
   *
   * @param shape sizes of the axes, as many elements as this sampler draws
   * @throws IllegalStateException if nothing was drawn yet
   * @throws ShapeException if the number of elements differs
   */
  public Indices drawn(Tape tape, int... shape) {
    requireDrawn();
    if (Tensor.sizeOf(shape) != buffer.length()) {
      throw new ShapeException(
          "the sampler drew "
              + buffer.length()
              + " classes, which do not fill "
              + Arrays.toString(shape));
    }
    return new Indices(tape, Span.of(buffer), classes, shape);
  }

  /**
   * Waits for the device and copies what was drawn last to the host.
   *
   * @return a class for each row, -1 where a logit of the row was NaN
   * @throws IllegalStateException if nothing was drawn yet
   */
  public int[] toInts() {
    requireDrawn();
    int[] host = new int[Math.toIntExact(buffer.length())];
    kernels.device().copyOut(buffer, 0, host, 0, host.length);
    return host;
  }

  private void requireDrawn() {
    if (classes == 0) {
      throw new IllegalStateException("the sampler has drawn nothing: call draw first");
    }
  }

  /** Frees the memory. */
  @Override
  public void close() {
    buffer.close();
  }
}
