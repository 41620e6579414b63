package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.data.Vocabulary;
import io.unroll.engine.MemoryPlan;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import io.unroll.train.Task;
import io.unroll.train.Trainer;
import io.unroll.train.TrainingDivergedException;
import io.unroll.train.TrainingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/** One run of {@code train}: the model, its trainer, and the files it leaves in a folder. */
final class TrainingRun implements TrainingListener, AutoCloseable {
  private static final int STEPS_PER_LINE = 10;
  private static final double SAMPLE_TEMPERATURE = 0.8;

  /** From the second step of a kind on, memory is taken in the same way. */
  private static final int REHEARSED_STEPS = 3;

  /**
   * What decides when to stop and what to show, and may differ each time a run is resumed.
   *
   * @param steps updates in all, or Long.MAX_VALUE
   * @param seconds of this part of the run, or infinite
   */
  record Limits(
      long steps,
      double seconds,
      int checkpointEvery,
      int sampleEvery,
      int sampleLength,
      boolean quiet) {}

  private final TrainSettings settings;
  private final CharRnn model;
  private final Tape tape;
  private final CharRnn.TextTask training;
  private final CharRnn.TextTask validation;
  private final Trainer trainer;
  private Path folder;
  private Limits limits;
  private ProgressDisplay display;
  private Metrics metrics;
  private long startStep;
  private long savedStep;
  private long startNanos;
  private double secondsBefore;
  private double lossSum;
  private int lossCount;
  private String pictureProblem;
  private volatile boolean stopRequested;

  /**
   * @param ids the text, held-out part included, as numbers of the model's vocabulary
   * @param batch streams side by side
   */
  TrainingRun(Backend backend, CharRnn model, TrainSettings settings, int[] ids, int batch) {
    this.model = model;
    this.settings = settings;
    int held = (int) Math.round(ids.length * settings.validation());
    int[] trainIds = Arrays.copyOf(ids, ids.length - held);
    int[] heldIds = Arrays.copyOfRange(ids, ids.length - held, ids.length);
    this.training = model.task(trainIds, settings.seqLength(), batch);
    this.validation = Evaluation.task(model, heldIds, settings.seqLength(), batch);
    this.tape = new Tape(backend, settings.seed());
    this.trainer =
        new Trainer(model.parameters(), tape, settings.optimizerConfig())
            .learningRate(settings.schedule(training.batchesPerEpoch()))
            .clipNorm(settings.clipNorm())
            .clipValue(settings.clipValue())
            .evaluateEvery(settings.evaluateEvery())
            .patience(settings.patience());
  }

  /** The first batch of a task, over and over. */
  private record FirstBatch(Task task) implements Task {
    @Override
    public int batchesPerEpoch() {
      return 1;
    }

    @Override
    public Tensor loss(Tape tape, int epoch, int batch) {
      return task.loss(tape, 0, 0);
    }
  }

  /** What a run holds on a device, which is left alone. */
  static MemoryPlan plan(
      Backend backend, Vocabulary vocabulary, TrainSettings settings, int[] ids) {
    return MemoryPlan.of(
        backend,
        settings.batch(),
        (counting, batch) -> {
          try (CharRnn model = new CharRnn(counting, vocabulary, settings.model(), 0);
              TrainingRun run = new TrainingRun(counting, model, settings, ids, batch)) {
            run.takeAllMemory();
          }
        });
  }

  /** Does once whatever takes memory, in the order in which it comes. */
  private void takeAllMemory() {
    Task oneBatch = validation == null ? null : new FirstBatch(validation);
    trainer.train(training, oneBatch, REHEARSED_STEPS);
    trainer.train(training, oneBatch, REHEARSED_STEPS + 1);
    sample(REHEARSED_STEPS);
  }

  /** Continues from a checkpoint of this run. */
  void restore(Checkpoint checkpoint) throws IOException {
    checkpoint.restore(trainer);
    training.restore(checkpoint);
  }

  /** Windows of the text in one epoch. */
  int stepsPerEpoch() {
    return training.batchesPerEpoch();
  }

  /** Ends after the running step; any thread may call it, also before {@link #train}. */
  void stop() {
    stopRequested = true;
    trainer.stop();
  }

