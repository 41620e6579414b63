package io.unroll.nn;

import io.unroll.Philox;
import java.util.Arrays;
import java.util.List;

/**
 * Rows of several sequences with an input and a gradient of the output: row 0 has steps 0 to 3 and
 * 4 to 5, row 1, which is shorter, step 0 and steps 1 to 4. Or one of these sequences alone.
 *
 * @param row the row that a single sequence is of, and the steps that it has there
 */
record PackedRows(int steps, int batch, int row, int from, float[] x, float[] dy) {
  private static final int STEPS = 6;
  private static final int BATCH = 2;

  /** Row, first step, and the step behind the last one. */
  private static final int[][] SEQUENCES = {{0, 0, 4}, {0, 4, 6}, {1, 0, 1}, {1, 1, 5}};

  static PackedRows random(int inputs, int outputs) {
    return new PackedRows(
        STEPS,
        BATCH,
        -1,
        0,
        numbers(1, STEPS * BATCH * inputs),
        numbers(2, STEPS * BATCH * outputs));
  }

  private static float[] numbers(int stream, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 2 * Philox.uniform(stream, i) - 1;
    }
    return values;
  }

  List<PackedRows> alone() {
    return Arrays.stream(SEQUENCES)
        .map(
            s -> {
              PackedRows shape = new PackedRows(s[2] - s[1], 1, s[0], s[1], null, null);
              float[] input = shape.of(x, x.length / STEPS / BATCH);
              float[] gradient = shape.of(dy, dy.length / STEPS / BATCH);
              return new PackedRows(shape.steps, 1, s[0], s[1], input, gradient);
            })
        .toList();
  }

  /** The part of all rows [STEPS,BATCH,width] that is this sequence. */
  float[] of(float[] all, int width) {
    float[] part = new float[steps * width];
    for (int t = 0; t < steps; t++) {
      System.arraycopy(all, ((from + t) * BATCH + row) * width, part, t * width, width);
    }
    return part;
  }

  /** Lengths and resets, for both directions; a sequence alone has none. */
  Recurrent.Options options(Tape tape) {
    if (row >= 0) {
      return Recurrent.Options.lengths(null);
    }
    int[] resets = new int[2 * STEPS * BATCH];
    for (int[] s : SEQUENCES) {
      resets[s[1] * BATCH + s[0]] = 1;
      resets[(STEPS + s[2] - 1) * BATCH + s[0]] = 1;
    }
    Indices lengths = tape.indices(new int[] {6, 5}, BATCH);
    return new Recurrent.Options(lengths, tape.indices(resets, 2, STEPS, BATCH), null, null);
  }
}
