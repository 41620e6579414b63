package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.RequiredBackendsTest;
import io.unroll.ShapeException;
import io.unroll.data.Scaling;
import io.unroll.data.SequenceBatch;
import io.unroll.data.SequenceDataset;
import io.unroll.data.TokenVocabulary;
import io.unroll.nn.RecurrentState;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.ModelConfig.Input;
import io.unroll.train.ModelConfig.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a model learned and how it reads and tells is in its file, for every backend. */
class ModelTest {
  private static final double NEAR = 1e-4;
  private static final List<String> TEXTS =
      List.of("good", "not good", "bad", "not bad at all", "very good", "not very bad, really");
  private static final List<String> LABELS = List.of("yes", "no", "no", "yes", "yes", "yes");
  private static final List<String> NAMES = List.of("no", "yes");
  private static final TokenVocabulary WORDS = words();

  /** Two features of different size; NaN is missing. */
  private static final List<float[][]> SERIES =
      List.of(
          new float[][] {{1, 100}, {2, Float.NaN}, {3, 300}},
          new float[][] {{Float.NaN, 250}, {4, 150}},
          new float[][] {{5, 120}, {2, 130}, {1, Float.NaN}, {0, 90}});

  private static final List<float[]> NEXT =
      List.of(new float[] {4, 400}, new float[] {5, Float.NaN}, new float[] {0, 80});

  @TempDir Path folder;

  private static TokenVocabulary words() {
    TokenVocabulary.Counter counter = TokenVocabulary.counter(TokenVocabulary.Splitting.WORDS);
    TEXTS.forEach(counter::add);
    return counter.vocabulary(100, 1);
  }

  /** A kind of model with data for it. */
  private record Kind(String name, ModelConfig config, SequenceDataset data) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static List<Kind> kinds() {
    SequenceDataset tokens = SequenceDataset.ofTokens(TEXTS.stream().map(WORDS::encode).toList());
    SequenceDataset series = SequenceDataset.ofIncomplete(SERIES);
    List<float[][]> targets = NEXT.stream().map(v -> new float[][] {v}).toList();
    Scaling scaling = Scaling.fit(SERIES, "wind", "load").withMissing(Scaling.Missing.LAST);
    Input both = Input.vectors(scaling.withMarks());
    List<int[]> rising =
        List.of(new int[] {0, 1, 1}, new int[] {0, 0}, new int[] {0, 0, 0, SequenceBatch.IGNORE});
    return List.of(
        new Kind(
            "class of a text",
            ModelConfig.of(Input.tokens(WORDS, 5), CellSpec.GRU, 6, Output.classes(NAMES))
                .withLayers(2)
                .withBidirectional(true)
                .withDropout(0.2),
            tokens.withLabels(LABELS, NAMES)),
        new Kind(
            "next word",
            ModelConfig.of(Input.tokens(WORDS, 0), CellSpec.LSTM, 7, Output.nextToken()),
            SequenceDataset.ofNextTokens(TEXTS.stream().map(WORDS::encodeSentence).toList())),
        new Kind(
            "class of each step",
            ModelConfig.of(both, CellSpec.TANH, 5, Output.stepClasses(NAMES)),
            series.withStepClasses(rising)),
        new Kind(
            "next values",
            ModelConfig.of(both, CellSpec.GRU, 6, Output.values(Scaling.fit(targets, "w", "l"))),
            series.withValues(NEXT)),
        new Kind(
            "value of each step",
            ModelConfig.of(Input.vectors(scaling), CellSpec.LSTM, 4, Output.stepValues(scaling)),
            series.withStepValues(SERIES)));
  }

  static Stream<Arguments> everyKindOnEveryBackend() {
    return kinds().stream()
        .flatMap(kind -> RequiredBackendsTest.judged().map(name -> Arguments.of(kind, name)));
  }

