package io.unroll.train;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Span;
import io.unroll.nn.Parameters;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Trains parameters on a {@link Task}: forward, backward, clip, update; measures on a second task,
 * stops early, and brings the best weights back.
 *
 * <pre>
 * try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(1e-3))) {
 *   trainer.clipNorm(5).evaluateEvery(100).patience(5).train(training, validation, 10_000);
 * }
 * </pre>
 *
 * <p>A checkpoint holds all it needs to continue bit for bit: see {@link Checkpoint}.
 */
public final class Trainer implements AutoCloseable {
  private final Parameters parameters;
  private final Tape tape;
  private final Optimizer optimizer;
  private final GradientClip clip;
  private final List<TrainingListener> listeners = new ArrayList<>();
  private LearningRate learningRate;
  private double clipNorm;
  private double clipValue;
  private long evaluateEvery;
  private int patience;
  private boolean keepsBest;
  private DeviceBuffer best;

  private long step;
  private double validationLoss = Double.NaN;
  private double bestLoss = Double.POSITIVE_INFINITY;
  private int evaluationsSinceBest;
  private volatile boolean stopped;

  /** A trainer at step 0, with a constant learning rate and no clipping. */
  public Trainer(Parameters parameters, Tape tape, OptimizerConfig config) {
    this.parameters = parameters;
    this.tape = tape;
    this.optimizer = new Optimizer(parameters, config);
    this.clip = new GradientClip(parameters);
    this.learningRate = LearningRate.constant(config.learningRate());
  }

  /** Sets the learning rate over time. */
  public Trainer learningRate(LearningRate schedule) {
    learningRate = schedule;
    return this;
  }

  /** Clips the global norm of the gradients; 0 for never. */
  public Trainer clipNorm(double maxNorm) {
    clipNorm = requireNonNegative("clip norm", maxNorm);
    return this;
  }

  /** Clips every element of the gradients, before the norm; 0 for never. */
  public Trainer clipValue(double limit) {
    clipValue = requireNonNegative("clip value", limit);
    return this;
  }

  private static double requireNonNegative(String what, double value) {
    if (!(value >= 0)) {
      throw new IllegalArgumentException(what + " must be above 0, or 0 for none, but is " + value);
    }
    return value;
  }

  /** Measures on the validation task every so many steps; 0 for once an epoch. */
  public Trainer evaluateEvery(long steps) {
    evaluateEvery = steps;
    return this;
  }

  /** Stops when so many measurements in a row were not the lowest; 0 for never. */
  public Trainer patience(int evaluations) {
    patience = evaluations;
    return this;
  }

  /** Keeps the weights of the lowest validation loss and brings them back when training ends. */
  public Trainer restoreBest(boolean keep) {
    keepsBest = keep;
    return this;
  }

  /** Adds a listener. */
  public Trainer listener(TrainingListener listener) {
    listeners.add(listener);
    return this;
  }

  /** Makes {@link #train} return after the step that is running; any thread may call it. */
  public void stop() {
    stopped = true;
  }

  /** Updates made so far. */
  public long step() {
    return step;
  }

  /** The lowest validation loss so far, infinite before the first measurement. */
  public double bestLoss() {
    return bestLoss;
  }

  /** The optimizer, for its state. */
  public Optimizer optimizer() {
    return optimizer;
  }

  /**
   * Trains until maxSteps updates have been made in all, those before a resume included, or until
   * patience or {@link #stop} ends it.
   *
   * @param training what to learn
   * @param validation what to measure with, or null
   * @param maxSteps updates in all
   * @throws TrainingDivergedException if a loss is NaN or infinite; the parameters and the
   *     optimizer are then those before that step
   */
  public void train(Task training, Task validation, long maxSteps) {
    stopped = false;
    int perEpoch = training.batchesPerEpoch();
    while (step < maxSteps && !stopped) {
      int epoch = Math.toIntExact(step / perEpoch);
      int batch = (int) (step % perEpoch);
      if (batch == 0) {
        training.beginEpoch(epoch);
      }
      double rate = learningRate.at(step);
      double loss = update(training, epoch, batch, rate);
      long interval = evaluateEvery > 0 ? evaluateEvery : perEpoch;
      if (validation != null && (step % interval == 0 || step == maxSteps)) {
        measure(validation, epoch, loss, rate);
      }
      announceStep(epoch, loss, rate);
    }
    if (best != null && bestLoss < Double.POSITIVE_INFINITY) {
      parameters.kernels().axpby(Span.of(best), parameters.values(), 1, 0);
    }
  }

