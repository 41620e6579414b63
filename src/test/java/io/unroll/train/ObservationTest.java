package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.RequiredBackendsTest;
import io.unroll.data.TextProperty;
import io.unroll.data.Vocabulary;
import io.unroll.nn.Activations;
import io.unroll.nn.RecurrentState;
import io.unroll.nn.Tape;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is noted of a model that reads, against the model itself. */
class ObservationTest {
  /** Longer than what a device reads at once. */
  private static final String TEXT =
      "one two buckle my shoe, \"three\" four open the door.\n".repeat(6);

  private static final Vocabulary VOCABULARY = Vocabulary.of(TEXT);
  private static final int[] IDS = VOCABULARY.encode(TEXT);

  private static CharRnn model(Backend backend, CellSpec cell, int embedding) {
    return new CharRnn(backend, VOCABULARY, new CharRnn.Config(cell, 5, 2, embedding, 0.3), 9);
  }

  static Stream<Arguments> models() {
    return Stream.concat(Stream.of("reference"), RequiredBackendsTest.judged())
        .flatMap(name -> CellSpec.all().stream().map(cell -> Arguments.of(name, cell)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("models")
  void windowsAreOneReading(String name, CellSpec cell) {
    try (Backend backend = Backend.open(name);
        CharRnn model = model(backend, cell, 3);
        Tape tape = new Tape(backend);
        RecurrentState state = model.newState(1)) {
      Observation seen = Observation.of(model, IDS);
      tape.begin(Tape.Mode.OBSERVATION);
      Activations once = model.read(tape.indices(IDS, IDS.length, 1), state).activations();
      int last = cell.stateCount() - 1;
      float[] expected = once.state(cell.states().get(last), 1, 0).toFloats();
      for (int t = 0; t < IDS.length; t++) {
        assertEquals(expected[t * 5 + 3], seen.values(last, 1, 3)[t], 1e-5, "character " + t);
      }
      float[] gate = once.gate(cell.gates().get(0), 1, 0).toFloats();
      GateActivity counted = new GateActivity(cell.gates().get(0), 1, 5);
      counted.add(gate);
      GateActivity noted = seen.gates().get(cell.gateCount());
      assertEquals(counted.gate() + 1, noted.gate() + noted.layer());
      assertArrayEquals(counted.histogram(), noted.histogram(), 0.01);
      assertEquals(counted.rightSaturated(3), noted.rightSaturated(3), 0.01);
    }
  }

  @Test
  void expectsWhatEvaluationMeasures() {
    try (Backend backend = Backend.open("reference");
        CharRnn model = model(backend, CellSpec.GRU, 0);
        CharRnn.TextTask task = model.task(IDS, IDS.length - 1, 1);
        Tape tape = new Tape(backend)) {
      Observation seen = Observation.of(model, IDS);
      double nats = Trainer.evaluate(tape, task);
      assertEquals(nats / Math.log(2), seen.bitsPerCharacter(), 1e-6);
      assertTrue(Float.isNaN(seen.probability(0)));
      for (int t = 0; t < IDS.length - 1; t++) {
        for (int rank = 0; rank < Observation.GUESSES; rank++) {
          float chance = seen.guessProbability(t, rank);
          assertTrue(rank == 0 || chance <= seen.guessProbability(t, rank - 1));
          if (seen.guess(t, rank) == IDS[t + 1]) {
            assertEquals(chance, seen.probability(t + 1));
          }
        }
      }
    }
  }

  @Test
  void fewCharactersLeaveRanksEmpty() {
    Vocabulary two = Vocabulary.of("ab");
    try (Backend backend = Backend.open("cpu");
        CharRnn model =
            new CharRnn(backend, two, new CharRnn.Config(CellSpec.TANH, 3, 1, 0, 0), 1)) {
      Observation seen = Observation.of(model, new int[] {0, 1});
      assertEquals(1, seen.guessProbability(0, 0) + seen.guessProbability(0, 1), 1e-6);
      assertEquals(-1, seen.guess(0, 2));
      assertEquals(0, seen.guessProbability(0, 2));
      assertThrows(IllegalArgumentException.class, () -> Observation.of(model, new int[0]));
    }
  }

  @Test
  void rankingPutsTheUnitFirstThatFollowsAProperty() {
    try (Backend backend = Backend.open("cpu");
        CharRnn model = model(backend, CellSpec.LSTM, 3)) {
      Observation seen = Observation.of(model, IDS);
      assertEquals(Observation.bytes(model.config(), IDS.length), 2 * 2 * 5 * 4L * IDS.length);
      float[] followed = seen.values(1, 0, 2).clone();
      List<TextProperty> properties =
          List.of(new TextProperty("c 2 itself", "", followed), TextProperty.of(TEXT).get(0));
      UnitRanking ranking = UnitRanking.of(seen, properties);
      UnitRanking.Unit unit = new UnitRanking.Unit(1, 0, 2);
      assertEquals(20, ranking.units().size());
      assertEquals(unit, ranking.mostSensitive(0).get(0));
      assertEquals(unit, ranking.mostSensitive().get(0));
      assertEquals(1, ranking.sensitivity(unit, 0).held(), 1e-6);
      for (int p = 0; p < properties.size(); p++) {
        double before = 1;
        for (UnitRanking.Unit each : ranking.mostSensitive(p)) {
          double held = Math.abs(ranking.sensitivity(each, p).held());
          assertTrue(held <= before + 1e-6, held + " after " + before);
          before = held;
        }
      }
      assertEquals(
          Sensitivity.of(followed, properties.get(1).values()), ranking.sensitivity(unit, 1));
    }
  }

  @Test
  void outerTenthsAreSaturated() {
    GateActivity logistic = new GateActivity("f", 0, 2);
    logistic.add(new float[] {0.05f, 0.5f, 0.09f, 0.95f, 0.11f, 0.89f, 0.2f, 1});
    assertEquals(0, logistic.lowest());
    assertEquals(0.5, logistic.leftSaturated(0));
    assertEquals(0, logistic.rightSaturated(0));
    assertEquals(0.5, logistic.rightSaturated(1));
    assertEquals(1, Arrays.stream(logistic.histogram()).sum(), 1e-12);
    assertEquals(40, logistic.histogram().length);
    GateActivity tanh = new GateActivity("g", 0, 1);
    tanh.add(new float[] {-0.85f, -0.75f, 0.75f, 0.85f, 0.9f, -1, 1, 0});
    assertEquals(-1, tanh.lowest());
    assertEquals(2 / 8.0, tanh.leftSaturated(0));
    assertEquals(3 / 8.0, tanh.rightSaturated(0));
    assertEquals(80, tanh.histogram().length);
    GateActivity relu = new GateActivity("h", 0, 1);
    relu.add(new float[] {0, 7, 0, 0.5f});
    assertEquals(0.5, relu.leftSaturated(0));
    assertEquals(0.25, relu.rightSaturated(0));
  }
}