  /**
   * Trains until a limit, and leaves checkpoint, picture and metrics in a folder.
   *
   * @throws TrainingDivergedException if the loss is NaN; the checkpoint is then the last good one
   */
  void train(Path into, Limits until, ProgressDisplay shownOn) throws IOException {
    folder = into;
    limits = until;
    display = shownOn;
    metrics = new Metrics(folder.resolve("metrics.jsonl"), trainer.step());
    secondsBefore = metrics.seconds();
    startStep = trainer.step();
    savedStep = startStep;
    LossCurve.prepare();
    startNanos = System.nanoTime();
    trainer.listener(this);
    try {
      trainer.train(training, validation, limits.steps());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (TrainingDivergedException e) {
      Path checkpoint = folder.resolve(Runs.CHECKPOINT);
      throw new TrainingDivergedException(
          e.getMessage()
              + (Files.exists(checkpoint)
                  ? ". The last good checkpoint is " + checkpoint
                  : ". No checkpoint had been written yet"));
    }
    save();
  }

  /**
   * For whoever reads that the device has failed in {@link #train}: another process may find it
   * well again.
   *
   * @param resumption the command line that goes on with this run
   */
  String howToGoOn(String resumption) {
    Path checkpoint = folder.resolve(Runs.CHECKPOINT);
    String reached = "Training had made " + trainer.step() + " steps; ";
    return Files.exists(checkpoint)
        ? reached
            + "the checkpoint "
            + checkpoint
            + " is of step "
            + savedStep
            + ". Go on from there, in a new process, with: "
            + resumption
        : reached + "no checkpoint had been written yet, so begin again; see --checkpoint-every";
  }

  @Override
  public void evaluated(Progress progress, boolean best) {
    record(progress, progress.validationLoss());
  }

  @Override
  public void stepped(Progress progress) {
    lossSum += progress.loss();
    lossCount++;
    if (lossCount >= STEPS_PER_LINE) {
      record(progress, null);
    }
    double seconds = seconds();
    boolean timed = limits.seconds() < Double.POSITIVE_INFINITY;
    display.show(timed ? (long) seconds : progress.step(), seconds, message(progress, seconds));
    if (stopRequested || seconds >= limits.seconds()) {
      trainer.stop();
    }
    if (limits.sampleEvery() > 0 && progress.step() % limits.sampleEvery() == 0) {
      display.print(
          "--- step " + progress.step() + " writes:\n" + sample(limits.sampleLength()) + "\n---");
    }
    if (limits.checkpointEvery() > 0 && progress.step() % limits.checkpointEvery() == 0) {
      try {
        save();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void record(Progress progress, Double validationLoss) {
    double loss = lossCount == 0 ? progress.loss() : lossSum / lossCount;
    lossSum = 0;
    lossCount = 0;
    double epoch = (double) progress.step() / training.batchesPerEpoch();
    double seconds = seconds();
    Metrics.Line line =
        new Metrics.Line(
            progress.step(),
            epoch,
            loss,
            validationLoss,
            progress.learningRate(),
            speed(seconds),
            secondsBefore + seconds);
    try {
      metrics.add(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String sample(int length) {
    StringBuilder text = new StringBuilder();
    Sampling sampling = new Sampling(SAMPLE_TEMPERATURE, 0, settings.seed());
    model.sample("", length, sampling, text::append);
    return text.toString();
  }

  /** Short, so that a bar with it fits on a terminal. */
  private String message(Progress progress, double seconds) {
    String validationPart =
        Double.isNaN(progress.validationLoss())
            ? ""
            : String.format(Locale.ROOT, ", val %.3f", progress.validationLoss());
    return String.format(
        Locale.ROOT, "loss %.3f%s, %.0f char/s", progress.loss(), validationPart, speed(seconds));
  }

  private double seconds() {
    return (System.nanoTime() - startNanos) * 1e-9;
  }

  private double speed(double seconds) {
    return (trainer.step() - startStep) * (double) training.charactersPerBatch() / seconds;
  }

  private void save() throws IOException {
    Checkpoint.Writer writer =
        Checkpoint.of(model.parameters())
            .trainer(trainer)
            .metadata(TrainSettings.KEY, settings.toJson());
    model.metadata().forEach(writer::metadata);
    training.addTo(writer).write(folder.resolve(Runs.CHECKPOINT));
    savedStep = trainer.step();
    pictureProblem =
        LossCurve.write(folder.resolve("loss.png"), folder.toString(), metrics.lines());
  }

  /** One line on how the run ended. */
  String summary() {
    String losses = "";
    for (Metrics.Line line : metrics.lines()) {
      losses = String.format(Locale.ROOT, ", training loss %.3f", line.loss());
    }
    if (trainer.bestLoss() < Double.POSITIVE_INFINITY) {
      losses += String.format(Locale.ROOT, ", lowest validation loss %.3f", trainer.bestLoss());
    }
    return String.format(
            Locale.ROOT, "%d steps in %.0f s%s", trainer.step(), metrics.seconds(), losses)
        + (pictureProblem == null ? "" : "; loss.png could not be drawn: " + pictureProblem);
  }

  @Override
  public void close() {
    trainer.close();
    tape.close();
    training.close();
    if (validation != null) {
      validation.close();
    }
  }
}
