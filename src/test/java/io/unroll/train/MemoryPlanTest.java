package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.RequiredBackendsTest;
import io.unroll.data.Vocabulary;
import io.unroll.engine.MemoryPlan;
import io.unroll.engine.Schedule;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.OptimizerConfig.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is planned is what a device then holds, to the byte. */
class MemoryPlanTest {
  private static final int STEPS = 9;

  /** Training of a char-rnn for so many updates, with a measurement in the middle and a text. */
  private record Run(CharRnn.Config config, Method method, boolean keepsBest, int updates)
      implements MemoryPlan.Work {
    @Override
    public void run(Backend backend, int batch) {
      Vocabulary vocabulary = Vocabulary.fromSymbols("abcdefghijklmnopq");
      int[] ids = new int[STEPS * batch * 3 + 1];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = i % 1000 * 7 % vocabulary.size();
      }
      try (CharRnn model = new CharRnn(backend, vocabulary, config, 1);
          Tape tape = new Tape(backend, 2);
          CharRnn.TextTask training = model.task(ids, STEPS, batch);
          CharRnn.TextTask validation = model.task(ids, STEPS - 2, Math.max(1, batch / 2));
          Trainer trainer =
              new Trainer(model.parameters(), tape, OptimizerConfig.of(method, 1e-3))) {
        trainer.clipNorm(1).restoreBest(keepsBest);
        trainer.evaluateEvery(updates - 1).train(training, validation, updates);
        model.sample("", 3, Sampling.seeded(1), text -> {});
      }
    }

