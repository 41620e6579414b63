package io.unroll.examples;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.Rows;
import io.unroll.data.Scaling;
import io.unroll.data.SequenceDataset;
import io.unroll.data.TokenVocabulary;
import io.unroll.data.TokenVocabulary.Splitting;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.train.Bleu;
import io.unroll.train.Metrics;
import io.unroll.train.Model;
import io.unroll.train.ModelConfig;
import io.unroll.train.ModelConfig.Input;
import io.unroll.train.ModelConfig.Output;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.SequenceTask;
import io.unroll.train.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What docs/data.md shows: the tests run it, and hold the page against it. */
final class DataGuide {
  private DataGuide() {}

  /**
   * From a file of reviews to a file of a model; returns the accuracy on what it was trained on.
   */
  static double learn(Path file, Path saved) throws IOException {
    // page begin
    Rows reviews = Rows.of(file); // reviews.csv, with the columns text and label
    TokenVocabulary.Counter counter = TokenVocabulary.counter(Splitting.WORDS);
    reviews.forEach(row -> counter.add(row.text("text")));
    TokenVocabulary words = counter.vocabulary(20_000, 2); // at most so many, each seen twice

    List<int[]> texts = new ArrayList<>();
    List<String> labels = new ArrayList<>();
    reviews.forEach(
        row -> {
          texts.add(words.encode(row.text("text")));
          labels.add(row.text("label"));
        });
    List<String> names = labels.stream().distinct().sorted().toList();
    SequenceDataset data = SequenceDataset.ofTokens(texts).withLabels(labels, names);
    // page end
    // page begin
    ModelConfig config =
        ModelConfig.of(Input.tokens(words, 32), CellSpec.GRU, 48, Output.classes(names));
    try (Backend backend = Backend.openBest();
        Model model = new Model(backend, config, 42);
        Tape tape = new Tape(backend, 42);
        Trainer trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.005))) {
      trainer.train(SequenceTask.bucketed(data, 1024, 7, model::loss), null, 400);
      model.save(saved);
      return model.score(data, 64).accuracy();
    }
    // page end
  }

  /** What a saved model says about a text. */
  static String use(Path saved, String text) throws IOException {
    // page begin
    try (Backend backend = Backend.openBest();
        Model model = Model.load(saved, backend)) {
      return model.classify(text);
    }
    // page end
  }

  /** A step a record, with gaps. */
  static SequenceDataset sensors(Path file) throws IOException {
    // page begin
    List<float[][]> sequences = new ArrayList<>();
    List<float[]> next = new ArrayList<>();
    Rows.of(file) // machine,hour,temperature,load: the hours of a machine follow each other
        .forEachGroup(
            "machine",
            hours -> {
              float[][] steps = new float[hours.size()][];
              for (int t = 0; t < steps.length; t++) {
                steps[t] = hours.get(t).numbers("temperature", "load");
              }
              sequences.add(Arrays.copyOf(steps, steps.length - 1));
              next.add(steps[steps.length - 1]);
            });
    SequenceDataset data = SequenceDataset.ofIncomplete(sequences).withValues(next);
    // page end
    return data;
  }

  /** A model that reads such sequences. */
  static ModelConfig sensors(List<float[][]> sequences) {
    // page begin
    Scaling scaling = Scaling.fit(sequences, "temperature", "load");
    Input input = Input.vectors(scaling.withMissing(Scaling.Missing.LAST).withMarks());
    ModelConfig config = ModelConfig.of(input, CellSpec.LSTM, 32, Output.values(scaling));
    // page end
    return config;
  }

  /** A label for each token, from JSON lines. */
  static SequenceDataset tags(Path file, TokenVocabulary words, List<String> tags)
      throws IOException {
    // page begin
    List<int[]> tokens = new ArrayList<>();
    List<int[]> classes = new ArrayList<>();
    Rows.of(file) // {"tokens": ["not", "bad"], "tags": ["ADV", "ADJ"]}
        .forEach(
            row -> {
              tokens.add(row.texts("tokens").stream().mapToInt(words::id).toArray());
              classes.add(row.texts("tags").stream().mapToInt(tags::indexOf).toArray());
            });
    SequenceDataset data = SequenceDataset.ofTokens(tokens).withStepClasses(classes);
    // page end
    return data;
  }

  /** A language model; returns its perplexity and a sentence. */
  static String write(Backend backend, List<String> sentences) {
    TokenVocabulary.Counter counter = TokenVocabulary.counter(Splitting.WORDS);
    sentences.forEach(counter::add);
    TokenVocabulary words = counter.vocabulary(1000, 1);
    // page begin
    SequenceDataset data =
        SequenceDataset.ofNextTokens(sentences.stream().map(words::encodeSentence).toList());
    ModelConfig config =
        ModelConfig.of(Input.tokens(words, 16), CellSpec.LSTM, 32, Output.nextToken());
    try (Model model = new Model(backend, config, 1);
        Tape tape = new Tape(backend, 1);
        Trainer trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.01))) {
      trainer.train(SequenceTask.bucketed(data, 256, 1, model::loss), null, 150);
      double perplexity = Metrics.perplexity(model.score(data, 32).loss());
      return model.write("", 20, Sampling.greedy()) + ", perplexity " + (int) perplexity;
    }
    // page end
  }

  /** The measures. */
  static double[] measure(List<int[]> said, List<int[]> wanted) {
    // page begin
    double wordErrors = Metrics.tokenErrorRate(said, wanted); // edits for each word wanted
    double exact = 1 - Metrics.sequenceErrorRate(said, wanted);
    int edits = Metrics.editDistance(said.get(0), wanted.get(0));
    Bleu bleu = Bleu.of(List.of("the cat is on the mat"), List.of("the cat sat on the mat"));
    // page end
    return new double[] {wordErrors, exact, edits, bleu.score()};
  }
}