  private void announceStep(int epoch, double loss, double rate) {
    if (listeners.isEmpty()) {
      return;
    }
    TrainingListener.Progress progress =
        new TrainingListener.Progress(step, epoch, loss, rate, validationLoss);
    for (TrainingListener listener : listeners) {
      listener.stepped(progress);
    }
  }

  private double update(Task training, int epoch, int batch, double rate) {
    tape.begin(Tape.Mode.TRAINING);
    parameters.zeroGradients();
    Tensor loss = training.loss(tape, epoch, batch);
    tape.backward(loss);
    if (clipValue > 0) {
      clip.byValue(clipValue);
    }
    if (clipNorm > 0) {
      clip.byNorm(clipNorm);
    }
    double value = loss.item();
    if (!Double.isFinite(value)) {
      throw new TrainingDivergedException(
          "the loss is "
              + value
              + " at step "
              + (step + 1)
              + "; training stopped before that update. Try a smaller learning rate than "
              + rate
              + " or a smaller clip norm, and look for NaN in the data");
    }
    optimizer.step(rate);
    step++;
    return value;
  }

  private void measure(Task validation, int epoch, double loss, double rate) {
    validationLoss = evaluate(tape, validation);
    boolean improved = validationLoss < bestLoss;
    if (improved) {
      bestLoss = validationLoss;
      evaluationsSinceBest = 0;
      if (keepsBest) {
        parameters.kernels().axpby(parameters.values(), bestWeights(), 1, 0);
      }
    } else if (++evaluationsSinceBest == patience) {
      stopped = true;
    }
    TrainingListener.Progress progress =
        new TrainingListener.Progress(step, epoch, loss, rate, validationLoss);
    for (TrainingListener listener : listeners) {
      listener.evaluated(progress, improved);
    }
  }

  /**
   * The mean loss over one pass of a task, without training.
   *
   * @param tape its running step is ended
   */
  public static double evaluate(Tape tape, Task task) {
    task.beginEpoch(0);
    double sum = 0;
    for (int batch = 0; batch < task.batchesPerEpoch(); batch++) {
      tape.begin(Tape.Mode.EVALUATION);
      sum += task.loss(tape, 0, batch).item();
    }
    return sum / task.batchesPerEpoch();
  }

  /** What a checkpoint keeps besides weights and optimizer state. */
  record State(
      long step,
      long optimizerSteps,
      long randomPosition,
      double validationLoss,
      double bestLoss,
      int evaluationsSinceBest) {}

  State state() {
    return new State(
        step,
        optimizer.steps(),
        tape.randomPosition(),
        validationLoss,
        bestLoss,
        evaluationsSinceBest);
  }

  void restore(State state) {
    step = state.step();
    optimizer.restoreSteps(state.optimizerSteps());
    tape.randomPosition(state.randomPosition());
    validationLoss = state.validationLoss();
    bestLoss = state.bestLoss();
    evaluationsSinceBest = state.evaluationsSinceBest();
  }

  /** Whether it has weights of a lowest validation loss to bring back. */
  boolean hasBestWeights() {
    return best != null;
  }

  /** The weights of the lowest validation loss, laid out like the parameters. */
  Span bestWeights() {
    if (best == null) {
      best =
          parameters
              .kernels()
              .device()
              .allocate(ElementType.REAL, parameters.values().length(), "best weights");
    }
    return Span.of(best);
  }

  Parameters parameters() {
    return parameters;
  }

  /** Frees the optimizer's state. */
  @Override
  public void close() {
    optimizer.close();
    clip.close();
    if (best != null) {
      best.close();
    }
  }
}
