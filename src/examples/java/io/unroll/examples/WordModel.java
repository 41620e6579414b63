package io.unroll.examples;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.SequenceDataset;
import io.unroll.data.TextCorpus;
import io.unroll.data.TokenVocabulary;
import io.unroll.data.TokenVocabulary.Splitting;
import io.unroll.examples.data.Bigrams;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.train.Metrics;
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
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A language model over words: each line of a text is a sentence that begins and ends with a token
 * of its own; words outside the most frequent ones read as unknown. It learns the next word.
 */
public final class WordModel implements Example {
  /** Every so many lines one is not trained on. */
  private static final int APART = 40;

  /** Lines of fewer or more tokens are left out. */
  private static final int SHORTEST = 4;

  private static final int LONGEST = 40;
  private final Path text;

  /** On the source of Unroll. */
  public WordModel() {
    this(null);
  }

  /**
   * On a text of yours.
   *
   * @param text a UTF-8 file or folder with a sentence a line; null for the source of Unroll
   */
  public WordModel(Path text) {
    this.text = text;
  }

  /** Runs it: see {@link Examples#main(Example, String[])}; a FILE may stand before the options. */
  public static void main(String[] args) {
    Examples.main(new WordModel(Examples.file(args)), Examples.options(args));
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 600, 32, 128);
  }

  @Override
  public Learned run(Setup setup) {
    int size = setup.hiddenSize();
    List<String> seenLines = new ArrayList<>();
    List<String> unseenLines = new ArrayList<>();
    List<String> lines = corpus().text().lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      (i % APART == setup.seed() % APART ? unseenLines : seenLines).add(lines.get(i));
    }
    TokenVocabulary.Counter counter = TokenVocabulary.counter(Splitting.WORDS);
    seenLines.forEach(counter::add);
    TokenVocabulary words = counter.vocabulary(16 * size, 2);
    List<int[]> seen = sentences(seenLines, words, seenLines.size());
    List<int[]> unseen = sentences(unseenLines, words, setup.unseen(1500));
    ModelConfig config =
        ModelConfig.of(Input.tokens(words, size), CellSpec.LSTM, size, Output.nextToken());
    try (Model model = new Model(setup.backend(), config, setup.seed());
        Tape tape = new Tape(setup.backend(), setup.seed());
        Trainer trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.004))) {
      SequenceDataset training = SequenceDataset.ofNextTokens(seen);
      SequenceDataset measured = SequenceDataset.ofNextTokens(unseen);
      int tokens = LONGEST * setup.batch();
      SequenceTask task = SequenceTask.bucketed(training, tokens, setup.seed(), model::loss);
      double[] losses = Examples.train(trainer.clipNorm(1), task, setup.steps());
      return new Learned(
          losses,
          "perplexity of a word in unseen lines",
          Metrics.perplexity(model.score(measured, setup.batch()).loss()),
          "perplexity of pairs of words",
          Metrics.perplexity(new Bigrams(seen, words.size()).loss(unseen)),
          false,
          IntStream.range(0, 6)
              .mapToObj(i -> model.write("", LONGEST, new Sampling(0.7, 0, setup.seed() + i)))
              .toList());
    }
  }

  private TextCorpus corpus() {
    try {
      return text == null
          ? TextCorpus.fromResource(WordModel.class, "/io/unroll/cli/corpus.txt")
          : TextCorpus.read(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<int[]> sentences(List<String> lines, TokenVocabulary words, int most) {
    return lines.stream()
        .map(words::encodeSentence)
        .filter(ids -> ids.length >= SHORTEST && ids.length <= LONGEST)
        .limit(most)
        .toList();
  }
}
