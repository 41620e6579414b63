package io.unroll.nn;

import io.unroll.ShapeException;
import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Span;

/**
 * The states of a {@link Recurrent} between steps, for truncated backpropagation through time and
 * for sampling: a step begins with them and leaves its last ones there. No gradient flows through.
 *
 * <p>It belongs to the caller, not to the layer, so one model can follow many sequences.
 */
public final class RecurrentState implements AutoCloseable {
  private final Device device;
  private final DeviceBuffer buffer;
  private final Span[] kinds;
  private final int batch;
  private final Recurrent.Options options = new Recurrent.Options(null, null, null, this);

  RecurrentState(Device device, int kinds, int slots, int batch, int hiddenSize) {
    this.device = device;
    this.batch = batch;
    long each = (long) slots * batch * hiddenSize;
    this.buffer = device.allocate(ElementType.REAL, kinds * each, "carried states");
    this.kinds = new Span[kinds];
    for (int s = 0; s < kinds; s++) {
      this.kinds[s] = Span.of(buffer).slice(s * each, each);
    }
    clear();
  }

  /** Sets all states to zero. */
  public void clear() {
    device.fill(buffer, 0, buffer.length(), 0);
  }

  /** Those of a call that carries these states and has nothing else. */
  Recurrent.Options options() {
    return options;
  }

  /** The number of rows. */
  public int batch() {
    return batch;
  }

  /** State kind s of all layers and directions, [L*D,B,H]; 0 is h, for LSTM 1 is c. */
  Span kind(int s) {
    return kinds[s];
  }

  /** The number of elements, S*L*D*B*H. */
  public int size() {
    return Math.toIntExact(buffer.length());
  }

  /** Copies all states to the host, [S,L*D,B,H]. */
  public double[] toDoubles() {
    double[] host = new double[size()];
    device.copyOut(buffer, 0, host, 0, host.length);
    return host;
  }

  /**
   * Overwrites all states.
   *
   * @param values [S,L*D,B,H]
   * @throws ShapeException if the number of values differs
   */
  public void set(double[] values) {
    if (values.length != buffer.length()) {
      throw new ShapeException(
          "the carried states have "
              + buffer.length()
              + " elements, but "
              + values.length
              + " came; the layers and the batch must be those they were taken from");
    }
    device.copyIn(values, 0, buffer, 0, values.length);
  }

  /** Frees the memory. */
  @Override
  public void close() {
    buffer.close();
  }
}
