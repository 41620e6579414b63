package io.unroll.io;

import static io.unroll.io.OnnxGraph.attribute;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.ShapeException;
import io.unroll.nn.Linear;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Graphs that no cell of Unroll computes are refused, and the node or tensor is named. */
class OnnxRefusalTest {
  private static final int HIDDEN = 2;

  @TempDir Path folder;
  private OnnxGraph graph;

  @BeforeEach
  void begin() {
    graph = new OnnxGraph();
  }

  private void weights(String name, int directions, int gates, int inputSize) {
    int rows = gates * HIDDEN;
    int count = directions * rows;
    graph.constant(
        name + ".W", Network.random("W", count * inputSize), directions, rows, inputSize);
    graph.constant(name + ".R", Network.random("R", count * HIDDEN), directions, rows, HIDDEN);
  }

  private void node(String operator, String name, ProtobufWriter... attributes) {
    graph.node(
        operator, name, List.of("x", name + ".W", name + ".R"), List.of(name + ".y"), attributes);
  }

  private OnnxFile file() throws IOException {
    ProtobufWriter model = new ProtobufWriter().integer(1, 7).message(7, graph.finished());
    return OnnxFile.read(Files.write(folder.resolve("some.onnx"), model.toBytes()));
  }

  private static void refused(Executable action, String... words) {
    String message = assertThrows(FileFormatException.class, action).getMessage();
    for (String word : words) {
      assertTrue(message.contains(word), () -> "no " + word + " in " + message);
    }
  }

  private void refuses(String operator, int gates, ProtobufWriter attribute, String... words)
      throws IOException {
    begin();
    weights("some", 1, gates, 3);
    node(operator, "some", attribute);
    OnnxFile file = file();
    List<String> all = new ArrayList<>(List.of("node \"some\" (" + operator + ")"));
    all.addAll(Arrays.asList(words));
    refused(file::config, all.toArray(String[]::new));
  }

  @Test
  void anotherArithmetic() throws IOException {
    refuses("GRU", 3, attribute("hidden_size", HIDDEN), "linear_before_reset", "reset_after=True");
    refuses("LSTM", 4, attribute("direction", "reverse"), "reverse");
    refuses("LSTM", 4, attribute("input_forget", 1), "input_forget");
    refuses("LSTM", 4, attribute("clip", 3), "clip");
    refuses("RNN", 1, attribute("activations", List.of("Sigmoid")), "Sigmoid", "Tanh");
    List<String> swapped = List.of("Tanh", "Sigmoid", "Tanh");
    refuses("LSTM", 4, attribute("activations", swapped), "[Tanh, Sigmoid, Tanh]");
    refuses("LSTM", 3, attribute("hidden_size", HIDDEN), "\"some.W\"", "[1, 6, 3]");
    refuses("RNN", 1, attribute("direction", "bidirectional"), "\"some.W\"", "[2, 2, 3]");
  }

  @Test
  void biasesMayBeAbsent() throws IOException {
    weights("some", 1, 1, 3);
    node("RNN", "some", attribute("activations", List.of("Relu")));
    OnnxFile file = file();
    assertEquals(RecurrentConfig.of(CellSpec.RELU, 3, HIDDEN), file.config());
    double[] bias = file.recurrent("").values("bias_hh_l0");
    assertEquals(0, Arrays.stream(bias).map(Math::abs).sum());
  }

  @Test
  void weightsMustBeConstants() throws IOException {
    weights("some", 1, 1, 3);
    graph.node("Neg", "turned", List.of("some.W"), List.of("some.W2"));
    graph.node("RNN", "some", List.of("x", "some.W2", "some.R"), List.of("y"));
    graph.node("RNN", "other", List.of("x", "free", "some.R"), List.of("z"));
    OnnxFile file = file();
    refused(
        () -> file.recurrent("rnn", "some"), "node \"some\"", "\"some.W2\"", "\"turned\" (Neg)");
    refused(
        () -> file.recurrent("rnn", "other"), "node \"other\"", "\"free\"", "input of the graph");
  }

  @Test
  void layersMustStandOnEachOther() throws IOException {
    weights("low", 1, 1, 3);
    weights("high", 1, 1, 5);
    node("RNN", "low");
    node("RNN", "high");
    OnnxFile file = file();
    assertEquals(List.of("low", "high"), file.recurrentNodes());
    refused(file::config, "node \"high\"", "I=5", "node \"low\"");
    assertEquals(5, file.config("high").inputSize());
    refused(() -> file.config("middle"), "\"middle\"", "[low, high]");
  }

