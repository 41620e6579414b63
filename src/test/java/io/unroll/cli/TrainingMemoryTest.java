package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.unroll.Backend;
import io.unroll.data.TextCorpus;
import io.unroll.engine.MemoryPlan;
import io.unroll.train.CharRnn;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What {@code train} says about memory before it takes any. */
class TrainingMemoryTest {
  @TempDir Path folder;

  private static TrainSettings settings(String options) {
    String line = "train --seq-length 11 --evaluate-every 4 " + options;
    CommandLine.ParseResult parsed = Main.commandLine().parseArgs(line.split(" "));
    TrainCommand command = (TrainCommand) parsed.subcommand().commandSpec().userObject();
    return command.options.settings(null, 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--hidden 20 --batch 3",
        "--hidden 48 --batch 40 --embedding 0 --cell gru --dropout 0.2 --optimizer sgd",
        "--hidden 33 --batch 7 --layers 3 --validation 0 --clip-value 1",
      })
  void aRunHoldsWhatItsPlanSays(String options) throws IOException {
    TrainSettings settings = settings(options);
    TextCorpus corpus =
        TextCorpus.fromString("rhyme", "one two buckle my shoe, three four.\n".repeat(120));
    try (Backend backend = Backend.open("cpu");
        CharRnn model = new CharRnn(backend, corpus.vocabulary(), settings.model(), 1)) {
      MemoryPlan plan = TrainingRun.plan(backend, corpus.vocabulary(), settings, corpus.ids());
      assertEquals(0, backend.peakBytes());
      try (TrainingRun run =
              new TrainingRun(backend, model, settings, corpus.ids(), settings.batch());
          ProgressDisplay quiet =
              new ProgressDisplay(new PrintWriter(new StringWriter()), 9, "steps", true)) {
        TrainingRun.Limits limits =
            new TrainingRun.Limits(9, Double.POSITIVE_INFINITY, 5, 2, 7, true);
        run.train(folder, limits, quiet);
      }
      assertEquals(backend.peakBytes(), plan.bytes(), plan::toString);
    }
  }

  @Test
  void whatCannotFitIsRefusedWithThePlan() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "to be or not to be, ".repeat(900));
    Path run = folder.resolve("run");
    CommandRun.of("train", text, "--hidden", 2_000_000, "--device", "cpu", "--out", run)
        .failed(1, "parameters", "gradients", "exp_avg_sq", "not even a batch of 1", "--batch");
    assertFalse(Files.exists(run));
  }
}
