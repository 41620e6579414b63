package io.unroll.peers.unroll;

import io.unroll.Backend;
import io.unroll.data.SequenceBatcher;
import io.unroll.nn.Indices;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.RecurrentState;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.peers.CharModel;
import io.unroll.peers.Timed;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Task;
import io.unroll.train.Trainer;
import io.unroll.train.TrainingListener;
import java.util.function.Consumer;

/** A character model in training; a run is a whole step: batch, loss, gradients, clip, update. */
final class CharTraining implements Timed {
  private static final long SEED = 1;

  private final Backend backend;
  private final Parameters parameters;
  private final Tape tape;
  private final Recurrent recurrent;
  private final Linear head;
  private final RecurrentState state;
  private final Text text;
  private final Trainer trainer;
  private double latestLoss;

  /**
   * @param clip sets how the trainer clips
   */
  CharTraining(
      Backend backend, CharModel model, OptimizerConfig optimizer, Consumer<Trainer> clip) {
    this.backend = backend;
    parameters = new Parameters(backend, SEED);
    tape = new Tape(backend, SEED);
    recurrent =
        new Recurrent(
            parameters,
            "rnn",
            RecurrentConfig.of(UnrollPeer.cell(model.cell()), model.symbols(), model.hiddenSize())
                .withLayers(model.layers()));
    head = new Linear(parameters, "head", model.hiddenSize(), model.symbols());
    state = recurrent.newState(model.batch());
    text = new Text(model);
    trainer = new Trainer(parameters, tape, optimizer);
    clip.accept(trainer);
    trainer.listener(
        new TrainingListener() {
          @Override
          public void stepped(Progress progress) {
            latestLoss = progress.loss();
          }
        });
  }

  /** The outputs of the recurrent layers: the only place that says how symbols are brought in. */
  private Tensor outputs(Indices characters) {
    return recurrent.forward(characters, Recurrent.Options.carried(state)).y();
  }

  @Override
  public void run() {
    trainer.train(text, null, trainer.step() + 1);
    backend.synchronize();
  }

  @Override
  public void check() {
    if (!Double.isFinite(latestLoss)) {
      throw new IllegalStateException("the loss is " + latestLoss);
    }
  }

  @Override
  public void close() {
    trainer.close();
    state.close();
    tape.close();
    parameters.close();
  }

  private final class Text implements Task {
    private final SequenceBatcher batcher;
    private final int[] inputs;
    private final int[] targets;
    private final int[] shape;

    Text(CharModel model) {
      batcher = new SequenceBatcher(model.text(), model.steps(), model.batch());
      inputs = new int[model.characters()];
      targets = new int[model.characters()];
      shape = new int[] {model.steps(), model.batch()};
    }

    @Override
    public int batchesPerEpoch() {
      return batcher.batchesPerEpoch();
    }

    @Override
    public Tensor loss(Tape tape, int epoch, int batch) {
      batcher.fill(batch, inputs, targets);
      Tensor logits = head.forward(outputs(tape.indices(inputs, shape)));
      return Losses.crossEntropy(logits, tape.indices(targets, shape));
    }
  }
}
