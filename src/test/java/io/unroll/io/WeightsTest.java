package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.RequiredBackendsTest;
import io.unroll.nn.Embedding;
import io.unroll.nn.Linear;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A state_dict that PyTorch saved goes in and comes out again. */
class WeightsTest {
  private static final Path STATE = Fixtures.path("torch_char.safetensors");

  @TempDir Path folder;

  private final Backend backend = Backend.open("reference");
  private final Parameters parameters = new Parameters(backend, 1);

  @AfterEach
  void close() {
    parameters.close();
    backend.close();
  }

  private static Weights state() throws IOException {
    return Weights.read(STATE)
        .renamed("module.", "")
        .renamed("encoder.", "embedding.")
        .renamed("lstm.", "rnn.")
        .renamed("decoder.", "head.");
  }

  /** The layers of the fixture. */
  private static Recurrent build(Parameters into) {
    return new Recurrent(into, "rnn", RecurrentConfig.of(CellSpec.LSTM, 4, 6).withLayers(2));
  }

  static Stream<String> backends() {
    return RequiredBackendsTest.available();
  }

  @ParameterizedTest
  @MethodSource("backends")
  void computesWhatPyTorchComputed(String device) throws IOException {
    double[] expected;
    int[] ids;
    try (Safetensors file = Safetensors.read(Fixtures.path("torch_char_expected.safetensors"))) {
      expected = file.doubles("logits");
      ids = file.ints("ids");
    }
    try (Backend opened = Backend.open(device);
        Parameters into = new Parameters(opened, 1);
        Tape tape = new Tape(opened)) {
      Embedding embedding = new Embedding(into, "embedding", 11, 4);
      Recurrent recurrent = build(into);
      Linear head = new Linear(into, "head", 6, 11);
      state().load(into);
      tape.begin(Tape.Mode.EVALUATION);
      double[] found =
          head.forward(recurrent.forward(embedding.forward(tape.indices(ids, 5, 3))).y())
              .toDoubles();
      assertArrayEquals(expected, found, device.equals("reference") ? 1e-12 : 1e-5);
    }
  }

  /** Strict loading in PyTorch asks for these names and shapes; the values are the same as well. */
  @Test
  void writesWhatPyTorchWrote() throws IOException {
    Path path = folder.resolve("again.safetensors");
    try (Backend cpu = Backend.open("cpu");
        Parameters into = new Parameters(cpu, 1)) {
      new Embedding(into, "embedding", 11, 4);
      build(into);
      new Linear(into, "head", 6, 11);
      state().load(into);
      Weights.of(into)
          .renamed("embedding.", "module.encoder.")
          .renamed("rnn.", "module.lstm.")
          .renamed("head.", "module.decoder.")
          .writeStateDict(path, Map.of("k", "v"));
    }
    try (Safetensors theirs = Safetensors.read(STATE);
        Safetensors ours = Safetensors.read(path)) {
      assertEquals(theirs.names(), ours.names());
      assertEquals("v", ours.metadata().get("k"));
      for (String name : theirs.names()) {
        assertEquals(theirs.dtype(name), ours.dtype(name), name);
        assertArrayEquals(theirs.shape(name), ours.shape(name), name);
        assertArrayEquals(theirs.floats(name), ours.floats(name), name);
      }
    }
  }

  @Test
  void namesWhatIsMissingAndWhatIsLeft() throws IOException {
    build(parameters);
    Weights all = state().without("embedding.");
    refused(() -> all.load(parameters), "\"head.weight\"", "no parameter");
    Weights fits = all.without("head.");
    refused(() -> fits.without("rnn.weight_hh_l1").load(parameters), "\"rnn.weight_hh_l1\"");
    refused(
        () -> fits.without("rnn.bias_hh_l0").load(parameters), "\"rnn.bias_hh_l0\"", "bias=False");
    Weights projected = fits.with("rnn.weight_hr_l0", new double[6], 2, 3);
    refused(() -> projected.load(parameters), "\"rnn.weight_hr_l0\"", "proj_size");
    fits.load(parameters);
  }