    Run lasting(int other) {
      return new Run(config, method, keepsBest, other);
    }
  }

  private static Run run(CellSpec cell, int hidden, int embedding, Method method) {
    CharRnn.Config config = new CharRnn.Config(cell, hidden, 2, embedding, 0.1);
    return new Run(config, method, hidden % 2 == 0, 3);
  }

  static Stream<Arguments> runs() {
    List<Arguments> runs = new ArrayList<>();
    for (String backend : RequiredBackendsTest.available().toList()) {
      for (CellSpec cell : CellSpec.all()) {
        runs.add(Arguments.of(backend, run(cell, 16, 0, Method.ADAMW), 1));
        runs.add(Arguments.of(backend, run(cell, 33, 7, Method.SGD), 5));
        runs.add(Arguments.of(backend, run(cell, 64, 12, Method.MOMENTUM), 64));
      }
    }
    return runs.stream();
  }

  @ParameterizedTest(name = "{0}, {1}, batch {2}")
  @MethodSource("runs")
  void isWhatTheDeviceHolds(String name, Run run, int batch) {
    try (Backend backend = Backend.open(name)) {
      MemoryPlan plan = MemoryPlan.of(backend, batch, run);
      assertEquals(0, backend.peakBytes(), "planning takes nothing");
      run.lasting(7).run(backend, batch);
      assertEquals(backend.peakBytes(), plan.bytes(), plan::toString);
      assertEquals(plan.bytes(), plan.lines().stream().mapToLong(MemoryPlan.Line::bytes).sum());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("io.unroll.RequiredBackendsTest#available")
  void holdsForRowsOfSeveralSequences(String name) {
    for (Schedule schedule : Schedule.values()) {
      MemoryPlan.Work work =
          (device, batch) -> {
            try (Parameters parameters = new Parameters(device, 1);
                Tape tape = new Tape(device)) {
              RecurrentConfig config = RecurrentConfig.of(CellSpec.GRU, 5, 65).withLayers(2);
              Recurrent gru = new Recurrent(parameters, "", config.withSchedule(schedule));
              for (int step = 0; step < 3; step++) {
                tape.begin(Tape.Mode.TRAINING);
                Tensor x = tape.input(new float[STEPS * batch * 5], STEPS, batch, 5);
                int[] resets = new int[STEPS * batch];
                resets[batch] = 1;
                Recurrent.Options packed =
                    Recurrent.Options.resets(tape.indices(resets, STEPS, batch));
                Tensor y = gru.forward(x, packed).y();
                tape.backward(
                    List.of(y), List.of(tape.input(new float[STEPS * batch * 65], y.shape())));
              }
            }
          };
      try (Backend backend = Backend.open(name)) {
        MemoryPlan plan = MemoryPlan.of(backend, 4, work);
        work.run(backend, 4);
        assertEquals(backend.peakBytes(), plan.bytes(), plan::toString);
      }
    }
  }

  private static long bytes(MemoryPlan plan, String purpose) {
    return plan.lines().stream()
        .filter(line -> line.purpose().equals(purpose))
        .mapToLong(MemoryPlan.Line::bytes)
        .sum();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("io.unroll.RequiredBackendsTest#available")
  void linesNameWhatIsHeld(String name) {
    Run run = run(CellSpec.LSTM, 64, 12, Method.ADAM);
    try (Backend backend = Backend.open(name);
        CharRnn model =
            new CharRnn(backend, Vocabulary.fromSymbols("abcdefghijklmnopq"), run.config(), 1)) {
      MemoryPlan plan = MemoryPlan.of(backend, 8, run);
      long each = model.parameters().size() * (name.equals("reference") ? 8 : 4);
      for (String purpose :
          new String[] {
            "parameters", "gradients", "optimizer exp_avg", "optimizer exp_avg_sq", "best weights"
          }) {
        assertEquals(each, bytes(plan, purpose), purpose);
      }
      assertTrue(bytes(plan, "activations") > 0, plan::toString);
      assertTrue(plan.toString().contains("optimizer exp_avg_sq 0."), plan::toString);
    }
  }

  @Test
  void largestBatchFitsAndTheNextDoesNot() {
    Run run = run(CellSpec.GRU, 24, 0, Method.SGD);
    try (Backend backend = Backend.open("cpu")) {
      MemoryPlan plan = MemoryPlan.of(backend, 2000, run);
      for (long limit : new long[] {plan.bytes() / 2, plan.bytes() / 7, plan.bytes() - 1}) {
        int largest = plan.largestBatch(limit, 2000);
        assertTrue(largest > 1 && largest < 2000, "largest of " + limit + " is " + largest);
        assertTrue(MemoryPlan.of(backend, largest, run).bytes() <= limit);
        assertTrue(MemoryPlan.of(backend, largest + 1, run).bytes() > limit);
      }
      assertEquals(2000, plan.largestBatch(plan.bytes(), 2000));
      assertEquals(1500, plan.largestBatch(plan.bytes(), 1500));
      assertEquals(0, plan.largestBatch(1000, 2000));
      assertEquals(0, backend.peakBytes());
    }
  }

  /** No float of these exists, here or in the plan. */
  @Test
  void adviceNamesTheBatchThatFits() {
    try (Backend backend = Backend.open("cpu")) {
      Run run = run(CellSpec.GRU, 24, 0, Method.SGD);
      MemoryPlan small = MemoryPlan.of(backend, 4, run);
      assertTrue(small.fits());
      assertFalse(small.advice().contains("largest"), small::advice);

      long quarter = backend.memoryBytes() / 4 / 4;
      MemoryPlan.Work wide =
          (device, batch) -> {
            try (Parameters parameters = new Parameters(device, 1)) {
              for (int row = 0; row < batch; row++) {
                int[] shape = {Math.toIntExact(quarter / 2 / 1000), 1000};
                parameters.add("w" + row, (seed, position) -> 1, shape);
              }
              parameters.gradients();
            }
          };
      MemoryPlan large = MemoryPlan.of(backend, 9, wide);
      assertFalse(large.fits());
      assertTrue(large.advice().contains("gradients"), large::advice);
      assertTrue(large.advice().endsWith("the largest batch that fits is 4"), large::advice);
      MemoryPlan.Work huge = (device, batch) -> wide.run(device, 9 * batch);
      String advice = MemoryPlan.of(backend, 1, huge).advice();
      assertTrue(advice.contains("not even a batch of 1 fits"), advice);
    }
  }

  @Test
  void adviceAfterARefusalNamesABatchThatIsSafe() {
    Run run = run(CellSpec.GRU, 24, 0, Method.SGD);
    try (Backend backend = Backend.open("cpu")) {
      MemoryPlan plan = MemoryPlan.of(backend, 400, run);
      long held = plan.bytes() * 2 / 3;
      String advice = plan.advice(refusal(held));
      int safe = plan.largestBatch(held, 400);
      assertTrue(safe > 200 && advice.contains("a batch of " + safe + " needs no more"), advice);
      assertEquals(plan.advice(), plan.advice(refusal(10)), "too little was held to tell");
    }
  }

  private static OutOfDeviceMemoryException refusal(long liveBytes) {
    return new OutOfDeviceMemoryException("refused", 1 << 20, liveBytes, 1 << 30, null);
  }

  @Test
  void workMustCloseWhatItTook() {
    try (Backend backend = Backend.open("cpu")) {
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () ->
                      MemoryPlan.of(
                          backend,
                          1,
                          (device, batch) -> {
                            Parameters open = new Parameters(device, 1);
                            open.add("w", (seed, position) -> 1, 3);
                            open.values();
                          }))
              .getMessage();
      assertTrue(message.contains("parameters (3 elements)"), message);
      assertThrows(
          IllegalArgumentException.class, () -> MemoryPlan.of(backend, 0, (device, batch) -> {}));
    }
  }
}
