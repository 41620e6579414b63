package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.io.OnnxExport;
import io.unroll.io.Weights;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import io.unroll.train.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a trained model in a format of others. */
@Command(
    name = "export",
    description = {
      "Writes a trained network as ONNX, or as weights for PyTorch.",
      "",
      "ONNX, opset 14: ids int64[T,B] and the states rnn.h_0 (lstm: and rnn.c_0) float[L,B,H] give"
          + " the logits y float[T,B,V] and the states rnn.h_n (and rnn.c_n). The metadata has the"
          + " characters, in the order of their ids, as model.symbols. What a Model saved has"
          + " lengths int32[B] instead of states, unless it is a language model, and model.config"
          + " in the metadata.",
      "",
      "Weights: a safetensors file that load_state_dict takes in a module whose attributes are"
          + " embedding (if it has one), rnn and head. PyTorch has no lstm_peephole."
    },
    footer = {
      "  unroll export",
      "  unroll export runs/novel --out novel.onnx",
      "  unroll export runs/novel --out novel.safetensors"
    })
final class ExportCommand implements Callable<Integer> {
  /** In the metadata of what {@link Model} saves, and of no char-rnn. */
  private static final String MODEL = "model.version";

  private static final String ONNX = ".onnx";
  private static final String SAFETENSORS = ".safetensors";

  @Spec CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "CHECKPOINT",
      description = "A checkpoint or the folder of a run (default: the newest below runs/).")
  Path checkpoint;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "Where to write; its end tells the format, .onnx or .safetensors (default: model.onnx in"
              + " the folder of the checkpoint).")
  Path out;

  @Override
  public Integer call() throws IOException {
    Path from = Runs.checkpoint(checkpoint);
    Path to = out == null ? from.resolveSibling("model" + ONNX) : out;
    String name = to.getFileName().toString();
    if (!name.endsWith(ONNX) && !name.endsWith(SAFETENSORS)) {
      throw new InputException(
          "--out must end in " + ONNX + " or " + SAFETENSORS + ", but is " + to);
    }
    if (to.toAbsolutePath().normalize().equals(from.toAbsolutePath().normalize())) {
      throw new InputException("--out is the checkpoint itself; choose another file");
    }
    try (Checkpoint file = Checkpoint.read(from);
        Backend backend = Backend.open("cpu")) {
      if (file.metadata().containsKey(MODEL)) {
        try (Model model = Model.load(from, backend)) {
          write(to, model::toOnnx, model.parameters(), model.metadata());
        }
      } else {
        try (CharRnn model = CharRnn.load(file, backend)) {
          write(to, model::toOnnx, model.parameters(), model.metadata());
        }
      }
    }
    spec.commandLine().getOut().println("wrote " + to);
    return 0;
  }

  private static void write(
      Path to,
      Supplier<OnnxExport> onnx,
      io.unroll.nn.Parameters parameters,
      Map<String, String> metadata)
      throws IOException {
    if (to.toString().endsWith(ONNX)) {
      onnx.get().writeTo(to);
    } else {
      Weights.of(parameters).writeStateDict(to, metadata);
    }
  }
}