  @Test
  void namesAreUnique() throws IOException {
    weights("low", 1, 1, 3);
    node("RNN", "low");
    node("RNN", "low");
    OnnxFile file = file();
    refused(() -> file.config("low"), "2 nodes \"low\"");
  }

  @Test
  void aLinearLayerHasNoFactor() throws IOException {
    graph.constant("B", new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
    graph.constant("C", new double[] {7, 8}, 2);
    graph.constant("D", new double[] {7, 8, 9}, 3);
    graph.node("Gemm", "plain", List.of("x", "B", "D"), List.of("y"));
    graph.node("Gemm", "stored", List.of("x", "B", "C"), List.of("z"), attribute("transB", 1));
    graph.node("Gemm", "wrong", List.of("x", "B", "C"), List.of("w"));
    graph.node("Gemm", "scaled", List.of("x", "B", "D"), List.of("v"), attribute("alpha", 2));
    OnnxFile file = file();
    double[] weight = file.linear("head", "plain").values("head.weight");
    assertEquals(List.of(1.0, 4.0, 2.0, 5.0, 3.0, 6.0), Arrays.stream(weight).boxed().toList());
    assertEquals(6, file.linear("head", "stored").values("head.weight")[5]);
    refused(() -> file.linear("head", "wrong"), "node \"wrong\"", "\"C\"", "3 elements");
    refused(() -> file.linear("head", "scaled"), "node \"scaled\"", "alpha");
    refused(() -> file.linear("head", "none"), "\"none\"", "plain");
  }

  @Test
  void aTableGivesRows() throws IOException {
    graph.constant("table", new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
    graph.node("Gather", "rows", List.of("table", "ids"), List.of("y"));
    graph.node("Gather", "columns", List.of("table", "ids"), List.of("z"), attribute("axis", 1));
    OnnxFile file = file();
    assertEquals(6, file.embedding("e", "rows").values("e.weight")[5]);
    refused(() -> file.embedding("e", "columns"), "node \"columns\"", "axis = 1");
  }

  @Test
  void otherFiles() throws IOException {
    refused(() -> file().config(), "no node RNN, GRU or LSTM", "dynamo=False");
    Path text = Files.writeString(folder.resolve("text.onnx"), "no model at all");
    refused(() -> OnnxFile.read(text), "text.onnx", "ModelProto");
    Path empty = Files.write(folder.resolve("empty.onnx"), new byte[0]);
    refused(() -> OnnxFile.read(empty), "no graph");
    refused(() -> OnnxFile.read(folder), "folder");
  }

  /** A second file is looked for beside the model only. */
  @Test
  void weightsBesideTheModel() throws IOException {
    Path copy = folder.resolve("copy.onnx");
    Files.copy(Fixtures.path("torch_external.onnx"), copy);
    OnnxFile alone = OnnxFile.read(copy);
    refused(() -> alone.recurrent("rnn"), "torch_external.onnx.data", "missing", "its B");
    Files.write(folder.resolve("torch_external.onnx.data"), new byte[9]);
    refused(() -> alone.recurrent("rnn"), "its B", "bytes at");
    byte[] bytes = Files.readAllBytes(copy);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    String outside = text.replace("torch_external.onnx.data", "../../external.onnx.data");
    Files.write(copy, outside.getBytes(StandardCharsets.ISO_8859_1));
    OnnxFile strayed = OnnxFile.read(copy);
    refused(
        () -> strayed.recurrent("rnn"), "../../external.onnx.data", "not in the model's folder");
  }

  @Test
  void exportNeedsLayersThatFit() {
    try (Backend backend = Backend.open("reference");
        Parameters parameters = new Parameters(backend, 1)) {
      RecurrentConfig config = RecurrentConfig.of(CellSpec.GRU, 3, 5);
      new Recurrent(parameters, "rnn", config);
      new Linear(parameters, "head", 4, 2);
      OnnxExport nothing = OnnxExport.of(parameters);
      assertThrows(IllegalStateException.class, () -> nothing.writeTo(folder.resolve("no.onnx")));
      assertThrows(IllegalStateException.class, nothing::last);
      OnnxExport onnx = OnnxExport.of(parameters).recurrent("rnn", config);
      String message = assertThrows(ShapeException.class, () -> onnx.linear("head")).getMessage();
      assertTrue(message.contains("\"head\" needs [.., 4]"), message);
      assertThrows(IllegalStateException.class, () -> onnx.embedding("embedding"));
      assertThrows(IllegalArgumentException.class, () -> onnx.linear("tail"));
      assertThrows(ShapeException.class, () -> onnx.last().recurrent("rnn", config));
    }
  }
}
