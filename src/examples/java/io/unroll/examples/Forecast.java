package io.unroll.examples;

import static io.unroll.examples.data.SeasonalSeries.DAY;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.Rows;
import io.unroll.data.Scaling;
import io.unroll.examples.data.DayWindows;
import io.unroll.examples.data.SeasonalSeries;
import io.unroll.nn.Tape;
import io.unroll.train.LearningRate;
import io.unroll.train.Model;
import io.unroll.train.ModelConfig;
import io.unroll.train.ModelConfig.Input;
import io.unroll.train.ModelConfig.Output;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.SequenceTask;
import io.unroll.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Forecasts the next day of an hourly series from the week before, where some hours are missing: a
 * missing input is the last known one with a mark, a missing target does not count.
 */
public final class Forecast implements Example {
  private static final int DAYS = 400;

  private final Path file;

  /** On a series that it makes itself. */
  public Forecast() {
    this(null);
  }

  /**
   * On a series of yours.
   *
   * @param file CSV or JSON lines with a column {@code value}, an hour a record, empty or null
   *     where it is missing; the last quarter is not trained on
   */
  public Forecast(Path file) {
    this.file = file;
  }

  /** Runs it: see {@link Examples#main(Example, String[])}; a FILE may stand before the options. */
  public static void main(String[] args) {
    Examples.main(new Forecast(Examples.file(args)), Examples.options(args));
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 1000, 32, 48);
  }

  @Override
  public Learned run(Setup setup) {
    float[][] series = file == null ? SeasonalSeries.draw(DAYS, setup.dataSeed(0)) : read(file);
    int cut = series.length * 3 / 4;
    DayWindows seen = DayWindows.of(series, 0, cut, 1);
    int last = Math.min(series.length, cut + DAY * (7 + setup.steps()));
    DayWindows unseen = DayWindows.of(series, cut, last, 5);
    Scaling scaling =
        Scaling.fit(seen.read(), "value").withMissing(Scaling.Missing.LAST).withMarks();
    Scaling told = Scaling.fit(seen.next().stream().map(day -> new float[][] {day}).toList());
    ModelConfig config =
        ModelConfig.of(
            Input.vectors(scaling), CellSpec.GRU, setup.hiddenSize(), Output.values(told));
    try (Model model = new Model(setup.backend(), config, setup.seed());
        Tape tape = new Tape(setup.backend(), setup.seed());
        Trainer trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.01))) {
      SequenceTask task =
          SequenceTask.shuffled(seen.dataset(), setup.batch(), setup.seed(), model::loss);
      trainer.clipNorm(1).learningRate(LearningRate.cosine(0.01, 0.0005, setup.steps()));
      double[] losses = Examples.train(trainer, task, setup.steps());
      List<float[]> forecasts =
          model.predict(unseen.dataset()).stream().map(rows -> rows[0]).toList();
      return new Learned(
          losses,
          "mean absolute error of " + forecasts.size() + " forecasts of a day",
          unseen.error(forecasts),
          "mean absolute error of the week's mean at the same hour",
          unseen.error(unseen.sameHours()),
          false,
          List.of(
              "forecast " + shown(forecasts.get(0)), "was      " + shown(unseen.next().get(0))));
    }
  }

  private static float[][] read(Path file) {
    try {
      return Rows.of(file).series("value");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String shown(float[] day) {
    StringBuilder line = new StringBuilder();
    for (float value : day) {
      line.append(Float.isNaN(value) ? "   -" : String.format(Locale.ROOT, "%4.0f", value));
    }
    return line.toString();
  }
}
