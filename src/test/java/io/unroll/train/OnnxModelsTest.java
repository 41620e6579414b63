package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.data.Scaling;
import io.unroll.data.SequenceBatch;
import io.unroll.data.SequenceDataset;
import io.unroll.data.TokenVocabulary;
import io.unroll.data.Vocabulary;
import io.unroll.io.Fixtures;
import io.unroll.io.OnnxExport;
import io.unroll.io.OnnxFile;
import io.unroll.io.OnnxRun;
import io.unroll.io.Safetensors;
import io.unroll.io.Weights;
import io.unroll.nn.RecurrentState;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.ModelConfig.Input;
import io.unroll.train.ModelConfig.Output;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole models go out as ONNX and come in from other programs. */
class OnnxModelsTest {
  private static final double NEAR = 1e-5;
  private static final String SYMBOLS = "\n abcdefg🙂";
  private static final TokenVocabulary WORDS =
      TokenVocabulary.counter(TokenVocabulary.Splitting.WORDS)
          .add("good")
          .add("not bad at all")
          .vocabulary(20, 1);

  @TempDir Path folder;

  static Stream<CharRnn.Config> characterModels() {
    return CellSpec.all().stream()
        .filter(OnnxExport::supports)
        .flatMap(
            cell ->
                Stream.of(
                    new CharRnn.Config(cell, 6, 1, 0, 0.5), new CharRnn.Config(cell, 5, 2, 4, 0)));
  }

  /** Two steps, the second from the states of the first. */
  @ParameterizedTest
  @MethodSource("characterModels")
  void charRnnCarriesItsStates(CharRnn.Config config) throws IOException, OrtException {
    Path path = folder.resolve("char.onnx");
    int[] ids = {0, 3, 9, 1, 2, 2};
    long[] shape = {config.layers(), 2, config.hiddenSize()};
    try (Backend backend = Backend.open("reference");
        CharRnn model = new CharRnn(backend, Vocabulary.of(SYMBOLS), config, 5);
        RecurrentState state = model.newState(2);
        Tape tape = new Tape(backend)) {
      model.toOnnx().writeTo(path);
      assertEquals(model.metadata(), OnnxFile.read(path).metadata());
      double[] zeros = new double[config.layers() * 2 * config.hiddenSize()];
      Map<String, double[]> found = Map.of("rnn.h_n", zeros, "rnn.c_n", zeros);
      for (int step = 0; step < 2; step++) {
        tape.begin(Tape.Mode.EVALUATION);
        double[] expected = model.logits(tape.indices(ids, 3, 2), state).toDoubles();
        try (OnnxRun run = new OnnxRun(path)) {
          run.longs("ids", ids, 3, 2);
          for (String name : config.cell().states()) {
            run.reals("rnn." + name + "_0", found.get("rnn." + name + "_n"), shape);
          }
          found = run.outputs();
        }
        assertArrayEquals(expected, found.get("y"), NEAR);
      }
    }
  }

  static Stream<ModelConfig> models() {
    List<String> classes = List.of("no", "yes", "maybe");
    Scaling scaling = Scaling.none("a", "b");
    return Stream.of(
        ModelConfig.of(Input.tokens(WORDS, 3), CellSpec.LSTM, 4, Output.classes(classes))
            .withBidirectional(true)
            .withLayers(2),
        ModelConfig.of(Input.tokens(WORDS, 0), CellSpec.GRU, 4, Output.stepClasses(classes)),
        ModelConfig.of(Input.tokens(WORDS, 3), CellSpec.GRU, 4, Output.nextToken()),
        ModelConfig.of(Input.vectors(scaling), CellSpec.TANH, 4, Output.values(scaling)),
        ModelConfig.of(Input.vectors(scaling), CellSpec.LSTM, 4, Output.stepValues(scaling))
            .withBidirectional(true));
  }

  private static SequenceBatch batch(ModelConfig config) {
    SequenceDataset data =
        config.input().hasTokens()
            ? SequenceDataset.ofTokens(
                List.of(WORDS.encode("not bad at all"), WORDS.encode("all good")))
            : SequenceDataset.of(
                List.of(new float[][] {{1, 2}, {-3, 1}, {0, 1}}, new float[][] {{2, -1}}));
    return data.batch(new int[] {0, 1});
  }

