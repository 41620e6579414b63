package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Parameters;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.OptimizerConfig.Method;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TrainerTest {
  private Backend backend;
  private Parameters parameters;
  private Tape tape;
  private Linear line;

  /** y = slope x + 1 at four points. */
  private final class Line implements Task {
    double slope;
    int epochs;

    Line(double slope) {
      this.slope = slope;
    }

    @Override
    public int batchesPerEpoch() {
      return 2;
    }

    @Override
    public void beginEpoch(int epoch) {
      epochs++;
    }

    @Override
    public Tensor loss(Tape t, int epoch, int batch) {
      double[] x = batch == 0 ? new double[] {-1, 2} : new double[] {0, 1};
      double[] y = {slope * x[0] + 1, slope * x[1] + 1};
      return Losses.meanSquaredError(line.forward(t.input(x, 2, 1)), t.input(y, 2, 1));
    }
  }

  @BeforeEach
  void open() {
    backend = Backend.open("reference");
    parameters = new Parameters(backend, 1);
    line = new Linear(parameters, "line", 1, 1);
    tape = new Tape(backend);
  }

  @AfterEach
  void close() {
    tape.close();
    parameters.close();
    backend.close();
  }

  @Test
  void findsTheLine() {
    Line task = new Line(3);
    try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.of(Method.SGD, 0.2))) {
      trainer.train(task, null, 400);
      assertEquals(200, task.epochs);
      assertEquals(400, trainer.step());
    }
    assertEquals(3, parameters.get("line.weight").item(), 1e-9);
    assertEquals(1, parameters.get("line.bias").item(), 1e-9);
  }

  @Test
  void patienceStopsAndTheBestWeightsComeBack() {
    List<Double> losses = new ArrayList<>();
    List<Double> weights = new ArrayList<>();
    Line training = new Line(3);
    Line validation = new Line(1);
    parameters.set("line.weight", new double[] {-2});
    try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.of(Method.SGD, 0.05))) {
      trainer
          .evaluateEvery(1)
          .patience(4)
          .restoreBest(true)
          .listener(
              new TrainingListener() {
                @Override
                public void evaluated(Progress progress, boolean best) {
                  losses.add(progress.validationLoss());
                  weights.add(parameters.get("line.weight").item());
                }
              })
          .train(training, validation, 1000);
      int best = losses.indexOf(trainer.bestLoss());
      assertEquals(best + 5, losses.size(), "four measurements after the best one");
      assertTrue(best > 0, "the validation loss fell before it rose");
      assertEquals(weights.get(best), parameters.get("line.weight").item());
      assertTrue(!weights.get(best).equals(weights.get(weights.size() - 1)));
    }
  }

  @Test
  void stopsAtAnInfiniteLossBeforeItsUpdate() {
    Line task = new Line(1);
    try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.of(Method.SGD, 0.1))) {
      trainer.train(task, null, 5);
      double[] good = parameters.get("line.weight").toDoubles();
      task.slope = Double.POSITIVE_INFINITY;
      TrainingDivergedException stop =
          assertThrows(TrainingDivergedException.class, () -> trainer.train(task, null, 10));
      assertTrue(stop.getMessage().contains("step 6"), stop::getMessage);
      assertArrayEquals(good, parameters.get("line.weight").toDoubles());
      assertEquals(5, trainer.step());
    }
  }

  @Test
  void clipsByNormAndByValue() {
    try (GradientClip clip = new GradientClip(parameters)) {
      tape.begin(Tape.Mode.TRAINING);
      tape.backward(new Line(3).loss(tape, 0, 0));
      double w = parameters.get("line.weight").gradientToDoubles()[0];
      double b = parameters.get("line.bias").gradientToDoubles()[0];
      clip.byNorm(0.5);
      double norm = Math.hypot(w, b);
      assertTrue(norm > 1, "the test needs a gradient that is clipped");
      assertEquals(norm, clip.latestNorm(), 1e-12);
      double factor = 0.5 / (norm + 1e-6);
      assertEquals(w * factor, parameters.get("line.weight").gradientToDoubles()[0], 1e-12);
      clip.byValue(0.01);
      assertEquals(
          Math.copySign(0.01, w), parameters.get("line.weight").gradientToDoubles()[0], 1e-15);
      clip.byNorm(5);
      assertEquals(
          Math.copySign(0.01, w), parameters.get("line.weight").gradientToDoubles()[0], 1e-15);
    }
  }

  @Test
  void schedules() {
    LearningRate decaying = LearningRate.decaying(1, 0.5, 10, 20);
    assertEquals(1, decaying.at(19));
    assertEquals(0.5, decaying.at(20));
    assertEquals(0.5, decaying.at(29));
    assertEquals(0.25, decaying.at(30));
    LearningRate cosine = LearningRate.cosine(1, 0.2, 100);
    assertEquals(1, cosine.at(0));
    assertEquals(0.6, cosine.at(50), 1e-12);
    assertEquals(0.2, cosine.at(500), 1e-12);
    LearningRate warm = LearningRate.constant(2).withWarmup(4);
    assertEquals(0.5, warm.at(0));
    assertEquals(2, warm.at(3));
    assertEquals(2, warm.at(9));
    assertThrows(IllegalArgumentException.class, () -> LearningRate.decaying(1, 0, 1, 0));
  }

  @Test
  void optimizerNumbersAreChecked() {
    for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> OptimizerConfig.adam(bad));
    }
    assertThrows(IllegalArgumentException.class, () -> OptimizerConfig.adam(1).withBetas(0.9, 1));
    assertThrows(IllegalArgumentException.class, () -> OptimizerConfig.adam(1).withWeightDecay(-1));
  }
}
