package io.unroll.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.Philox;
import io.unroll.RequiredBackendsTest;
import io.unroll.reference.Arithmetic;
import io.unroll.reference.ReferenceNetwork;
import io.unroll.reference.ReferenceRecurrence;
import io.unroll.reference.Sequence;
import io.unroll.reference.Tolerance;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** States and gates at every step, of every cell on every backend, against the float64 oracle. */
class ActivationsTest {
  private static final int STEPS = 9;
  private static final int BATCH = 3;
  private static final int INPUTS = 5;
  private static final int HIDDEN = 7;
  private static final int LAYERS = 2;
  private static final int[] LENGTHS = {4, 9, 6};
  private static final double[] X =
      IntStream.range(0, STEPS * BATCH * INPUTS)
          .mapToDouble(i -> (2 * Philox.uniform(20261125, i) - 1))
          .toArray();

  static Stream<Arguments> cells() {
    return Stream.concat(Stream.of("reference"), RequiredBackendsTest.judged())
        .flatMap(name -> CellSpec.all().stream().map(cell -> Arguments.of(name, cell)));
  }

  private static RecurrentConfig config(CellSpec cell) {
    return RecurrentConfig.of(cell, INPUTS, HIDDEN).withLayers(LAYERS).withBidirectional(true);
  }

  private static Recurrent.Output forward(Tape tape, Tape.Mode mode, Recurrent recurrent) {
    tape.begin(mode);
    Recurrent.Options lengths = Recurrent.Options.lengths(tape.indices(LENGTHS, BATCH));
    return recurrent.forward(tape.input(X, STEPS, BATCH, INPUTS), lengths);
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cells")
  void agreeWithTheOracle(String name, CellSpec cell) {
    try (Backend backend = Backend.open(name);
        Parameters parameters = new Parameters(backend, 11);
        Tape tape = new Tape(backend)) {
      Recurrent recurrent = new Recurrent(parameters, "", config(cell));
      Activations seen = forward(tape, Tape.Mode.OBSERVATION, recurrent).activations();
      ReferenceNetwork.Forward exact = oracle(cell, parameters, Arithmetic.FLOAT64);
      ReferenceNetwork.Forward plain = oracle(cell, parameters, Arithmetic.FLOAT32);
      for (int slot = 0; slot < 2 * LAYERS; slot++) {
        int layer = slot / 2;
        int direction = slot % 2;
        for (int s = 0; s < cell.stateCount(); s++) {
          String state = cell.states().get(s);
          assertClose(
              state + slot,
              state(exact.runs().get(slot), s, direction),
              state(plain.runs().get(slot), s, direction),
              valid(seen.state(state, layer, direction).toDoubles()));
        }
        for (int g = 0; g < cell.gateCount(); g++) {
          String gate = cell.gates().get(g);
          assertClose(
              gate + slot,
              gate(cell, exact.runs().get(slot), g, direction),
              gate(cell, plain.runs().get(slot), g, direction),
              valid(seen.gate(gate, layer, direction).toDoubles()));
        }
      }
    }
  }

  private static ReferenceNetwork.Forward oracle(
      CellSpec cell, Parameters parameters, Arithmetic arithmetic) {
    Map<String, double[]> weights = new LinkedHashMap<>();
    parameters.names().forEach(each -> weights.put(each, parameters.get(each).toDoubles()));
    return new ReferenceNetwork(cell, INPUTS, HIDDEN, LAYERS, true, arithmetic)
        .forward(new Sequence(STEPS, BATCH, INPUTS, X, LENGTHS, null), null, weights);
  }

  private static void assertClose(String what, double[] exact, double[] plain, double[] found) {
    Tolerance.Comparison worst = Tolerance.of(exact, plain).compare(found);
    assertTrue(worst.passes(), () -> what + ": " + worst);
  }

  private static double[] state(ReferenceRecurrence.Forward run, int s, int direction) {
    int first = direction == 0 ? BATCH * HIDDEN : 0;
    return valid(
        IntStream.range(0, STEPS * BATCH * HIDDEN)
            .mapToDouble(i -> run.states()[s][first + i])
            .toArray());
  }

  private static double[] gate(
      CellSpec cell, ReferenceRecurrence.Forward run, int g, int direction) {
    if (cell.reserved() == 0) {
      return state(run, 0, direction);
    }
    return valid(
        IntStream.range(0, STEPS * BATCH * HIDDEN)
            .mapToDouble(i -> run.keep()[i * cell.reserved() + g])
            .toArray());
  }

  /** Those of [T,B,H] within the rows' lengths. */
  private static double[] valid(double[] all) {
    return IntStream.range(0, all.length)
        .filter(i -> i / (BATCH * HIDDEN) < LENGTHS[i / HIDDEN % BATCH])
        .mapToDouble(i -> all[i])
        .toArray();
  }

  @ParameterizedTest
  @MethodSource("io.unroll.RequiredBackendsTest#judged")
  void observingChangesNothing(String name) {
    try (Backend backend = Backend.open(name);
        Parameters parameters = new Parameters(backend, 11);
        Tape tape = new Tape(backend)) {
      Recurrent lstm = new Recurrent(parameters, "", config(CellSpec.LSTM).withDropout(0.5));
      float[] y = forward(tape, Tape.Mode.EVALUATION, lstm).y().toFloats();
      assertArrayEquals(y, forward(tape, Tape.Mode.OBSERVATION, lstm).y().toFloats());
    }
  }

  @Test
  void lastStepOfAStateIsTheFinalState() {
    try (Backend backend = Backend.open("cpu");
        Parameters parameters = new Parameters(backend, 11);
        Tape tape = new Tape(backend)) {
      Recurrent lstm = new Recurrent(parameters, "", config(CellSpec.LSTM));
      Recurrent.Output output = forward(tape, Tape.Mode.EVALUATION, lstm);
      float[] c = output.activations().state("c", 1, 1).toFloats();
      float[] last = output.cN().toFloats();
      for (int i = 0; i < BATCH * HIDDEN; i++) {
        assertEquals(last[3 * BATCH * HIDDEN + i], c[i], "the reverse direction ends at step 0");
      }
    }
  }

  @Test
  void whatIsNotThereIsNamed() {
    try (Backend backend = Backend.open("reference");
        Parameters parameters = new Parameters(backend, 11);
        Tape tape = new Tape(backend)) {
      Recurrent gru = new Recurrent(parameters, "", config(CellSpec.GRU));
      Activations seen = forward(tape, Tape.Mode.EVALUATION, gru).activations();
      assertSays(
          IllegalArgumentException.class, () -> seen.state("c", 0, 0), "gru", "\"c\"", "[h]");
      assertSays(IllegalArgumentException.class, () -> seen.gate("f", 0, 0), "[r, z, n]");
      assertSays(IllegalArgumentException.class, () -> seen.state("h", 2, 0), "layer 2", "0 to 1");
      assertSays(IllegalArgumentException.class, () -> seen.state("h", 0, 2), "2 directions");
      assertSays(IllegalStateException.class, () -> seen.gate("r", 0, 0), "OBSERVATION");
      tape.begin(Tape.Mode.OBSERVATION);
      assertThrows(IllegalStateException.class, () -> seen.state("h", 0, 0));
    }
  }

  private static void assertSays(
      Class<? extends RuntimeException> type, Runnable action, String... words) {
    String message = assertThrows(type, action::run).getMessage();
    for (String word : words) {
      assertTrue(message.contains(word), message);
    }
  }
}
