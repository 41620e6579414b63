package io.unroll.data;

import io.unroll.ShapeException;

/**
 * Cuts one long row of ids into windows for truncated BPTT with carried state.
 *
 * <p>The row is cut into B streams of equal length that lie end to end. Window k holds steps [kT,
 * (k+1)T) of every stream, so the state after one window is the state before the next, and is to be
 * reset only when an epoch begins. Fewer than T*B ids at the end fill no window and are not used.
 */
public final class SequenceBatcher {
  private final int[] ids;
  private final int steps;
  private final int batch;
  private final int windows;

  /**
   * @param ids the text; not copied, so leave it alone
   * @param steps T, steps of a window, at least 1
   * @param batch B, streams side by side, at least 1
   * @throws IllegalArgumentException if ids has fewer than T*B+1 elements; the message says what
   *     would fit
   */
  public SequenceBatcher(int[] ids, int steps, int batch) {
    if (steps < 1 || batch < 1) {
      throw new IllegalArgumentException(
          "steps and batch must be at least 1, but are " + steps + " and " + batch);
    }
    long window = (long) steps * batch;
    if (ids.length < window + 1) {
      throw new IllegalArgumentException(tooShort(ids.length, steps, batch));
    }
    this.ids = ids;
    this.steps = steps;
    this.batch = batch;
    this.windows = (int) ((ids.length - 1) / window);
  }

  private static String tooShort(int length, int steps, int batch) {
    String message =
        "the text has "
            + length
            + " characters, but T="
            + steps
            + " steps and B="
            + batch
            + " streams need at least T*B+1 = "
            + ((long) steps * batch + 1);
    int pairs = length - 1;
    if (pairs < 1) {
      return message + ". Give a longer text.";
    }
    StringBuilder fits = new StringBuilder();
    if (pairs >= batch) {
      fits.append("T=" + pairs / batch + " with B=" + batch + ", ");
    }
    if (pairs >= steps) {
      fits.append("B=" + pairs / steps + " with T=" + steps + ", ");
    }
    if (fits.length() == 0) {
      fits.append("B=1 with T=" + pairs + ", ");
    }
    return message + ". It has room for " + fits + "or give a longer text.";
  }

  /** Steps of a window, T. */
  public int steps() {
    return steps;
  }

  /** Streams side by side, B. */
  public int batch() {
    return batch;
  }

  /** The number of windows of an epoch, at least 1. */
  public int batchesPerEpoch() {
    return windows;
  }

  /** Ids at the end of the text that no window predicts, in [0, T*B). */
  public int unused() {
    return ids.length - 1 - windows * steps * batch;
  }

  /**
   * Writes one window. Allocates nothing.
   *
   * @param batchIndex which window, in [0, batchesPerEpoch()); go in order to carry the state
   * @param inputs receives the ids [T, B], time-major
   * @param targets receives for each input the id after it [T, B]
   * @throws IndexOutOfBoundsException if there is no such window
   * @throws ShapeException if an array does not have T*B elements
   */
  public void fill(int batchIndex, int[] inputs, int[] targets) {
    if (batchIndex < 0 || batchIndex >= windows) {
      throw new IndexOutOfBoundsException(
          "there is no window " + batchIndex + ": an epoch has windows 0 to " + (windows - 1));
    }
    requireWindow("inputs", inputs);
    requireWindow("targets", targets);
    for (int t = 0; t < steps; t++) {
      int at = batchIndex * steps + t;
      for (int b = 0; b < batch; b++) {
        inputs[t * batch + b] = ids[at];
        targets[t * batch + b] = ids[at + 1];
        at += windows * steps;
      }
    }
  }

  private void requireWindow(String what, int[] array) {
    if (array.length != steps * batch) {
      throw new ShapeException(
          what
              + " must hold [T,B] = "
              + steps
              + " x "
              + batch
              + " = "
              + steps * batch
              + " ids, but holds "
              + array.length);
    }
  }
}
