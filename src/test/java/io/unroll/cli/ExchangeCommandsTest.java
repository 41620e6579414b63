package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.TokenVocabulary;
import io.unroll.data.Vocabulary;
import io.unroll.io.Fixtures;
import io.unroll.io.OnnxFile;
import io.unroll.io.Weights;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import io.unroll.train.Model;
import io.unroll.train.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands export and import as a user calls them. */
class ExchangeCommandsTest {
  @TempDir Path folder;

  private Path run(CellSpec cell, int embedding) throws IOException {
    Path file = folder.resolve("run").resolve(Runs.CHECKPOINT);
    Files.createDirectories(file.getParent());
    CharRnn.Config config = new CharRnn.Config(cell, 5, 2, embedding, 0);
    try (Backend backend = Backend.open("cpu");
        CharRnn model = new CharRnn(backend, Vocabulary.of("abc\n 가"), config, 3)) {
      Checkpoint.Writer writer = Checkpoint.of(model.parameters());
      model.metadata().forEach(writer::metadata);
      writer.write(file);
    }
    return file.getParent();
  }

  private static void assertSame(Path expected, Path found) throws IOException {
    Weights theirs = Weights.read(expected.resolve(Runs.CHECKPOINT));
    Weights ours = Weights.read(found.resolve(Runs.CHECKPOINT));
    assertEquals(theirs.names(), ours.names());
    for (String name : theirs.names()) {
      assertArrayEquals(theirs.values(name), ours.values(name), name);
    }
  }

  /** What was exported comes back as it was, and writes the same text. */
  @ParameterizedTest
  @CsvSource({
    "tanh, 3, model.onnx",
    "relu, 0, model.onnx",
    "gru, 3, model.onnx",
    "lstm_peephole, 0, model.onnx",
    "tanh, 0, model.safetensors",
    "lstm, 3, model.safetensors"
  })
  void comesBackAsItWas(String cell, int embedding, String name) throws IOException {
    Path run = run(CellSpec.of(cell), embedding);
    Path file = folder.resolve(name);
    Path back = folder.resolve("back");
    assertTrue(CommandRun.of("export", run, "--out", file).succeeded().out().contains(name));
    String said = CommandRun.of("import", file, "--out", back).succeeded().out();
    assertTrue(said.contains("2 layers of 5 " + cell + " over 6 characters"), said);
    assertSame(run, back);
    assertEquals(sampled(run), sampled(back));
  }

  private static String sampled(Path run) {
    return CommandRun.of("sample", run, "--length", 20, "--device", "cpu").out();
  }

  @Test
  void onnxLiesBesideTheCheckpoint() throws IOException {
    Path run = run(CellSpec.GRU, 0);
    CommandRun.of("export", run).succeeded();
    OnnxFile file = OnnxFile.read(run.resolve("model.onnx"));
    assertEquals("\n abc가", file.metadata().get("model.symbols"));
  }

  @Test
  void exportsWhatAModelSaved() throws IOException {
    Path path = folder.resolve("words.safetensors");
    TokenVocabulary words =
        TokenVocabulary.counter(TokenVocabulary.Splitting.WORDS).add("so so").vocabulary(9, 1);
    ModelConfig config =
        ModelConfig.of(
            ModelConfig.Input.tokens(words, 2),
            CellSpec.GRU,
            3,
            ModelConfig.Output.classes(List.of("no", "yes")));
    try (Backend backend = Backend.open("cpu");
        Model model = new Model(backend, config, 3)) {
      model.save(path);
    }
    Path onnx = folder.resolve("words.onnx");
    CommandRun.of("export", path, "--out", onnx).succeeded();
    assertEquals(List.of("rnn.l0"), OnnxFile.read(onnx).recurrentNodes());
    Path weights = folder.resolve("weights.safetensors");
    CommandRun.of("export", path, "--out", weights).succeeded();
    assertArrayEquals(new long[] {9, 2}, Weights.read(weights).shape("rnn.weight_ih_l0"));
  }

  @Test
  void readsPyTorchAndKeras() throws IOException {
    Path symbols = Files.writeString(folder.resolve("symbols.txt"), "kdfaebjcihg");
    Path torch = folder.resolve("torch");
    Object[] renames = {"--rename", "module.encoder.=embedding.", "--rename", "module.lstm.=rnn."};
    CommandRun.of(
            "import",
            Fixtures.path("torch_char.safetensors"),
            "--symbols",
            symbols,
            renames[0],
            renames[1],
            renames[2],
            renames[3],
            "--rename",
            "module.decoder.=head.",
            "--out",
            torch)
        .succeeded();
    assertEquals(21, sampled(torch).strip().length() + 1, sampled(torch));
    Path keras = folder.resolve("keras");
    Path text = Files.writeString(folder.resolve("text.txt"), "abcdefghijk".repeat(3));
    // The file holds x and y besides the weights, under names that are no path.
    CommandRun.of(
            "import", Fixtures.path("keras_char.safetensors"), "--symbols", symbols, "--out", keras)
        .succeeded();
    String measured = CommandRun.of("eval", keras, text, "--device", "cpu", "--json").out();
    assertTrue(measured.contains("perplexity"), measured);
  }

  @Test
  void refusesWhatItCannotUse() throws IOException {
    Path run = run(CellSpec.LSTM_PEEPHOLE, 0);
    CommandRun.of("export", run, "--out", folder.resolve("x.pt")).failed(2, ".onnx", "x.pt");
    Path torch = folder.resolve("x.safetensors");
    CommandRun.of("export", run, "--out", torch).failed(2, "rnn.weight_unit_l0", "ONNX");
    Path itself = run.resolve(Runs.CHECKPOINT);
    CommandRun.of("export", run, "--out", itself).failed(2, "checkpoint itself");
    CommandRun.of("import", folder.resolve("none.onnx")).failed(2, "none.onnx");
    Path char11 = Fixtures.path("torch_char.safetensors");
    CommandRun.of("import", char11).failed(2, "--symbols");
    CommandRun.of("import", itself, "--out", run).failed(2, "already holds a checkpoint");
    Path symbols = Files.writeString(folder.resolve("symbols.txt"), "abcdefghijk");
    CommandRun.of("import", char11, "--symbols", symbols).failed(2, "rnn.weight_hh_l0");
    CommandRun.of("import", char11, "--symbols", symbols, "--rename", "a=b").failed(2, "\"a\"");
    CommandRun.of("import", char11, "--recurrent", "gru").failed(2, "--recurrent", "state_dict");
    CommandRun.of("import", Fixtures.path("torch_gru_script.onnx"), "--cell", "lstm")
        .failed(2, "--cell is lstm", "gru");
    CommandRun.of("import", Fixtures.path("keras_tanh.safetensors"), "--symbols", symbols)
        .failed(2, "--recurrent", "sequential/bidirectional_1");
    CommandRun.of("import", Fixtures.path("torch_gru_script.onnx"), "--symbols", symbols)
        .failed(2, "rnn.weight_hh_l0_reverse");
  }
}
