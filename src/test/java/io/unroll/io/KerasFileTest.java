package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.nn.Embedding;
import io.unroll.nn.Linear;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights and outputs that Keras wrote. */
class KerasFileTest {
  private static final int BATCH = 3;
  private static final int STEPS = 5;

  /** Keras puts the batch first. */
  private static double[] timeFirst(double[] values, int width) {
    double[] result = new double[values.length];
    for (int t = 0; t < STEPS; t++) {
      for (int b = 0; b < BATCH; b++) {
        System.arraycopy(values, (b * STEPS + t) * width, result, (t * BATCH + b) * width, width);
      }
    }
    return result;
  }

  private static double[] tensor(String file, String name) throws IOException {
    return Weights.read(Fixtures.path(file)).values(name);
  }

  /** Of the first, the second layer has no biases. */
  @ParameterizedTest
  @CsvSource({
    "tanh, bidirectional, bidirectional_1, dense",
    "relu, bidirectional_2, sequential_1/bidirectional_3, dense_1",
    "gru, bidirectional_4, bidirectional_5, dense_2",
    "lstm, bidirectional_8, bidirectional_9, dense_4"
  })
  void computesWhatKerasComputed(String cellName, String low, String high, String dense)
      throws IOException {
    String name = "keras_" + cellName + ".safetensors";
    CellSpec cell = CellSpec.of(cellName);
    KerasFile file = KerasFile.read(Fixtures.path(name));
    RecurrentConfig config = file.config(cell, low, high);
    assertEquals(RecurrentConfig.of(cell, 4, 6).withLayers(2).withBidirectional(true), config);
    Weights weights = file.recurrent("rnn", cell, low, high).and(file.linear("head", dense));
    double[] x = timeFirst(tensor(name, "x"), 4);
    double[] y = timeFirst(tensor(name, "y"), 3);
    Fixtures.assertClose(y, weights, config, 3, x, new int[] {STEPS, BATCH, 4});
  }

  private static double[] characters(String device) throws IOException {
    KerasFile file = KerasFile.read(Fixtures.path("keras_char.safetensors"));
    RecurrentConfig config = file.config(CellSpec.GRU, "gru_4");
    double[] ids;
    try (Safetensors all = Safetensors.read(Fixtures.path("keras_char.safetensors"))) {
      ids = timeFirst(Arrays.stream(all.longs("x")).asDoubleStream().toArray(), 1);
    }
    try (Backend backend = Backend.open(device);
        Parameters parameters = new Parameters(backend, 1);
        Tape tape = new Tape(backend)) {
      Embedding embedding = new Embedding(parameters, "embedding", 11, 4);
      Recurrent recurrent = new Recurrent(parameters, "rnn", config);
      Linear head = new Linear(parameters, "head", 6, 11);
      file.embedding("embedding", "embedding")
          .and(file.recurrent("rnn", CellSpec.GRU, "gru_4"))
          .and(file.linear("head", "dense_5"))
          .load(parameters);
      tape.begin(Tape.Mode.EVALUATION);
      int[] indices = Arrays.stream(ids).mapToInt(id -> (int) id).toArray();
      return head.forward(
              recurrent.forward(embedding.forward(tape.indices(indices, STEPS, BATCH))).y())
          .toDoubles();
    }
  }

  @Test
  void readsACharacterModel() throws IOException {
    double[] y = timeFirst(tensor("keras_char.safetensors", "y"), 11);
    Fixtures.assertClose(y, characters("reference"), characters("cpu"));
  }

  @Test
  void namesTheLayers() throws IOException {
    assertEquals(
        List.of("sequential_5/dense_5", "sequential_5/embedding", "sequential_5/gru_4"),
        KerasFile.read(Fixtures.path("keras_char.safetensors")).layers().stream()
            .sorted()
            .toList());
    assertEquals(
        List.of("sequential/bidirectional", "sequential/bidirectional_1", "sequential/dense"),
        KerasFile.read(Fixtures.path("keras_tanh.safetensors")).layers().stream()
            .sorted()
            .toList());
  }

  @Test
  void refusesAResetBeforeTheProduct() throws IOException {
    KerasFile file = KerasFile.read(Fixtures.path("keras_gru_reset_before.safetensors"));
    refused(
        () -> file.recurrent("rnn", CellSpec.GRU, "bidirectional_6"),
        "sequential_3/bidirectional_6/forward_gru_2/gru_cell/bias",
        "reset_after=True");
  }

  @Test
  void refusesWhatDoesNotFit() throws IOException {
    KerasFile file = KerasFile.read(Fixtures.path("keras_lstm.safetensors"));
    refused(
        () -> file.recurrent("rnn", CellSpec.GRU, "bidirectional_8"),
        "bidirectional_8/forward_lstm/lstm_cell/kernel",
        "[4, 18]",
        "[4, 24]");
    refused(
        () -> file.recurrent("rnn", CellSpec.LSTM, "bidirectional_9", "bidirectional_8"),
        "bidirectional_8/forward_lstm/lstm_cell/kernel",
        "[12, 24]");
    refused(() -> file.recurrent("rnn", CellSpec.LSTM, "gru"), "gru", "bidirectional_8");
    refused(() -> file.linear("head", "dense"), "dense", "sequential_4/dense_4");
    assertThrows(
        IllegalArgumentException.class,
        () -> file.recurrent("rnn", CellSpec.LSTM_PEEPHOLE, "bidirectional_8"));
  }

  private interface Reading {
    Object read() throws IOException;
  }

  private static void refused(Reading reading, String... words) {
    String message = assertThrows(FileFormatException.class, reading::read).getMessage();
    for (String word : words) {
      assertTrue(message.contains(word), () -> "no " + word + " in " + message);
    }
  }
}
