package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.DeviceException;
import io.unroll.OutOfDeviceMemoryException;
import io.unroll.data.TextCorpus;
import io.unroll.engine.MemoryPlan;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains a char-rnn on a text. */
@Command(
    name = "train",
    description = {
      "Trains a network to write like a text: a char-rnn.",
      "",
      "It learns to predict the next character, and so to write text of its own. Without TEXT it"
          + " reads the source of Unroll, which is built in. It leaves a folder with"
          + " checkpoint.safetensors (for \"unroll sample\"), loss.png and metrics.jsonl, and never"
          + " overwrites an older run."
    },
    footer = {
      "  unroll train",
      "  unroll train novel.txt --hidden 512 --layers 3 --dropout 0.3 --epochs 20",
      "  unroll train --resume runs/novel --minutes 30",
      "  unroll train letters/ --init-from runs/novel --learning-rate 0.0005"
    })
final class TrainCommand implements Callable<Integer> {
  private static final double DEFAULT_MINUTES = 2;

  @Spec CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "TEXT",
      description =
          "A UTF-8 file, or a folder whose files are read one after the other (default: the source"
              + " of Unroll).")
  Path text;

  @Mixin TrainOptions options;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Stop when the text has been read so often (default: see --minutes).")
  Integer epochs;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Stop after so many updates in all (default: see --minutes).")
  Long steps;

  @Option(
      names = "--minutes",
      paramLabel = "M",
      description =
          "Stop after this time (default: 2 where neither --epochs nor --steps is given).")
  Double minutes;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "STEPS",
      defaultValue = "500",
      description = "Write the checkpoint so often, and at the end (default: ${DEFAULT-VALUE}).")
  int checkpointEvery;

  @Option(
      names = "--sample-every",
      paramLabel = "STEPS",
      defaultValue = "500",
      description = "Show what it writes so often; 0 for never (default: ${DEFAULT-VALUE}).")
  int sampleEvery;

  @Option(
      names = "--sample-length",
      paramLabel = "N",
      defaultValue = "250",
      description = "Characters of what is shown (default: ${DEFAULT-VALUE}).")
  int sampleLength;

  @Option(
      names = "--init-from",
      paramLabel = "CHECKPOINT",
      description =
          "Begin a new run with these weights; the text may be another (default: random ones).")
  Path initFrom;

  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description =
          "Go on with the run in this folder as if it had never stopped (default: a new run).")
  Path resume;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Where to leave the files (default: a new folder below runs/).")
  Path out;

  @Option(names = "--quiet", description = "Show no progress.")
  boolean quiet;

  @Mixin DeviceOptions device;

  @Override
  public Integer call() throws IOException {
    requireConsistent();
    PrintWriter terminal = spec.commandLine().getOut();
    if (resume != null) {
      Path file = Runs.checkpoint(resume);
      try (Checkpoint checkpoint = Checkpoint.read(file)) {
        TrainSettings settings = TrainSettings.fromJson(checkpoint.metadata(TrainSettings.KEY));
        TextCorpus corpus = Corpora.again(settings);
        Path folder = file.toAbsolutePath().getParent();
        try (Backend backend = device.open(terminal);
            CharRnn model = CharRnn.load(checkpoint, backend)) {
          return run(backend, model, settings, corpus, folder, checkpoint);
        }
      }
    }
    TextCorpus corpus = Corpora.open(text);
    corpus.notes().forEach(terminal::println);
    TrainSettings settings = options.settings(Corpora.source(text), corpus.text().hashCode());
    try (Backend backend = device.open(terminal);
        CharRnn model = newModel(backend, settings, corpus)) {
      return run(backend, model, settings.withModel(model.config()), corpus, null, null);
    }
  }

  private void requireConsistent() {
    if (resume != null) {
      options.requireUnset("--resume", true);
      if (text != null || initFrom != null || out != null) {
        throw new InputException(
            "--resume goes on with the text and in the folder of the run; leave out TEXT,"
                + " --init-from and --out");
      }
    }
    if (initFrom != null) {
      options.requireUnset("--init-from", false);
    }
    if (out != null) {
      Runs.requireFree(out);
    }
    if (epochs != null && steps != null) {
      throw new InputException("give either --epochs or --steps, not both");
    }
    requirePositive("--epochs", epochs);
    requirePositive("--steps", steps);
    requirePositive("--minutes", minutes);
    requirePositive("--sample-length", sampleLength);
  }

  private static void requirePositive(String name, Number value) {
    if (value != null && !(value.doubleValue() > 0)) {
      throw new InputException(name + " must be above 0, but is " + value);
    }
  }

  private CharRnn newModel(Backend backend, TrainSettings settings, TextCorpus corpus)
      throws IOException {
    if (initFrom == null) {
      return new CharRnn(backend, corpus.vocabulary(), settings.model(), settings.seed());
    }
    try (Checkpoint checkpoint = Checkpoint.read(Runs.checkpoint(initFrom))) {
      return CharRnn.load(checkpoint, backend);
    }
  }

  /** Runs in the folder of a checkpoint to go on from, or in a new one if both are null. */
  private int run(
      Backend backend,
      CharRnn model,
      TrainSettings settings,
      TextCorpus corpus,
      Path resumed,
      Checkpoint checkpoint)
      throws IOException {
    PrintWriter terminal = spec.commandLine().getOut();
    terminal.printf(
        "text: %s, %,d characters, %d different; model: %s, %d layers of %d, %,d parameters%n",
        settings.source() == null ? "the source of Unroll" : corpus.name(),
        corpus.ids().length,
        model.vocabulary().size(),
        settings.cell(),
        settings.layers(),
        settings.hidden(),
        model.parameters().size());
    int[] ids = model.vocabulary().encode(corpus.text());
    MemoryPlan plan = TrainingRun.plan(backend, model.vocabulary(), settings, ids);
    if (!plan.fits()) {
      throw new OutOfDeviceMemoryException(
          inWords(plan.advice()), plan.bytes(), backend.liveBytes(), backend.memoryBytes(), null);
    }
    try (TrainingRun run = new TrainingRun(backend, model, settings, ids, settings.batch())) {
      if (checkpoint != null) {
        run.restore(checkpoint);
      }
      Path folder = resumed != null ? resumed : newFolder(settings);
      TrainingRun.Limits limits = limits(run.stepsPerEpoch());
      boolean timed = limits.seconds() < Double.POSITIVE_INFINITY;
      long total = timed ? (long) limits.seconds() : limits.steps();
      try (Interruption interruption = new Interruption(run::stop)) {
        try (ProgressDisplay display =
            new ProgressDisplay(terminal, total, timed ? "s" : "steps", quiet)) {
          run.train(folder, limits, display);
        } catch (OutOfDeviceMemoryException e) {
          throw e;
        } catch (DeviceException e) {
          String howToGoOn = run.howToGoOn(resumption(folder));
          throw new DeviceException(e.getMessage() + ". " + howToGoOn, e);
        }
        terminal.println(run.summary());
        terminal.println("wrote " + folder + ": checkpoint.safetensors, loss.png, metrics.jsonl");
        terminal.println(
            interruption.requested()
                ? "interrupted; go on with: " + resumption(folder)
                : "next: java -jar target/unroll-cli.jar sample " + folder);
        terminal.flush();
      }
      return 0;
    } catch (OutOfDeviceMemoryException e) {
      throw new OutOfDeviceMemoryException(
          e.getMessage() + ". " + inWords(plan.advice(e)),
          e.wantedBytes(),
          e.liveBytes(),
          e.deviceBytes(),
          e.availableBytes(),
          e);
    }
  }

  private String resumption(Path folder) {
    return "java -jar target/unroll-cli.jar train --resume " + folder + device.repeated();
  }

  private static String inWords(String advice) {
    return "This run: " + advice + ". See --batch, --seq-length and --hidden.";
  }

  private Path newFolder(TrainSettings settings) throws IOException {
    if (out == null) {
      return Runs.create(Corpora.runName(settings.source()));
    }
    Files.createDirectories(out);
    return out;
  }

  private TrainingRun.Limits limits(int stepsPerEpoch) {
    long updates = Long.MAX_VALUE;
    if (steps != null) {
      updates = steps;
    } else if (epochs != null) {
      updates = (long) epochs * stepsPerEpoch;
    }
    return new TrainingRun.Limits(
        updates, seconds(), checkpointEvery, sampleEvery, sampleLength, quiet);
  }

  private double seconds() {
    if (minutes != null) {
      return minutes * 60;
    }
    return epochs == null && steps == null ? DEFAULT_MINUTES * 60 : Double.POSITIVE_INFINITY;
  }
}
