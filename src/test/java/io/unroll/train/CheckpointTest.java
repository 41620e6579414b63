package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.RequiredBackendsTest;
import io.unroll.data.TextCorpus;
import io.unroll.io.Safetensors;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.train.OptimizerConfig.Method;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A training that was stopped and resumed is, bit for bit, one that never stopped. */
class CheckpointTest {
  static final TextCorpus CORPUS =
      TextCorpus.fromString(
          "rhyme", "one two buckle my shoe, three four open the door. ".repeat(6));
  static final CharRnn.Config CONFIG = new CharRnn.Config(CellSpec.LSTM, 6, 2, 4, 0.2);

  @TempDir Path folder;

  /** Everything that a training consists of. */
  static final class Run implements AutoCloseable {
    final CharRnn model;
    final Tape tape;
    final CharRnn.TextTask training;
    final CharRnn.TextTask validation;
    final Trainer trainer;

    Run(Backend backend, CharRnn.Config config, Method method) {
      model = new CharRnn(backend, CORPUS.vocabulary(), config, 5);
      tape = new Tape(backend, 6);
      training = model.task(CORPUS.split(0.2).train(), 7, 3);
      validation = model.task(CORPUS.split(0.2).validation(), 7, 3);
      trainer =
          new Trainer(model.parameters(), tape, OptimizerConfig.of(method, 0.01))
              .learningRate(LearningRate.decaying(0.01, 0.9, 4, 3))
              .clipNorm(1)
              .evaluateEvery(5)
              .restoreBest(true);
    }

    void train(long steps) {
      trainer.train(training, validation, steps);
    }

    void save(Path path) throws IOException {
      Checkpoint.Writer writer = Checkpoint.of(model.parameters()).trainer(trainer);
      model.metadata().forEach(writer::metadata);
      training.addTo(writer).write(path);
    }

    void restore(Path path) throws IOException {
      try (Checkpoint checkpoint = Checkpoint.read(path)) {
        checkpoint.restore(trainer);
        training.restore(checkpoint);
      }
    }

    @Override
    public void close() {
      trainer.close();
      training.close();
      validation.close();
      tape.close();
      model.close();
    }
  }

  static Stream<Arguments> everyOptimizerOnEveryBackend() {
    return RequiredBackendsTest.available()
        .flatMap(name -> Stream.of(Method.values()).map(method -> Arguments.of(name, method)));
  }

