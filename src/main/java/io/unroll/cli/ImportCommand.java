package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a checkpoint of a char-rnn that was trained elsewhere. */
@Command(
    name = "import",
    description = {
      "Makes a checkpoint of a character model that was trained in PyTorch, Keras or elsewhere.",
      "",
      "Reads ONNX, a safetensors file of PyTorch's state_dict, or one of Keras' weights under"
          + " their paths, and leaves a run that sample and eval take, and train as --init-from."
          + " The model is an embedding (or one-hot input), recurrent layers in one direction, and"
          + " a linear layer.",
      "",
      "Names of a state_dict must become embedding.weight, rnn.weight_ih_l0 and so on, head.weight"
          + " and head.bias; --rename does that. docs/exchange.md tells how to save such files."
    },
    footer = {
      "  unroll import char.onnx --symbols symbols.txt && unroll sample",
      "  unroll import char.safetensors --symbols symbols.txt --rename encoder.=embedding."
          + " --rename lstm.=rnn. --rename decoder.=head.",
      "  unroll import keras.safetensors --symbols symbols.txt --recurrent gru,gru_1"
    })
final class ImportCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Parameters(
      paramLabel = "FILE",
      description = "An ONNX or safetensors file, told apart by its end (no default).")
  Path file;

  @Option(
      names = "--symbols",
      paramLabel = "FILE",
      description =
          "A UTF-8 file with the characters in the order of their ids, and nothing else (default:"
              + " model.symbols in the metadata, which \"unroll export\" writes).")
  Path symbols;

  @Option(
      names = "--cell",
      paramLabel = "NAME",
      converter = CellConverter.class,
      completionCandidates = CellConverter.Names.class,
      description =
          "${COMPLETION-CANDIDATES} (default: as the weights tell; tanh and relu have the same).")
  CellSpec cell;

  @Option(
      names = "--rename",
      paramLabel = "FROM=TO",
      description =
          "Of tensors in a state_dict whose names begin with FROM, let them begin with TO; may be"
              + " given again (default: none).")
  Map<String, String> renames = new LinkedHashMap<>();

  @Option(
      names = "--recurrent",
      paramLabel = "NAMES",
      split = ",",
      description =
          "Recurrent nodes of ONNX or layers of Keras, the lowest first (default: all of ONNX, the"
              + " only one of Keras).")
  List<String> recurrent = List.of();

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Where to leave the checkpoint (default: a new folder below runs/).")
  Path out;

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(file)) {
      throw new InputException(file + ": there is no such file; check the path");
    }
    if (out != null) {
      Runs.requireFree(out);
    }
    try (Backend backend = Backend.open("cpu");
        CharRnn model = read(backend)) {
      Path folder = out == null ? Runs.create(runName()) : Files.createDirectories(out);
      Path target = folder.resolve(Runs.CHECKPOINT);
      Checkpoint.Writer writer = Checkpoint.of(model.parameters());
      model.metadata().forEach(writer::metadata);
      writer.write(target);
      CharRnn.Config config = model.config();
      spec.commandLine()
          .getOut()
          .println(
              "read "
                  + config.layers()
                  + (config.layers() == 1 ? " layer" : " layers")
                  + " of "
                  + config.hiddenSize()
                  + " "
                  + config.cell()
                  + " over "
                  + model.vocabulary().size()
                  + " characters; wrote "
                  + target);
    }
    return 0;
  }

  private CharRnn read(Backend backend) throws IOException {
    ForeignModel foreign = ForeignModel.read(file, cell, recurrent);
    String characters = symbols == null ? foreign.symbols() : Files.readString(symbols);
    if (characters == null) {
      throw new InputException(
          file + " does not say which characters it was trained on; give --symbols FILE");
    }
    return CharRnn.of(backend, foreign.weights(renames), characters, foreign.cell());
  }

  private String runName() {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return dot > 0 ? name.substring(0, dot) : name;
  }
}
