package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.io.Network.Input;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** ONNX files that others and we wrote, read again. */
class OnnxFileTest {
  @TempDir Path folder;

  static Stream<Network> networks() {
    return OnnxExportTest.networks().filter(network -> network.input() == Input.EMBEDDING);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("networks")
  void readsWhatWeWrite(Network network) throws IOException {
    Path path = folder.resolve("model.onnx");
    Weights written;
    try (Backend backend = Backend.open("cpu");
        Parameters parameters = new Parameters(backend, 1)) {
      network.build(parameters);
      written = Weights.of(parameters);
      OnnxExportTest.export(network, parameters).metadata("k", "v").writeTo(path);
    }
    OnnxFile file = OnnxFile.read(path);
    assertEquals(network.config(), file.config());
    assertEquals("v", file.metadata().get("k"));
    Weights read = file.recurrent("rnn").and(file.linear("head", file.linearNodes().get(0)));
    if (network.input() == Input.EMBEDDING) {
      read = read.and(file.embedding("embedding", file.embeddingNodes().get(0)));
    }
    assertEquals(written.names(), read.names());
    for (String name : written.names()) {
      assertArrayEquals(written.shape(name), read.shape(name), name);
      assertArrayEquals(written.values(name), read.values(name), name);
    }
  }

  /** PyTorch's two exporters. The newer one takes the loop of an RNN apart. */
  @ParameterizedTest
  @CsvSource({
    "torch_tanh_script.onnx, tanh",
    "torch_relu_script.onnx, relu",
    "torch_gru_script.onnx, gru",
    "torch_gru_dynamo.onnx, gru",
    "torch_lstm_script.onnx, lstm",
    "torch_lstm_dynamo.onnx, lstm",
    "torch_external.onnx, lstm"
  })
  void computesWhatPyTorchExported(String name, String cell) throws IOException, OrtException {
    Path path = Fixtures.path(name);
    double[] x = Network.random("x", 5 * 3 * 4);
    double[] expected;
    try (OnnxRun run = new OnnxRun(path)) {
      expected = run.reals("x", x, 5, 3, 4).outputs().get("y");
    }
    OnnxFile file = OnnxFile.read(path);
    RecurrentConfig config = file.config();
    assertEquals(
        RecurrentConfig.of(CellSpec.of(cell), 4, 6).withLayers(2).withBidirectional(true), config);
    Weights weights = file.recurrent("rnn").and(file.linear("head", file.linearNodes().get(0)));
    Fixtures.assertClose(expected, weights, config, 3, x, new int[] {5, 3, 4});
  }

  @Test
  void readsTheGemmBehindALastState() throws IOException, OrtException {
    Path path = Fixtures.path("torch_last_script.onnx");
    double[] x = Network.random("x", 5 * 3 * 4);
    double[] expected;
    try (OnnxRun run = new OnnxRun(path)) {
      expected = run.reals("x", x, 5, 3, 4).outputs().get("y");
    }
    OnnxFile file = OnnxFile.read(path);
    Weights weights = file.recurrent("rnn").and(file.linear("head", "/head/Gemm"));
    double[] all = Fixtures.compute("reference", weights, file.config(), 3, x, new int[] {5, 3, 4});
    assertArrayEquals(Arrays.copyOfRange(all, 4 * 9, 5 * 9), expected, 1e-6);
  }

  /** A file that is cut or changed anywhere is refused or read, and nothing else happens. */
  @Test
  void damagedFilesAreRefused() throws IOException {
    Path path = folder.resolve("model.onnx");
    RecurrentConfig config = RecurrentConfig.of(CellSpec.LSTM_PEEPHOLE, 1, 1);
    try (Backend backend = Backend.open("cpu");
        Parameters parameters = new Parameters(backend, 1)) {
      new Recurrent(parameters, "rnn", config);
      OnnxExport.of(parameters).recurrent("rnn", config).writeTo(path);
    }
    byte[] good = Files.readAllBytes(path);
    int refused = 0;
    for (int at = 0; at < good.length; at++) {
      refused += refusals(Arrays.copyOf(good, at));
      byte[] changed = good.clone();
      changed[at] ^= (byte) 0xFF;
      refused += refusals(changed);
    }
    assertTrue(refused > good.length, refused + " of " + 2 * good.length);
  }

  private int refusals(byte[] bytes) throws IOException {
    Path path = Files.write(folder.resolve("damaged.onnx"), bytes);
    try {
      OnnxFile.read(path).recurrent("rnn");
      return 0;
    } catch (FileFormatException refused) {
      assertTrue(refused.getMessage().startsWith(path + ": "), refused::getMessage);
      return 1;
    }
  }
}
