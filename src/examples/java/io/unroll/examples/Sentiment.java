package io.unroll.examples;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.Rows;
import io.unroll.data.SequenceDataset;
import io.unroll.data.TokenVocabulary;
import io.unroll.data.TokenVocabulary.Splitting;
import io.unroll.examples.data.NaiveBayes;
import io.unroll.examples.data.Reviews;
import io.unroll.examples.data.Reviews.Review;
import io.unroll.nn.Tape;
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
import java.util.HashSet;
import java.util.List;

/**
 * Many to one: says whether a review of any length is good or bad. Negation and the words between
 * clauses turn the meaning around, so the order of the words matters.
 */
public final class Sentiment implements Example {
  private final Path file;

  /** On reviews that it writes itself. */
  public Sentiment() {
    this(null);
  }

  /**
   * On reviews of yours.
   *
   * @param file CSV or JSON lines with the columns {@code text} and {@code label}; the last quarter
   *     is not trained on
   */
  public Sentiment(Path file) {
    this.file = file;
  }

  /** Runs it: see {@link Examples#main(Example, String[])}; a FILE may stand before the options. */
  public static void main(String[] args) {
    Examples.main(new Sentiment(Examples.file(args)), Examples.options(args));
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 1200, 32, 48);
  }

  @Override
  public Learned run(Setup setup) {
    int written = Math.min(4000, 40 * setup.steps());
    List<Review> all = file == null ? Reviews.write(written, setup.dataSeed(0)) : read(file);
    List<Review> seen = all.subList(0, all.size() * 3 / 4);
    List<Review> unseen = new ArrayList<>(all.subList(seen.size(), all.size()));
    unseen.removeAll(new HashSet<>(seen));
    TokenVocabulary.Counter counter = TokenVocabulary.counter(Splitting.WORDS);
    seen.forEach(review -> counter.add(review.text()));
    TokenVocabulary words = counter.vocabulary(10_000, 2);
    List<String> labels = all.stream().map(Review::label).distinct().sorted().toList();
    Input input = Input.tokens(words, setup.hiddenSize());
    ModelConfig config =
        ModelConfig.of(input, CellSpec.GRU, setup.hiddenSize(), Output.classes(labels));
    try (Model model = new Model(setup.backend(), config, setup.seed());
        Tape tape = new Tape(setup.backend(), setup.seed());
        Trainer trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.003))) {
      Texts training = Texts.of(seen, words, labels);
      Texts measured = Texts.of(unseen, words, labels);
      SequenceDataset data = training.dataset();
      SequenceTask task = SequenceTask.shuffled(data, setup.batch(), setup.seed(), model::loss);
      double[] losses = Examples.train(trainer.clipNorm(1), task, setup.steps());
      return new Learned(
          losses,
          "accuracy on unseen reviews",
          model.score(measured.dataset(), 64).accuracy(),
          "accuracy of naive Bayes, which reads no order",
          new NaiveBayes(training.words(), training.classes(), words.size(), labels.size())
              .accuracy(measured.words(), measured.classes()),
          true,
          unseen.stream()
              .limit(6)
              .map(r -> r.text() + ": " + model.classify(r.text()) + ", is " + r.label())
              .toList());
    }
  }

  /** Reviews as the model and the baseline read them. */
  private record Texts(List<int[]> words, int[] classes) {
    static Texts of(List<Review> reviews, TokenVocabulary words, List<String> labels) {
      return new Texts(
          reviews.stream().map(review -> words.encode(review.text())).toList(),
          reviews.stream().mapToInt(review -> labels.indexOf(review.label())).toArray());
    }

    SequenceDataset dataset() {
      return SequenceDataset.ofTokens(words).withClasses(classes);
    }
  }

  private static List<Review> read(Path file) {
    List<Review> reviews = new ArrayList<>();
    try {
      Rows.of(file).forEach(row -> reviews.add(new Review(row.text("text"), row.text("label"))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return reviews;
  }
}
