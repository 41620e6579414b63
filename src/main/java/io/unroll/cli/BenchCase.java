package io.unroll.cli;

import com.google.gson.JsonObject;
import io.unroll.CellSpec;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * What {@code bench} times: one network at one shape.
 *
 * @param bidirectional whether each layer also runs from the end; D is then 2, else 1
 * @param ragged whether rows end early, as {@link #lengths} has it
 */
record BenchCase(
    CellSpec cell, Shape shape, int layers, boolean bidirectional, boolean ragged, Mode mode) {
  /** What a run is. */
  enum Mode {
    /** The outputs alone; nothing is kept for a backward pass. */
    FORWARD,
    /**
     * Forward, then backward from a fixed gradient of the output to the gradients of the input, of
     * every weight and of every bias. There is no loss and no update of the weights.
     */
    TRAIN,
    /**
     * A whole training step of a char-rnn whose vocabulary is I: batch, rows of W_ih gathered by
     * character, layers, linear, cross-entropy, backward, global norm clipped at 5, Adam.
     */
    STEP
  }

  /** Refuses what no char-rnn is. */
  BenchCase {
    if (mode == Mode.STEP && (bidirectional || ragged)) {
      throw new IllegalArgumentException(
          "mode step is that of a char-rnn, which has direction one and full lengths; take another"
              + " mode");
    }
    if (mode == Mode.STEP && shape.inputSize() < 2) {
      throw new IllegalArgumentException("mode step needs a vocabulary, I, of at least 2");
    }
  }

  /** One direction, full rows. */
  static BenchCase of(CellSpec cell, Shape shape, int layers, Mode mode) {
    return new BenchCase(cell, shape, layers, false, false, mode);
  }

  /** D: 2 if bidirectional, else 1. */
  int directions() {
    return bidirectional ? 2 : 1;
  }

  /** The steps of each row: T, or from T down to about T/2, the longest first. */
  int[] lengths() {
    int steps = shape.steps();
    return IntStream.range(0, shape.batch())
        .map(row -> ragged ? steps - (int) ((long) row * (steps / 2) / shape.batch()) : steps)
        .toArray();
  }

  /** Steps of all rows. */
  long rows() {
    return IntStream.of(lengths()).asLongStream().sum();
  }

  /** Of the input of a layer; 0 where rows are gathered instead of multiplied. */
  int inputSize(int layer) {
    if (layer > 0) {
      return directions() * shape.hiddenSize();
    }
    return mode == Mode.STEP ? 0 : shape.inputSize();
  }

  /** How many times as much is multiplied as forward alone. */
  int passes() {
    return mode == Mode.FORWARD ? 1 : 3;
  }

  /**
   * Floating-point operations of the matrix products of one run: 2*N*D*(I+H)*G*H for each layer,
   * with N the steps of all rows and I = D*H above the first, in mode step 2*N*H*V for the linear
   * layer as well; three times that for all modes but forward.
   */
  double operations() {
    double hidden = shape.hiddenSize();
    double width = 0;
    for (int layer = 0; layer < layers; layer++) {
      width += inputSize(layer) + hidden;
    }
    double forward = 2.0 * rows() * directions() * width * cell.gateCount() * hidden;
    if (mode == Mode.STEP) {
      forward += 2.0 * rows() * hidden * shape.inputSize();
    }
    return passes() * forward;
  }

  /**
   * Bytes that memory must move at least, in float32: forward reads x and the weights and writes y
   * of each layer; the others read dy besides and write the gradients of x and of the weights, so
   * they move twice as much. Mode step also moves Adam's two moments, read and written, and the
   * weights once more.
   */
  double leastBytes() {
    double hidden = shape.hiddenSize();
    double weights = 0;
    double vectors = 0;
    for (int layer = 0; layer < layers; layer++) {
      int inputs = layer == 0 ? shape.inputSize() : inputSize(layer);
      weights += directions() * cell.gateCount() * hidden * (inputs + hidden + 2);
      vectors += inputSize(layer) + directions() * hidden;
    }
    double once = weights + rows() * vectors;
    if (mode == Mode.FORWARD) {
      return Float.BYTES * once;
    }
    if (mode == Mode.TRAIN) {
      return Float.BYTES * 2 * once;
    }
    double head = (hidden + 1) * shape.inputSize();
    double all = weights + head;
    return Float.BYTES * (2 * (once + head + rows() * shape.inputSize()) + 5 * all);
  }

  String modeName() {
    return mode.name().toLowerCase(Locale.ROOT);
  }

  /** What it is and where it runs, without times. */
  JsonObject describe(Provenance provenance) {
    JsonObject line = new JsonObject();
    line.addProperty("cell", cell.name());
    line.addProperty("T", shape.steps());
    line.addProperty("B", shape.batch());
    line.addProperty("I", shape.inputSize());
    line.addProperty("H", shape.hiddenSize());
    line.addProperty("layers", layers);
    if (bidirectional) {
      line.addProperty("direction", "both");
    }
    if (ragged) {
      line.addProperty("lengths", "ragged");
    }
    line.addProperty("mode", modeName());
    provenance.addTo(line);
    return line;
  }

  @Override
  public String toString() {
    return String.format(
        "%s, T=%d B=%d I=%d H=%d, layers %d%s%s, %s",
        cell,
        shape.steps(),
        shape.batch(),
        shape.inputSize(),
        shape.hiddenSize(),
        layers,
        bidirectional ? ", both directions" : "",
        ragged ? ", ragged" : "",
        modeName());
  }
}
