package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.Philox;
import io.unroll.data.Vocabulary;
import io.unroll.nn.Tape;
import io.unroll.train.CharRnn;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import io.unroll.train.TrainingDivergedException;

/**
 * A whole training step of a char-rnn, as {@link Trainer} makes it: batch, rows of W_ih gathered by
 * character, layers, linear, cross-entropy, backward, global norm clipped at 5, Adam. The text is
 * made up, and its characters are not equally frequent.
 */
final class CharRnnBench implements Workload {
  private static final long SEED = 1;
  private static final int WINDOWS = 8;
  private static final double CLIP = 5;
  private static final double RATE = 2e-3;

  private final CharRnn model;
  private final CharRnn.TextTask task;
  private final Tape tape;
  private final Trainer trainer;

  CharRnnBench(Backend backend, BenchCase what) {
    Shape shape = what.shape();
    Vocabulary vocabulary = Vocabulary.fromSymbols(symbols(shape.inputSize()));
    CharRnn.Config config =
        new CharRnn.Config(what.cell(), shape.hiddenSize(), what.layers(), 0, 0);
    this.model = new CharRnn(backend, vocabulary, config, SEED);
    this.task = model.task(text(shape, vocabulary.size()), shape.steps(), shape.batch());
    this.tape = new Tape(backend, SEED);
    this.trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(RATE)).clipNorm(CLIP);
  }

  /** So many different characters. */
  private static String symbols(int count) {
    StringBuilder symbols = new StringBuilder();
    int symbol = ' ';
    for (int i = 0; i < count; i++) {
      symbols.appendCodePoint(symbol++);
      if (symbol == Character.MIN_SURROGATE) {
        symbol = Character.MAX_SURROGATE + 1;
      }
    }
    return symbols.toString();
  }

  private static int[] text(Shape shape, int symbols) {
    int length = Math.multiplyExact(Math.multiplyExact(shape.steps(), shape.batch()), WINDOWS);
    int[] ids = new int[length + 1];
    for (int i = 0; i < ids.length; i++) {
      float drawn = Philox.uniform(SEED, i);
      ids[i] = (int) (drawn * drawn * symbols);
    }
    return ids;
  }

  @Override
  public void prepare() {
    // A step of training takes its batch itself.
  }

  @Override
  public void work() {
    try {
      trainer.train(task, null, trainer.step() + 1);
    } catch (TrainingDivergedException e) {
      throw new WorkFailedException("the times would mean nothing: " + e.getMessage());
    }
  }

  @Override
  public void requireFinite() {
    // A step whose loss is not finite has thrown.
  }

  @Override
  public void close() {
    trainer.close();
    tape.close();
    task.close();
    model.close();
  }
}
