package io.unroll.cli;

import com.google.gson.Gson;
import io.unroll.Backend;
import io.unroll.data.TextCorpus;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import java.io.IOException;
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

/** Measures a trained char-rnn on a text. */
@Command(
    name = "eval",
    description = {
      "Measures how well a trained network predicts a text.",
      "",
      "Prints the loss in nats a character, the same in bits a character, and the perplexity: among"
          + " how many equally likely characters it would be as unsure."
    },
    footer = {"  unroll eval", "  unroll eval runs/novel other-novel.txt --json"})
final class EvalCommand implements Callable<Integer> {
  /** What is printed, and the keys of --json. */
  record Result(int characters, double loss, double bitsPerCharacter, double perplexity) {}

  /** Characters of a window where no run says it: as many as train takes. */
  private static final int USUAL_LENGTH = 50;

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
      names = "--batch",
      paramLabel = "B",
      defaultValue = "16",
      description =
          "Places of the text that are read side by side, each from an empty memory; 1 reads it in"
              + " one go (default: ${DEFAULT-VALUE}).")
  int batch;

  @Option(names = "--json", description = "Print one line of JSON.")
  boolean json;

  @Mixin DeviceOptions device;

  @Override
  public Integer call() throws IOException {
    if (batch < 1) {
      throw new InputException("--batch must be at least 1, but is " + batch);
    }
    try (Checkpoint file = Checkpoint.read(Runs.checkpoint(checkpoint))) {
      TrainSettings settings = settings(file);
      TextCorpus corpus = text == null ? Corpora.again(settings) : Corpora.open(text);
      try (Backend backend = device.open(spec.commandLine().getErr());
          CharRnn model = CharRnn.load(file, backend)) {
        int[] ids = model.vocabulary().encode(corpus.text());
        if (text == null) {
          int held = (int) Math.round(ids.length * settings.validation());
          ids = Arrays.copyOfRange(ids, ids.length - held, ids.length);
        }
        print(measure(model, ids, settings == null ? USUAL_LENGTH : settings.seqLength()));
      }
    }
    return 0;
  }

  /** Of the run, or null for a model that was imported. */
  private TrainSettings settings(Checkpoint file) {
    String json = file.metadata().get(TrainSettings.KEY);
    if (json == null && text == null) {
      throw new InputException(
          file.path() + " was imported and does not say what it learned from; give a TEXT");
    }
    return json == null ? null : TrainSettings.fromJson(json);
  }

  private Result measure(CharRnn model, int[] ids, int seqLength) {
    try (CharRnn.TextTask task = Evaluation.task(model, ids, seqLength, batch)) {
      if (task == null) {
        throw new InputException(
            "there is nothing to predict: the text has "
                + ids.length
                + " characters and needs at least 2; give a TEXT, or train with --validation");
      }
      double loss = Evaluation.loss(model, task);
      int characters = task.batchesPerEpoch() * task.charactersPerBatch();
      return new Result(characters, loss, loss / Math.log(2), Math.exp(loss));
    }
  }

  private void print(Result result) {
    spec.commandLine()
        .getOut()
        .println(
            json
                ? new Gson().toJson(result)
                : String.format(
                    Locale.ROOT,
                    "%,d characters: loss %.4f nats, %.4f bits a character, perplexity %.3f",
                    result.characters(),
                    result.loss(),
                    result.bitsPerCharacter(),
                    result.perplexity()));
  }
}
