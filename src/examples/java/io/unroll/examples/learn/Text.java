package io.unroll.examples.learn;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.TextCorpus;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.train.CharRnn;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;

/** docs/learn.md, chapter 6: a model that reads and writes characters. */
final class Text {
  private Text() {}

  // learn text begin
  /** Learns a text by heart, or the language of a long one, and writes so many characters. */
  static String write(Backend backend, String text, int updates, int length) {
    TextCorpus corpus = TextCorpus.fromString("text", text);
    CharRnn.Config config = new CharRnn.Config(CellSpec.LSTM, 64, 1, 16, 0);
    try (CharRnn model = new CharRnn(backend, corpus.vocabulary(), config, 1);
        CharRnn.TextTask task = model.task(corpus.ids(), 32, 8); // T=32, B=8, states carried on
        Tape tape = new Tape(backend);
        Trainer trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.01))) {
      trainer.clipNorm(5).train(task, null, updates);
      StringBuilder written = new StringBuilder();
      model.sample("", length, Sampling.greedy(), written::append);
      return written.toString();
    }
  }
  // learn text end
}
