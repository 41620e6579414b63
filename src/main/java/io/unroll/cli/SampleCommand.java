package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.nn.Sampling;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lets a trained char-rnn write. */
@Command(
    name = "sample",
    description = {
      "Lets a trained network write text.",
      "",
      "It prints each character as it draws it. The same seed writes the same text."
    },
    footer = {
      "  unroll sample",
      "  unroll sample runs/novel --prime Once --length 2000 --temperature 0.7",
      "  unroll sample runs/novel --greedy"
    })
final class SampleCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "CHECKPOINT",
      description = "A checkpoint or the folder of a run (default: the newest below runs/).")
  Path checkpoint;

  @Option(
      names = "--prime",
      paramLabel = "TEXT",
      defaultValue = "",
      description =
          "Text that it reads first and goes on from (default: ${DEFAULT-VALUE}, a new line).")
  String prime;

  @Option(
      names = "--length",
      paramLabel = "N",
      defaultValue = "500",
      description = "Characters to write (default: ${DEFAULT-VALUE}).")
  int length;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0.8",
      description =
          "Below 1 it takes what is likely, above 1 it dares more (default: ${DEFAULT-VALUE}).")
  double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description =
          "Draw among the K most likely characters only; 0 for all (default: ${DEFAULT-VALUE}).")
  int topK;

  @Option(names = "--greedy", description = "Always take the most likely character.")
  boolean greedy;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Of the draws (default: ${DEFAULT-VALUE}).")
  long seed;

  @Mixin DeviceOptions device;

  @Override
  public Integer call() throws IOException {
    if (length < 1) {
      throw new InputException("--length must be at least 1, but is " + length);
    }
    Sampling sampling = greedy ? Sampling.greedy() : new Sampling(temperature, topK, seed);
    PrintWriter out = spec.commandLine().getOut();
    try (Checkpoint file = Checkpoint.read(Runs.checkpoint(checkpoint));
        Backend backend = device.open(spec.commandLine().getErr());
        CharRnn model = CharRnn.load(file, backend)) {
      int[] known = model.vocabulary().encode(prime);
      out.print(model.vocabulary().decode(known));
      model.sample(
          prime,
          length,
          sampling,
          character -> {
            out.print(character);
            out.flush();
          });
      out.println();
      return 0;
    }
  }
}
