package io.unroll.device;

import io.unroll.CellSpec;

/**
 * One direction of one recurrent layer over a whole sequence, between its input product and its
 * weight gradients. A plain holder that the engine fills again for every call.
 *
 * <p>Everything is in time order. With {@code T, B, H} steps, batch and hidden size, {@code G, S,
 * K, P} gates, states, reserved values and unit weights of the cell:
 *
 * <pre>
 * zx      [T,B,G*H]    W_ih x_t, without bias
 * states  [S,T+1,B,H]  forward: state before step t at t, after it at t+1; the first state is at 0
 *                      reverse: state before step t at t+1, after it at t; the first state is at T
 * unit    [P*H]        weights of each unit's own; null if P is 0
 * keep    [T,B,K*H]    what backward needs besides the states; null when nobody will call backward
 * y       [T,B,ldY]    the output h; null when the states serve as output. Zero past a row's length
 * dzx,dzh [T,B,G*H]    gradients of the two products; the same memory if the cell adds them
 * ds      [S,B,H]      on entry the gradient of the last state, on exit that of the first
 * dUnit   [B,P*H]      what each row gives to the gradient of unit is added, its last step first;
 *                      null if P is 0
 * dy      [T,B,ldDy]   gradient of the output, or null for zero
 * </pre>
 */
@SuppressWarnings("checkstyle:VisibilityModifier")
public final class RecurrentCall {
  /** The cell. */
  public CellSpec cell;

  /** T, B and H. */
  public int steps, batch, hiddenSize;

  /** Whether time runs from the end of each row to its start. */
  public boolean reverse;

  /** int[B], the number of valid steps of each row, or null if all are T. */
  public DeviceBuffer lengths;

  /**
   * int[T,B], or null for none: where it is not 0 the states before that step count as zero in it
   * and get no gradient, as docs/equations.md says under "Resets". Past a row's length it means
   * nothing.
   */
  public DeviceBuffer resets;

  /** Products, weights, biases. */
  public DeviceBuffer zx, weightHh, biasIh, biasHh, unit;

  /** States, reserve, output. */
  public DeviceBuffer states, keep, y;

  /** Gradients. */
  public DeviceBuffer ds, dUnit, dy, dzx, dzh;

  /** Where each buffer begins, in elements. */
  public long lengthsAt,
      resetsAt,
      zxAt,
      weightHhAt,
      biasIhAt,
      biasHhAt,
      unitAt,
      statesAt,
      keepAt,
      yAt,
      dsAt,
      dUnitAt,
      dyAt,
      dzxAt,
      dzhAt;

  /** Distance between the rows of y and of dy, in elements. */
  public int ldY, ldDy;

  /** Elements between the states of one kind and of the next: (T+1)*B*H. */
  public long stateStride() {
    return (steps + 1L) * batch * hiddenSize;
  }

  /** Offset of the states before step t, in elements of {@link #states}. */
  public long previousAt(int t) {
    return statesAt + (long) (reverse ? t + 1 : t) * batch * hiddenSize;
  }

  /** Offset of the states after step t, in elements of {@link #states}. */
  public long nextAt(int t) {
    return statesAt + (long) (reverse ? t : t + 1) * batch * hiddenSize;
  }

  /** Offset of the resets of step t, in elements of {@link #resets}. */
  public long resetsAt(int t) {
    return resetsAt + (long) t * batch;
  }

  /** The time of the k-th step to be computed forward. */
  public int time(int k) {
    return reverse ? steps - 1 - k : k;
  }
}
