package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.data.TextCorpus;
import io.unroll.io.AtomicFile;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import io.unroll.train.Observation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what the units of a trained char-rnn do while it reads. */
@Command(
    name = "inspect",
    description = {
      "Looks inside a trained network while it reads a text.",
      "",
      "Writes one page for a browser that needs nothing from the network: the text in the colours"
          + " of a hidden unit that you choose, the units that follow something in the text, what"
          + " the network expected before each character, the network unrolled in time, and how"
          + " often its gates were shut or open."
    },
    footer = {
      "  unroll inspect",
      "  unroll inspect runs/novel chapter.txt --length 50000 --out chapter.html"
    })
final class InspectCommand implements Callable<Integer> {
  /** The default size of a page, for each {@link #CHARACTERS} of its text. */
  private static final double MEGABYTES = 2;

  private static final int CHARACTERS = 10_000;
  private static final double MOST_MEGABYTES = 16;

  @Spec CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "CHECKPOINT",
      description = "A checkpoint or the folder of a run (default: the newest below runs/).")
  Path checkpoint;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "TEXT",
      description =
          "A UTF-8 file or folder (default: the part of the run's text kept for validation).")
  Path text;

  @Option(
      names = "--length",
      paramLabel = "N",
      defaultValue = "10000",
      description = "Characters to read, from the beginning (default: ${DEFAULT-VALUE}).")
  int length;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "The page; an older one is replaced (default: inspect.html beside the checkpoint).")
  Path out;

  @Option(
      names = "--size",
      paramLabel = "MB",
      description =
          "About how large the page may become; units that follow nothing are left out first"
              + " (default: 2 for every 10000 characters, at most 16).")
  Double megabytes;

  @Mixin DeviceOptions device;

  @Override
  public Integer call() throws IOException {
    if (length < 2) {
      throw new InputException("--length must be at least 2, but is " + length);
    }
    if (megabytes != null && !(megabytes > 0)) {
      throw new InputException("--size must be above 0, but is " + megabytes);
    }
    Path file = Runs.checkpoint(checkpoint);
    try (Checkpoint read = Checkpoint.read(file);
        Backend backend = device.open(spec.commandLine().getErr());
        CharRnn model = CharRnn.load(read, backend)) {
      TextCorpus corpus = text == null ? heldBack(read) : Corpora.open(text);
      int[] ids = model.vocabulary().encode(corpus.text());
      ids = Arrays.copyOf(ids, Math.min(ids.length, length));
      requireRoom(model.config(), ids.length);
      InspectPage page = new InspectPage(corpus.name(), model, ids, Observation.of(model, ids));
      byte[] html = page.html(budget(ids.length)).getBytes(StandardCharsets.UTF_8);
      Path target = out == null ? file.resolveSibling("inspect.html") : out;
      AtomicFile.write(target, stream -> stream.write(html));
      spec.commandLine().getOut().println(summary(page, target));
    }
    return 0;
  }

  private static TextCorpus heldBack(Checkpoint checkpoint) throws IOException {
    TrainSettings settings = TrainSettings.fromJson(checkpoint.metadata(TrainSettings.KEY));
    TextCorpus corpus = Corpora.again(settings);
    int[] all = corpus.ids();
    int held = (int) Math.round(all.length * settings.validation());
    if (held < 2) {
      throw new InputException(
          "the run kept no text for validation; give a TEXT to read, or train with --validation");
    }
    int[] rest = Arrays.copyOfRange(all, all.length - held, all.length);
    return TextCorpus.fromString(corpus.name(), corpus.vocabulary().decode(rest));
  }

  private static void requireRoom(CharRnn.Config config, int characters) {
    long needed = Observation.bytes(config, characters);
    long heap = Runtime.getRuntime().maxMemory();
    if (needed > heap / 2) {
      throw new InputException(
          String.format(
              Locale.ROOT,
              "the states at %,d characters need %,d MB and as much again to work on, but Java may"
                  + " use %,d MB; lower --length, or start java with a larger -Xmx",
              characters,
              needed >> 20,
              heap >> 20));
    }
  }

  private long budget(int characters) {
    double usual = MEGABYTES * Math.max(1, Math.ceil((double) characters / CHARACTERS));
    return (long) (1e6 * (megabytes == null ? Math.min(MOST_MEGABYTES, usual) : megabytes));
  }

  private static String summary(InspectPage page, Path target) throws IOException {
    return String.format(
        Locale.ROOT,
        "%s%nwrote %s (%.1f MB, %d of %d units): open it in a browser",
        page.findings(),
        target,
        Files.size(target) / 1e6,
        page.unitsShown(),
        page.units());
  }
}
