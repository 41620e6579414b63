package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.io.Network.Input;
import io.unroll.nn.Parameters;
import io.unroll.nn.RecurrentConfig;
import io.unroll.reference.Tolerance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What ONNX Runtime computes from our files is what the float64 reference computes. */
class OnnxExportTest {
  @TempDir Path folder;

  static Stream<Network> networks() {
    return CellSpec.all().stream()
        .filter(OnnxExport::supports)
        .flatMap(
            cell ->
                Stream.of(1, 2)
                    .flatMap(
                        layers ->
                            Stream.of(false, true).flatMap(both -> networks(cell, layers, both))));
  }

  private static Stream<Network> networks(CellSpec cell, int layers, boolean both) {
    RecurrentConfig real =
        RecurrentConfig.of(cell, 5, 7).withLayers(layers).withBidirectional(both);
    RecurrentConfig oneHot =
        RecurrentConfig.of(cell, Network.SYMBOLS, 7).withLayers(layers).withBidirectional(both);
    return Stream.of(
        new Network(real, Input.REAL, false, false, false),
        new Network(real, Input.REAL, false, true, true),
        new Network(real, Input.REAL, true, true, false),
        new Network(real, Input.EMBEDDING, true, false, true),
        new Network(oneHot, Input.ONE_HOT, false, true, true));
  }

  static OnnxExport export(Network network, Parameters parameters) {
    OnnxExport onnx = OnnxExport.of(parameters);
    switch (network.input()) {
      case EMBEDDING -> onnx.embedding("embedding");
      case ONE_HOT -> onnx.oneHot(Network.SYMBOLS);
      default -> {}
    }
    if (network.ragged()) {
      onnx.withLengths();
    }
    if (network.states()) {
      onnx.withStates();
    }
    onnx.recurrent("rnn", network.config());
    return (network.last() ? onnx.last() : onnx).linear("head");
  }

  private Path write(Network network) throws IOException {
    Path file = folder.resolve("model.onnx");
    try (Backend backend = Backend.open("reference");
        Parameters parameters = new Parameters(backend, 1)) {
      network.build(parameters);
      export(network, parameters).writeTo(file);
    }
    return file;
  }

  private static Map<String, double[]> run(Network network, Path file)
      throws IOException, OrtException {
    try (OnnxRun run = new OnnxRun(file)) {
      if (network.input() == Input.REAL) {
        run.reals("x", network.x(), Network.STEPS, Network.BATCH, network.config().inputSize());
      } else {
        run.longs("ids", Network.ids(), Network.STEPS, Network.BATCH);
      }
      if (network.ragged()) {
        run.ints("lengths", Network.lengths(), Network.BATCH);
      }
      if (network.states()) {
        int[] shape = network.stateShape();
        for (String state : network.config().cell().states()) {
          run.reals("rnn." + state + "_0", network.state(state), shape[0], shape[1], shape[2]);
        }
      }
      return run.outputs();
    }
  }

  @Test
  void knowsWhatOnnxHas() {
    List.of(CellSpec.TANH, CellSpec.RELU, CellSpec.GRU, CellSpec.LSTM, CellSpec.LSTM_PEEPHOLE)
        .forEach(cell -> assertTrue(OnnxExport.supports(cell), cell::name));
    CellSpec other = new CellSpec("other", List.of("h"), List.of("h"), 0, List.of(), true);
    try (Backend backend = Backend.open("reference");
        Parameters parameters = new Parameters(backend, 1)) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> OnnxExport.of(parameters).recurrent("rnn", RecurrentConfig.of(other, 2, 3)))
              .getMessage();
      assertTrue(message.contains("the cell other"), message);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("networks")
  void runtimeComputesTheSame(Network network) throws IOException, OrtException {
    Map<String, double[]> found = run(network, write(network));
    Map<String, double[]> exact = network.solve("reference");
    Map<String, double[]> plain = network.solve("cpu");
    assertEquals(exact.keySet(), found.keySet());
    exact.forEach(
        (name, expected) -> {
          Tolerance.Comparison worst =
              Tolerance.of(expected, plain.get(name)).compare(found.get(name));
          assertTrue(worst.passes(), () -> network + ": " + name + ": " + worst);
        });
  }
}