  private static CharRnn.Config oneHot(CellSpec cell) {
    return new CharRnn.Config(cell, 6, 1, 0, 0.2);
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyOptimizerOnEveryBackend")
  void resumedTrainingIsBitwiseTheSame(String name, Method method) throws IOException {
    resumedTrainingIsBitwiseTheSame(name, method, CONFIG);
  }

  static Stream<Arguments> everyCellOnEveryBackend() {
    return RequiredBackendsTest.available()
        .flatMap(name -> CellSpec.all().stream().map(c -> Arguments.of(name, c)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyCellOnEveryBackend")
  void resumedTrainingOnOneHotInputIsBitwiseTheSame(String name, CellSpec cell) throws IOException {
    resumedTrainingIsBitwiseTheSame(name, Method.ADAM, oneHot(cell));
  }

  private void resumedTrainingIsBitwiseTheSame(String name, Method method, CharRnn.Config config)
      throws IOException {
    try (Backend backend = Backend.open(name);
        Run whole = new Run(backend, config, method);
        Run first = new Run(backend, config, method);
        Run second = new Run(backend, config, method)) {
      Path path = folder.resolve("half.safetensors");
      Path end = folder.resolve("end.safetensors");
      Path resumedEnd = folder.resolve("resumed.safetensors");
      whole.trainer.listener(
          new TrainingListener() {
            @Override
            public void stepped(Progress progress) {
              if (progress.step() == 13) {
                saveUnchecked(whole, path);
              }
            }
          });
      whole.train(29);
      whole.save(end);
      second.restore(path);
      assertEquals(13, second.trainer.step());
      second.train(29);
      second.save(resumedEnd);
      assertArrayEquals(Files.readAllBytes(end), Files.readAllBytes(resumedEnd));
      first.train(29);
      first.save(resumedEnd);
      assertArrayEquals(Files.readAllBytes(end), Files.readAllBytes(resumedEnd), "two whole runs");
    }
  }

  private static void saveUnchecked(Run run, Path path) {
    try {
      run.save(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void anotherShapeIsRefusedAndNothingChanges() throws IOException {
    Path path = folder.resolve("small.safetensors");
    try (Backend backend = Backend.open("reference");
        Run small = new Run(backend, CONFIG, Method.ADAM);
        Run large =
            new Run(backend, new CharRnn.Config(CellSpec.LSTM, 8, 2, 4, 0.2), Method.ADAM)) {
      small.save(path);
      large.train(2);
      double[] before = large.model.parameters().get("embedding.weight").toDoubles();
      FileFormatException refusal =
          assertThrows(FileFormatException.class, () -> large.restore(path));
      assertTrue(refusal.getMessage().contains("rnn.weight_ih_l0"), refusal::getMessage);
      assertTrue(refusal.getMessage().contains("[24, 4]"), refusal::getMessage);
      assertTrue(refusal.getMessage().contains("[32, 4]"), refusal::getMessage);
      assertArrayEquals(before, large.model.parameters().get("embedding.weight").toDoubles());
      assertEquals(2, large.trainer.step());
    }
  }

  @Test
  void notANumberIsNeitherWrittenNorRead() throws IOException {
    Path path = folder.resolve("nan.safetensors");
    try (Backend backend = Backend.open("reference");
        Run run = new Run(backend, CONFIG, Method.SGD)) {
      run.save(path);
      byte[] good = Files.readAllBytes(path);
      double[] bias = run.model.parameters().get("head.bias").toDoubles();
      bias[1] = Double.NaN;
      run.model.parameters().set("head.bias", bias);
      assertThrows(TrainingDivergedException.class, () -> run.save(path));
      assertArrayEquals(good, Files.readAllBytes(path));

      TrainingDivergedException stop =
          assertThrows(TrainingDivergedException.class, () -> run.train(3));
      assertTrue(stop.getMessage().contains("step 1"), stop::getMessage);
      assertEquals(0, run.trainer.step());

      Path poisoned = folder.resolve("poisoned.safetensors");
      try (Safetensors file = Safetensors.read(path)) {
        var copy = Safetensors.builder();
        file.metadata().forEach(copy::metadata);
        for (String name : file.names()) {
          double[] values = file.doubles(name);
          if (name.equals("head.bias")) {
            values[2] = Double.NaN;
          }
          copy.put(name, values, file.shape(name));
        }
        copy.writeTo(poisoned);
      }
      FileFormatException refusal =
          assertThrows(FileFormatException.class, () -> run.restore(poisoned));
      assertTrue(refusal.getMessage().contains("head.bias"), refusal::getMessage);
      assertTrue(refusal.getMessage().contains("NaN"), refusal::getMessage);
    }
  }

  @Test
  void anotherOptimizerAndAnotherFileAreRefused() throws IOException {
    Path path = folder.resolve("adam.safetensors");
    Path plain = folder.resolve("plain.safetensors");
    Safetensors.builder().put("x", new float[] {1}, 1).writeTo(plain);
    try (Backend backend = Backend.open("reference");
        Run adam = new Run(backend, CONFIG, Method.ADAM);
        Run sgd = new Run(backend, CONFIG, Method.SGD)) {
      adam.save(path);
      String message =
          assertThrows(FileFormatException.class, () -> sgd.restore(path)).getMessage();
      assertTrue(message.contains("ADAM") && message.contains("SGD"), message);
      message = assertThrows(FileFormatException.class, () -> sgd.restore(plain)).getMessage();
      assertTrue(message.contains("no checkpoint"), message);
    }
  }

  static Stream<CharRnn.Config> models() {
    return Stream.concat(Stream.of(CONFIG), CellSpec.all().stream().map(CheckpointTest::oneHot));
  }

  @ParameterizedTest
  @MethodSource("models")
  void modelComesBackWithItsVocabularyAndWritesTheSameText(CharRnn.Config config)
      throws IOException {
    Path path = folder.resolve("model.safetensors");
    try (Backend backend = Backend.open("reference");
        Run run = new Run(backend, config, Method.ADAM)) {
      run.train(20);
      run.save(path);
      StringBuilder expected = new StringBuilder();
      run.model.sample("one ", 40, Sampling.seeded(3), expected::append);
      try (Checkpoint checkpoint = Checkpoint.read(path);
          CharRnn loaded = CharRnn.load(checkpoint, backend)) {
        StringBuilder found = new StringBuilder();
        loaded.sample("one ", 40, Sampling.seeded(3), found::append);
        assertEquals(expected.toString(), found.toString());
        assertEquals(config, loaded.config());
      }
    }
  }
}
