package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.Philox;
import io.unroll.RequiredBackendsTest;
import io.unroll.ShapeException;
import io.unroll.engine.Schedule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What must hold on every backend without any oracle. */
class BackendLawsTest {
  private static final int STEPS = 6;
  private static final int BATCH = 3;
  private static final int INPUT = 5;
  private static final int HIDDEN = 7;

  static Stream<Arguments> everyCellOnEveryBackend() {
    return RequiredBackendsTest.available()
        .flatMap(name -> CellSpec.all().stream().map(cell -> Arguments.of(name, cell)));
  }

  private static float[] random(int stream, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 2 * Philox.uniform(stream, i) - 1;
    }
    return values;
  }

  private static Recurrent layers(Parameters parameters, CellSpec cell) {
    RecurrentConfig config = RecurrentConfig.of(cell, INPUT, HIDDEN).withLayers(2);
    return new Recurrent(parameters, "r", config);
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyCellOnEveryBackend")
  void sixStepsAreThreeAndThreeWithCarriedState(String name, CellSpec cell) {
    try (Backend backend = Backend.open(name);
        Parameters parameters = new Parameters(backend, 1);
        Tape tape = new Tape(backend)) {
      Recurrent recurrent = layers(parameters, cell);
      float[] x = random(1, STEPS * BATCH * INPUT);
      tape.begin(Tape.Mode.EVALUATION);
      float[] whole = recurrent.forward(tape.input(x, STEPS, BATCH, INPUT)).y().toFloats();
      float[] parts = new float[whole.length];
      try (RecurrentState state = recurrent.newState(BATCH)) {
        for (int half = 0; half < 2; half++) {
          float[] part = new float[x.length / 2];
          System.arraycopy(x, half * part.length, part, 0, part.length);
          tape.begin(Tape.Mode.EVALUATION);
          Tensor input = tape.input(part, STEPS / 2, BATCH, INPUT);
          float[] y = recurrent.forward(input, Recurrent.Options.carried(state)).y().toFloats();
          System.arraycopy(y, 0, parts, half * y.length, y.length);
        }
      }
      assertArrayEquals(whole, parts, 1e-6f);
    }
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyCellOnEveryBackend")
  void rowsDoNotKnowEachOther(String name, CellSpec cell) {
    try (Backend backend = Backend.open(name);
        Parameters parameters = new Parameters(backend, 1);
        Tape tape = new Tape(backend)) {
      Recurrent recurrent = layers(parameters, cell);
      float[] x = random(2, STEPS * BATCH * INPUT);
      int[] lengths = {4, 6, 1};
      tape.begin(Tape.Mode.EVALUATION);
      Recurrent.Options ragged = Recurrent.Options.lengths(tape.indices(lengths, BATCH));
      float[] together =
          recurrent.forward(tape.input(x, STEPS, BATCH, INPUT), ragged).y().toFloats();
      for (int row = 0; row < BATCH; row++) {
        float[] alone = new float[lengths[row] * INPUT];
        for (int t = 0; t < lengths[row]; t++) {
          System.arraycopy(x, (t * BATCH + row) * INPUT, alone, t * INPUT, INPUT);
        }
        tape.begin(Tape.Mode.EVALUATION);
        float[] y = recurrent.forward(tape.input(alone, lengths[row], 1, INPUT)).y().toFloats();
        for (int t = 0; t < STEPS; t++) {
          for (int j = 0; j < HIDDEN; j++) {
            float expected = t < lengths[row] ? y[t * HIDDEN + j] : 0;
            assertEquals(expected, together[(t * BATCH + row) * HIDDEN + j], 1e-6f);
          }
        }
      }
    }
  }

  /** y, dx and the gradients of all parameters of a stack in both directions. */
  private static List<float[]> bothDirections(
      Backend backend, CellSpec cell, Schedule schedule, PackedRows rows) {
    RecurrentConfig config =
        RecurrentConfig.of(cell, INPUT, HIDDEN)
            .withLayers(2)
            .withBidirectional(true)
            .withSchedule(schedule);
    try (Parameters parameters = new Parameters(backend, 1);
        Tape tape = new Tape(backend)) {
      Recurrent recurrent = new Recurrent(parameters, "r", config);
      tape.begin(Tape.Mode.TRAINING);
      parameters.zeroGradients();
      Tensor x = tape.input(rows.x(), rows.steps(), rows.batch(), INPUT).withGradient();
      Tensor y = recurrent.forward(x, rows.options(tape)).y();
      tape.backward(List.of(y), List.of(tape.input(rows.dy(), y.shape())));
      List<float[]> results = new ArrayList<>(List.of(y.toFloats(), x.gradientToFloats()));
      parameters.names().forEach(name -> results.add(parameters.get(name).gradientToFloats()));
      return results;
    }
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyCellOnEveryBackend")
  void sequencesInOneRowDoNotKnowEachOther(String name, CellSpec cell) {
    PackedRows packed = PackedRows.random(INPUT, 2 * HIDDEN);
    try (Backend backend = Backend.open(name)) {
      for (Schedule schedule : Schedule.values()) {
        List<float[]> together = bothDirections(backend, cell, schedule, packed);
        double[][] sums = new double[together.size()][];
        for (PackedRows sequence : packed.alone()) {
          List<float[]> alone = bothDirections(backend, cell, schedule, sequence);
          assertArrayEquals(alone.get(0), sequence.of(together.get(0), 2 * HIDDEN), 1e-5f, "y");
          assertArrayEquals(alone.get(1), sequence.of(together.get(1), INPUT), 1e-5f, "dx");
          for (int i = 2; i < sums.length; i++) {
            double[] sum = sums[i] == null ? new double[alone.get(i).length] : sums[i];
            float[] part = alone.get(i);
            Arrays.setAll(sum, k -> sum[k] + part[k]);
            sums[i] = sum;
          }
        }
        for (int i = 2; i < sums.length; i++) {
          for (int k = 0; k < sums[i].length; k++) {
            assertEquals(sums[i][k], together.get(i)[k], 2e-5, "gradient " + i);
          }
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyCellOnEveryBackend")
  void steadyStepTakesNoMemoryAndClosingGivesAllBack(String name, CellSpec cell) {
    try (Backend backend = Backend.open(name)) {
      steadySteps(backend, cell);
      steadySteps(backend, cell);
      assertEquals(0, backend.liveBytes());
    }
  }

  private static void steadySteps(Backend backend, CellSpec cell) {
    try (Parameters parameters = new Parameters(backend, 1);
        Tape tape = new Tape(backend)) {
      Recurrent recurrent = layers(parameters, cell);
      long steady = 0;
      for (int step = 0; step < 6; step++) {
        tape.begin(Tape.Mode.TRAINING);
        Tensor x = tape.input(random(3, STEPS * BATCH * INPUT), STEPS, BATCH, INPUT);
        Tensor last = recurrent.forward(x).last();
        tape.backward(Losses.meanSquaredError(last, tape.input(random(4, 21), BATCH, HIDDEN)));
        if (step == 2) {
          steady = backend.liveBytes();
        }
      }
      assertTrue(steady > 0);
      assertEquals(steady, backend.liveBytes());
      assertTrue(backend.peakBytes() >= steady);
    }
  }

  static Stream<String> backends() {
    return RequiredBackendsTest.available();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void sameSeedDropsTheSameElements(String name) {
    int n = 5003;
    for (long seed : new long[] {0, 7, -1}) {
      try (Backend backend = Backend.open(name);
          Tape tape = new Tape(backend, seed)) {
        tape.begin(Tape.Mode.TRAINING);
        float[] ones = new float[n];
        Arrays.fill(ones, 1);
        for (int use = 0; use < 2; use++) {
          float[] found = Ops.dropout(tape.input(ones, n), 0.3).toFloats();
          for (int i = 0; i < n; i++) {
            boolean kept = Philox.uniform(seed, (long) use * n + i) >= 0.3f;
            String where = "seed " + seed + ", use " + use + ", element " + i;
            assertEquals(kept ? (float) (1 / 0.7) : 0, found[i], 1e-7f, where);
          }
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void closingABackendTooEarlyNamesWhatIsLeft(String name) {
    Backend backend = Backend.open(name);
    Parameters parameters = new Parameters(backend, 1);
    new Linear(parameters, "head", 2, 3);
    parameters.get("head.bias");
    IllegalStateException left = assertThrows(IllegalStateException.class, backend::close);
    assertTrue(left.getMessage().contains("parameters (9 elements)"), left::getMessage);
    assertTrue(left.getMessage().contains("gradients"), left::getMessage);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void wrongUseIsRefusedBeforeAnythingChanges(String name) {
    try (Backend backend = Backend.open(name);
        Parameters parameters = new Parameters(backend, 1);
        Tape tape = new Tape(backend);
        Tape other = new Tape(backend)) {
      Recurrent gru = new Recurrent(parameters, "gru", RecurrentConfig.of(CellSpec.GRU, 2, 3));
      Embedding embedding = new Embedding(parameters, "e", 4, 2);
      assertThrows(IllegalStateException.class, () -> tape.input(new float[2], 2));
      tape.begin(Tape.Mode.TRAINING);
      Tensor x = tape.input(new float[12], 3, 2, 2);
      assertThrows(ShapeException.class, () -> tape.input(new float[11], 3, 2, 2));
      assertThrows(ShapeException.class, () -> gru.forward(tape.input(new float[18], 3, 2, 3)));
      for (int[] lengths : List.of(new int[] {3, 4}, new int[] {0, 1}, new int[] {-100, 1})) {
        Recurrent.Options bad = Recurrent.Options.lengths(tape.indices(lengths, 2));
        assertThrows(IllegalArgumentException.class, () -> gru.forward(x, bad));
      }
      Recurrent.Options three = Recurrent.Options.lengths(tape.indices(new int[] {1, 1, 1}, 3));
      assertThrows(ShapeException.class, () -> gru.forward(x, three));
      for (Indices resets :
          List.of(
              tape.indices(new int[6], 2, 3),
              tape.indices(new int[12], 2, 3, 2),
              tape.indices(new int[] {0, 0, 0, 1, 0, 2}, 3, 2),
              tape.indices(new int[] {0, 0, 0, 1, 0, -100}, 3, 2))) {
        Recurrent.Options bad = Recurrent.Options.resets(resets);
        assertThrows(IllegalArgumentException.class, () -> gru.forward(x, bad));
      }
      Indices outside = tape.indices(new int[] {4}, 1);
      assertThrows(IllegalArgumentException.class, () -> embedding.forward(outside));
      assertThrows(ShapeException.class, () -> gru.forward(tape.indices(new int[4], 4)));
      Indices noSymbol = tape.indices(new int[] {0, 1, 2, 0}, 2, 2);
      assertThrows(IllegalArgumentException.class, () -> gru.forward(noSymbol));
      Tensor y = gru.forward(x).y();
      assertThrows(ShapeException.class, () -> tape.backward(y));
      other.begin(Tape.Mode.TRAINING);
      Tensor foreign = other.input(new float[18], 3, 2, 3);
      assertThrows(IllegalArgumentException.class, () -> Ops.add(y, foreign));
      tape.begin(Tape.Mode.EVALUATION);
      IllegalStateException stale = assertThrows(IllegalStateException.class, y::toFloats);
      assertTrue(stale.getMessage().contains("RecurrentState"), stale::getMessage);
      Tensor loss = Losses.meanSquaredError(foreign, foreign);
      assertThrows(IllegalStateException.class, () -> tape.backward(loss));
      assertThrows(
          IllegalStateException.class, () -> new Linear(parameters, "late", 1, 1), "too late");
      assertThrows(IllegalArgumentException.class, () -> RecurrentConfig.of(CellSpec.GRU, 2, 0));
    }
  }
}