  @Test
  void changesNothingIfATensorDoesNotFit() throws IOException {
    build(parameters);
    double[] before = parameters.get("rnn.weight_ih_l0").toDoubles();
    Weights fits = state().without("embedding.").without("head.");
    Weights shape = fits.without("rnn.bias_hh_l1").with("rnn.bias_hh_l1", new double[23], 23);
    refused(() -> shape.load(parameters), "\"rnn.bias_hh_l1\"", "[23]", "[24]");
    double[] bad = new double[24];
    bad[17] = Double.NaN;
    Weights nan = fits.without("rnn.bias_hh_l1").with("rnn.bias_hh_l1", bad, 24);
    refused(() -> nan.load(parameters), "\"rnn.bias_hh_l1\"", "NaN", "17");
    assertArrayEquals(before, parameters.get("rnn.weight_ih_l0").toDoubles());
  }

  @Test
  void integersAreNoWeights() throws IOException {
    Path path = folder.resolve("integers.safetensors");
    Safetensors.builder().put("bias", new long[] {1, 2}, 2).writeTo(path);
    parameters.add("bias", (seed, at) -> 0, 2);
    refused(() -> Weights.read(path).load(parameters), "\"bias\"", "I64");
  }

  @Test
  void aLayerWithoutBiasesGetsZeros() throws IOException {
    build(parameters);
    Weights none = state().without("embedding.").without("head.").without("rnn.bias_");
    none.withZeroBiases(parameters).load(parameters);
    assertArrayEquals(new double[24], parameters.get("rnn.bias_hh_l1").toDoubles());
    Weights some = state().without("embedding.").without("head.").without("rnn.bias_ih_l1");
    refused(
        () -> some.withZeroBiases(parameters).load(parameters), "\"rnn.bias_ih_l1\"", "no tensor");
  }

  @Test
  void renamingAndLeavingOutNeedSomethingToDo() throws IOException {
    refused(() -> Weights.read(STATE).renamed("gru.", "rnn."), "\"gru.\"", "module.lstm");
    refused(() -> Weights.read(STATE).without("gru."), "\"gru.\"");
    refused(
        () -> state().without("rnn.weight").renamed("rnn.bias_ih", "rnn.bias_hh"),
        "\"rnn.bias_hh_l0\"");
    String message =
        assertThrows(IllegalArgumentException.class, () -> state().and(state())).getMessage();
    assertTrue(message.contains("\"head.bias\" is in both"), message);
  }

  @Test
  void reordersRowsAndColumns() throws IOException {
    Weights weights = Weights.empty("test").with("w", new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
    assertArrayEquals(
        new double[] {4, 5, 6, 1, 2, 3}, weights.reordered("w", 0, new int[] {1, 0}).values("w"));
    assertArrayEquals(
        new double[] {3, 1, 2, 6, 4, 5},
        weights.reordered("w", 1, new int[] {2, 0, 1}).values("w"));
    refused(() -> weights.reordered("w", 1, new int[] {1, 0}), "\"w\"", "[2, 3]");
  }

  @Test
  void pyTorchHasNoPeepholes() {
    new Recurrent(parameters, "rnn", RecurrentConfig.of(CellSpec.LSTM_PEEPHOLE, 2, 3));
    Path path = folder.resolve("peepholes.safetensors");
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Weights.of(parameters).writeStateDict(path, Map.of()))
            .getMessage();
    assertTrue(message.contains("\"rnn.weight_unit_l0\""), message);
    assertTrue(Files.notExists(path));
  }

  private static void refused(Executable action, String... words) {
    String message = assertThrows(FileFormatException.class, action).getMessage();
    for (String word : words) {
      assertTrue(message.contains(word), () -> "no " + word + " in " + message);
    }
  }
}
