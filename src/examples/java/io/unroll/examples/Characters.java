package io.unroll.examples;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.cli.Main;
import io.unroll.data.TextCorpus;
import io.unroll.examples.data.Trigrams;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.train.CharRnn;
import io.unroll.train.LearningRate;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;

/**
 * Language model: predicts the next character of a text, and so writes text of its own. It reads
 * this project's source, which the command line has in its jar; {@code train} does the same with
 * any text.
 */
public final class Characters implements Example {
  private static final int WINDOW = 64;
  private static final int STREAMS = 10;
  private static final int MOST = 30;
  private static final double LEARNING_RATE = 0.004;

  /** Runs it: see {@link Examples#main(Example, String[])}. */
  public static void main(String[] args) {
    Examples.main(new Characters(), args);
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 1500, 32, 128);
  }

  @Override
  public Learned run(Setup setup) {
    TextCorpus corpus = corpus();
    TextCorpus.Split split = corpus.split(0.05);
    int[] unseen = Arrays.copyOf(split.validation(), setup.unseen(MOST) * WINDOW * STREAMS + 1);
    int symbols = corpus.vocabulary().size();
    CharRnn.Config config = new CharRnn.Config(CellSpec.LSTM, setup.hiddenSize(), 1, 32, 0);
    try (Tape tape = new Tape(setup.backend(), setup.seed());
        CharRnn model = new CharRnn(setup.backend(), corpus.vocabulary(), config, setup.seed());
        CharRnn.TextTask seen = model.task(split.train(), WINDOW, setup.batch());
        CharRnn.TextTask later = model.task(unseen, WINDOW, STREAMS);
        Trainer trainer =
            new Trainer(model.parameters(), tape, OptimizerConfig.adam(LEARNING_RATE))) {
      LearningRate rate = LearningRate.cosine(LEARNING_RATE, 0, setup.steps());
      double[] losses = Examples.train(trainer.clipNorm(5).learningRate(rate), seen, setup.steps());
      StringBuilder written = new StringBuilder();
      model.sample("", setup.unseen(400), new Sampling(0.6, 0, setup.seed()), written::append);
      return new Learned(
          losses,
          "bits per character of " + (unseen.length - 1) + " unseen ones",
          Trainer.evaluate(tape, later) / Math.log(2),
          "a trigram model of the same text",
          new Trigrams(split.train(), symbols).bits(unseen),
          false,
          List.of(written.toString().split("\n")));
    }
  }

  private static TextCorpus corpus() {
    try {
      return TextCorpus.fromResource(Main.class, "corpus.txt");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
