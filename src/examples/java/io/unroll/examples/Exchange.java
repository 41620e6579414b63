package io.unroll.examples;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.io.KerasFile;
import io.unroll.io.OnnxExport;
import io.unroll.io.OnnxFile;
import io.unroll.io.Weights;
import io.unroll.nn.Linear;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Weights from PyTorch, ONNX and Keras, and back; docs/exchange.md shows each method's body. */
public final class Exchange {
  private Exchange() {}

  /** A classifier of PyTorch goes on here, and back there. */
  public static void pytorch(Backend backend, Path state, Path back) throws IOException {
    try (Parameters parameters = new Parameters(backend, 42)) {
      new Recurrent(parameters, "rnn", RecurrentConfig.of(CellSpec.LSTM, 4, 6).withLayers(2));
      new Linear(parameters, "head", 6, 11);
      Weights.read(state)
          .without("module.encoder.")
          .renamed("module.lstm.", "rnn.")
          .renamed("module.decoder.", "head.")
          .load(parameters);
      // ... train or run the two layers, then:
      Weights.of(parameters).writeStateDict(back, Map.of("steps", "1000"));
    }
  }

  /** A model that tells the class of a sequence, as ONNX. */
  public static void toOnnx(Backend backend, Path file) throws IOException {
    try (Parameters parameters = new Parameters(backend, 42)) {
      Recurrent gru = new Recurrent(parameters, "gru", RecurrentConfig.of(CellSpec.GRU, 2, 32));
      new Linear(parameters, "head", 32, 2);
      // ... train, then:
      OnnxExport.of(parameters)
          .withLengths()
          .recurrent("gru", gru.config())
          .last()
          .linear("head")
          .writeTo(file);
    }
  }

  /** The stack of an ONNX model, whatever it was made with. */
  public static RecurrentConfig fromOnnx(Backend backend, Path path) throws IOException {
    OnnxFile file = OnnxFile.read(path);
    RecurrentConfig config = file.config();
    try (Parameters parameters = new Parameters(backend, 42)) {
      Recurrent rnn = new Recurrent(parameters, "rnn", config);
      file.recurrent("rnn").load(parameters);
      return rnn.config();
    }
  }

  /** Two layers of Keras. */
  public static void fromKeras(Backend backend, Path path) throws IOException {
    KerasFile file = KerasFile.read(path);
    String[] layers = {"bidirectional_8", "bidirectional_9"};
    try (Parameters parameters = new Parameters(backend, 42)) {
      new Recurrent(parameters, "rnn", file.config(CellSpec.LSTM, layers));
      new Linear(parameters, "head", 12, 3);
      file.recurrent("rnn", CellSpec.LSTM, layers)
          .and(file.linear("head", "dense_4"))
          .load(parameters);
    }
  }
}