  private static void train(Model model, SequenceDataset data, int steps) {
    try (Tape tape = new Tape(model.parameters().kernels().device(), 3);
        Trainer trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.02))) {
      trainer.train(SequenceTask.bucketed(data, 12, 5, model::loss), null, steps);
    }
  }

  @ParameterizedTest(name = "{0} on {1}")
  @MethodSource("everyKindOnEveryBackend")
  void isTheSameModelOnAnotherBackend(Kind kind, String name) throws IOException {
    Path path = folder.resolve("model.safetensors");
    try (Backend reference = Backend.open("reference");
        Model trained = new Model(reference, kind.config(), 9);
        Backend backend = Backend.open(name)) {
      train(trained, kind.data(), 4);
      trained.save(path);
      try (Model loaded = Model.load(path, backend)) {
        assertEquals(kind.config(), loaded.config());
        List<float[][]> expected = trained.predict(kind.data());
        List<float[][]> found = loaded.predict(kind.data());
        for (int i = 0; i < expected.size(); i++) {
          for (int t = 0; t < expected.get(i).length; t++) {
            assertArrayEquals(expected.get(i)[t], found.get(i)[t], 2e-3f, "sequence " + i);
          }
        }
        Model.Score score = loaded.score(kind.data(), 4);
        assertEquals(trained.score(kind.data(), 4).loss(), score.loss(), NEAR * score.loss());
      }
    }
  }

  @Test
  void theSameModelIsTheSameFile() throws IOException {
    for (Kind kind : kinds()) {
      Path one = folder.resolve("one.safetensors");
      Path other = folder.resolve("other.safetensors");
      try (Backend backend = Backend.open("cpu");
          Model model = new Model(backend, kind.config(), 9)) {
        train(model, kind.data(), 3);
        model.save(one);
      }
      try (Backend backend = Backend.open("cpu");
          Model model = Model.load(one, backend)) {
        model.save(other);
      }
      assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(other), kind.name());
    }
  }

  @Test
  void trainingGoesOnBitForBit() throws IOException {
    Kind kind = kinds().get(0);
    Path half = folder.resolve("half.safetensors");
    List<byte[]> ends = new ArrayList<>();
    try (Backend backend = Backend.open("cpu")) {
      for (boolean resumed : new boolean[] {false, true}) {
        try (Model model = resumed ? Model.load(half, backend) : whole(backend, kind);
            Tape tape = new Tape(backend, 3);
            Trainer trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.02))) {
          if (resumed) {
            try (Checkpoint checkpoint = Checkpoint.read(half)) {
              checkpoint.restore(trainer);
            }
          }
          SequenceTask task = SequenceTask.bucketed(kind.data(), 12, 5, model::loss);
          for (int steps : new int[] {4, 9}) {
            trainer.train(task, null, steps);
            if (!resumed && steps == 4) {
              model.checkpoint().trainer(trainer).write(half);
            }
          }
          Path end = folder.resolve("end.safetensors");
          model.checkpoint().trainer(trainer).write(end);
          ends.add(Files.readAllBytes(end));
        }
      }
    }
    assertArrayEquals(ends.get(0), ends.get(1));
  }

  private static Model whole(Backend backend, Kind kind) {
    return new Model(backend, kind.config(), 9);
  }

  @Test
  void learnsSentencesAndNamesTheirClasses() {
    Kind kind = kinds().get(0);
    try (Backend backend = Backend.open("cpu");
        Model model = new Model(backend, kind.config(), 1)) {
      train(model, kind.data(), 80);
      assertEquals(1, model.score(kind.data(), 4).accuracy());
      assertEquals("no", model.classify("bad"));
      assertEquals("yes", model.classify("Not bad, AT all"));
      float[] probabilities = model.predict("bad")[0];
      assertEquals(1, probabilities[0] + probabilities[1], 1e-6);
      assertThrows(ShapeException.class, () -> model.classify(" "));
      assertThrows(IllegalStateException.class, () -> model.classifySteps("bad"));
      assertThrows(ShapeException.class, () -> model.classify(SERIES.get(0)));
    }
  }

  @Test
  void lossIsThatOfWhatItPredictsAndWhatIsMissingDoesNotCount() {
    for (Kind kind : kinds()) {
      try (Backend backend = Backend.open("reference");
          Model model = new Model(backend, kind.config(), 4)) {
        double sum = 0;
        long counted = 0;
        List<float[][]> predicted = model.predict(kind.data());
        for (int i = 0; i < kind.data().size(); i++) {
          SequenceBatch batch = kind.data().batch(new int[] {i});
          for (int t = 0; t < predicted.get(i).length; t++) {
            float[] row = predicted.get(i)[t];
            if (batch.targets().classes() != null) {
              int wanted = batch.targets().classes()[t];
              sum -= wanted < 0 ? 0 : Math.log(row[wanted]);
              counted += wanted < 0 ? 0 : 1;
              continue;
            }
            for (int j = 0; j < row.length; j++) {
              double deviation = kind.config().output().scaling().deviations()[j];
              double error = (row[j] - batch.targets().values()[t * row.length + j]) / deviation;
              sum += Double.isNaN(error) ? 0 : error * error;
              counted += Double.isNaN(error) ? 0 : 1;
            }
          }
        }
        Model.Score score = model.score(kind.data(), 2);
        assertEquals(counted, score.counted(), kind.name());
        assertEquals(sum / counted, score.loss(), 1e-5 * score.loss(), kind.name());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.unroll.RequiredBackendsTest#available")
  void writesTheSameSentenceEverywhere(String name) throws IOException {
    Kind kind = kinds().get(1);
    Path path = folder.resolve("model.safetensors");
    try (Backend reference = Backend.open("reference");
        Model model = new Model(reference, kind.config(), 1);
        Backend backend = Backend.open(name)) {
      train(model, kind.data(), 60);
      model.save(path);
      try (Model loaded = Model.load(path, backend)) {
        for (int seed = 0; seed < 4; seed++) {
          String text = model.write("not", 6, Sampling.seeded(seed));
          assertEquals(text, loaded.write("not", 6, Sampling.seeded(seed)));
          assertTrue(text.startsWith("not ") && !text.contains("<"), text);
        }
        String likely = loaded.write("", 9, Sampling.greedy());
        assertTrue(likely.startsWith("not ") && likely.split(" ").length < 9, likely);
        assertEquals("not", loaded.write("not", 0, Sampling.greedy()));
      }
    }
  }

  @Test
  void carriedStatesAreOneLongSequence() {
    Kind kind = kinds().get(1);
    int[] tokens = {1, 3, 4, 5, 6, 2};
    try (Backend backend = Backend.open("reference");
        Model model = new Model(backend, kind.config(), 1);
        Tape tape = new Tape(backend);
        RecurrentState state = model.recurrent().newState(1)) {
      tape.begin(Tape.Mode.EVALUATION);
      SequenceDataset data = SequenceDataset.ofTokens(List.of(tokens));
      double[] whole = model.outputs(tape, data.batch(new int[] {0})).toDoubles();
      int at = 0;
      for (int[] part : List.of(Arrays.copyOf(tokens, 2), Arrays.copyOfRange(tokens, 2, 6))) {
        tape.begin(Tape.Mode.EVALUATION);
        Tensor outputs = model.outputs(tape.indices(part, part.length, 1), state);
        double[] found = outputs.toDoubles();
        assertArrayEquals(Arrays.copyOfRange(whole, at, at + found.length), found, 1e-12);
        at += found.length;
      }
      assertEquals(whole.length, at);
    }
  }

  @Test
  void refusesDataOfAnotherKindInWords() {
    List<Kind> kinds = kinds();
    try (Backend backend = Backend.open("reference");
        Tape tape = new Tape(backend)) {
      for (Kind kind : kinds) {
        try (Model model = new Model(backend, kind.config(), 1)) {
          tape.begin(Tape.Mode.EVALUATION);
          for (Kind other : kinds) {
            SequenceBatch batch = other.data().batch(new int[] {0, 1});
            if (other.name().equals(kind.name())) {
              assertTrue(model.loss(tape, batch).item() > 0);
            } else {
              ShapeException e =
                  assertThrows(ShapeException.class, () -> model.loss(tape, batch), other.name());
              assertTrue(e.getMessage().startsWith("the model "), e.getMessage());
              assertTrue(e.getMessage().contains(", but the batch h"), e.getMessage());
            }
          }
        }
      }
    }
  }
}
