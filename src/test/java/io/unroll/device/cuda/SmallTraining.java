package io.unroll.device.cuda;

import io.unroll.CellSpec;
import io.unroll.data.TextCorpus;
import io.unroll.nn.Parameters;
import io.unroll.nn.Tape;
import io.unroll.train.CharRnn;
import io.unroll.train.LearningRate;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import io.unroll.train.TrainingListener;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Two layers of LSTM with dropout, Adam, a falling learning rate, clipped: what changes a step. */
final class SmallTraining implements AutoCloseable {
  private static final TextCorpus CORPUS =
      TextCorpus.fromString("rhyme", "hickory dickory dock. ".repeat(60));

  /**
   * What a training has done.
   *
   * @param losses of each step
   * @param weights behind the last one
   */
  record Outcome(List<Double> losses, float[] weights) {
    /** One line, equal for equal bits. */
    String digest() {
      return Integer.toHexString(losses.hashCode())
          + " "
          + Integer.toHexString(Arrays.hashCode(weights));
    }
  }

  private final CudaDevice device;
  private final CharRnn model;
  private final Tape tape;
  private final Trainer trainer;
  private final Map<Integer, CharRnn.TextTask> tasks = new HashMap<>();
  private final List<Double> losses = new ArrayList<>();

  /** Begins it on a device, which must outlive it. */
  SmallTraining(CudaDevice device) {
    this.device = device;
    model =
        new CharRnn(
            device, CORPUS.vocabulary(), new CharRnn.Config(CellSpec.LSTM, 16, 2, 8, 0.3), 1);
    tape = new Tape(device);
    trainer =
        new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.01))
            .clipNorm(0.5)
            .learningRate(LearningRate.cosine(0.01, 0.001, 40))
            .listener(
                new TrainingListener() {
                  @Override
                  public void stepped(Progress progress) {
                    losses.add(progress.loss());
                  }
                });
  }

  /** Makes so many further steps of 6 characters of so many rows. */
  void steps(int batch, int count) {
    CharRnn.TextTask task = tasks.computeIfAbsent(batch, rows -> model.task(CORPUS.ids(), 6, rows));
    trainer.train(task, null, trainer.step() + count);
  }

  Outcome outcome() {
    Parameters parameters = model.parameters();
    float[] weights = new float[(int) parameters.size()];
    device.copyOut(
        parameters.values().buffer(), parameters.values().at(), weights, 0, weights.length);
    return new Outcome(List.copyOf(losses), weights);
  }

  @Override
  public void close() {
    tasks.values().forEach(CharRnn.TextTask::close);
    trainer.close();
    tape.close();
    model.close();
  }
}