  @ParameterizedTest
  @MethodSource("models")
  void modelTellsTheSame(ModelConfig config) throws IOException, OrtException {
    Path path = folder.resolve("model.onnx");
    SequenceBatch batch = batch(config);
    try (Backend backend = Backend.open("reference");
        Model model = new Model(backend, config, 5);
        Tape tape = new Tape(backend)) {
      model.toOnnx().writeTo(path);
      assertEquals(model.metadata(), OnnxFile.read(path).metadata());
      tape.begin(Tape.Mode.EVALUATION);
      Tensor expected = model.outputs(tape, batch);
      try (OnnxRun run = new OnnxRun(path)) {
        if (config.input().hasTokens()) {
          // Padding has no row; to ONNX it must be a token.
          int[] ids = IntStream.of(batch.tokens()).map(id -> Math.max(id, 0)).toArray();
          run.longs("ids", ids, batch.steps(), batch.batch());
        } else {
          double[] x = new double[batch.inputs().length];
          for (int i = 0; i < x.length; i++) {
            x[i] = batch.inputs()[i];
          }
          run.reals("x", x, batch.steps(), batch.batch(), 2);
        }
        if (config.output().isNextToken()) {
          run.reals("rnn.h_0", new double[8], 1, 2, 4);
        } else {
          run.ints("lengths", batch.lengths(), batch.batch());
        }
        double[] found = run.outputs().get("y");
        double[] wanted = expected.toDoubles();
        assertEquals(wanted.length, found.length);
        // Nothing is told past a row's end; without lengths, ONNX runs on there.
        for (int i = 0; i < wanted.length; i++) {
          int row = i / config.outputSize() % batch.batch();
          int step = i / config.outputSize() / batch.batch();
          if (step < batch.lengths()[row]) {
            assertEquals(wanted[i], found[i], NEAR, "element " + i);
          }
        }
      }
    }
  }

  private static Weights torch() throws IOException {
    return Weights.read(Fixtures.path("torch_char.safetensors"))
        .renamed("module.encoder.", "embedding.")
        .renamed("module.lstm.", "rnn.")
        .renamed("module.decoder.", "head.");
  }

  /** PyTorch's characters may lie in any order; ours are sorted. */
  @ParameterizedTest
  @MethodSource("orders")
  void charRnnFromPyTorchKnowsItsCharacters(String symbols) throws IOException {
    double[] expected;
    int[] ids;
    try (Safetensors file = Safetensors.read(Fixtures.path("torch_char_expected.safetensors"))) {
      expected = file.doubles("logits");
      ids = file.ints("ids");
    }
    int[] theirs = symbols.codePoints().toArray();
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.appendCodePoint(theirs[id]);
    }
    try (Backend backend = Backend.open("reference");
        CharRnn model = CharRnn.of(backend, torch(), symbols, null);
        RecurrentState state = model.newState(3);
        Tape tape = new Tape(backend)) {
      assertEquals(new CharRnn.Config(CellSpec.LSTM, 6, 2, 4, 0), model.config());
      tape.begin(Tape.Mode.EVALUATION);
      int[] ours = model.vocabulary().encode(text);
      double[] found = model.logits(tape.indices(ours, 5, 3), state).toDoubles();
      for (int i = 0; i < found.length; i++) {
        int old = symbols.substring(0, symbols.indexOf(model.vocabulary().decode(i % 11))).length();
        assertEquals(expected[i / 11 * 11 + old], found[i], 1e-12, "logit " + i);
      }
    }
  }

  static Stream<String> orders() {
    return Stream.of("abcdefghijk", "kdfaebjcihg");
  }

  /** One-hot input has no table: the columns of the first layer move. */
  @Test
  void oneHotInputMovesWithTheCharacters() throws IOException {
    try (Backend backend = Backend.open("reference");
        CharRnn model =
            new CharRnn(
                backend, Vocabulary.of("abc"), new CharRnn.Config(CellSpec.GRU, 3, 1, 0, 0), 5);
        CharRnn moved = CharRnn.of(backend, Weights.of(model.parameters()), "cab", null)) {
      double[] before = model.parameters().get("rnn.weight_ih_l0").toDoubles();
      double[] after = moved.parameters().get("rnn.weight_ih_l0").toDoubles();
      for (int row = 0; row < 9; row++) {
        assertEquals(before[row * 3], after[row * 3 + 2]);
        assertEquals(before[row * 3 + 1], after[row * 3]);
      }
    }
  }

  @Test
  void refusesWhatIsNoCharacterModel() throws IOException {
    Weights weights = torch();
    try (Backend backend = Backend.open("reference")) {
      refused(
          FileFormatException.class, backend, weights, "abcdefghij", "\"embedding.weight\"", "10");
      refused(IllegalArgumentException.class, backend, weights, "abcdefghijj", "11", "10 distinct");
      Weights bare = weights.without("rnn.");
      refused(FileFormatException.class, backend, bare, "abcdefghijk", "\"rnn.weight_hh_l0\"");
      Weights more = weights.renamed("head.", "tail.");
      refused(FileFormatException.class, backend, more, "abcdefghijk", "\"head.weight\"");
      assertEquals(0, backend.liveBytes());
    }
  }

  private static void refused(
      Class<? extends Exception> kind,
      Backend backend,
      Weights weights,
      String symbols,
      String... words) {
    String message =
        assertThrows(kind, () -> CharRnn.of(backend, weights, symbols, null)).getMessage();
    for (String word : words) {
      assertTrue(message.contains(word), () -> "no " + word + " in " + message);
    }
  }
}
