package io.unroll.cli;

import io.unroll.CellSpec;
import io.unroll.train.OptimizerConfig;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The options of {@code train} that are settings of the run. */
final class TrainOptions {
  private static final String DEFAULT = " (default: ${DEFAULT-VALUE}).";

  @Spec(Target.MIXEE)
  CommandSpec command;

  @Option(
      names = "--cell",
      paramLabel = "CELL",
      defaultValue = "lstm",
      converter = CellConverter.class,
      completionCandidates = CellConverter.Names.class,
      description = "Recurrent cell: ${COMPLETION-CANDIDATES}" + DEFAULT)
  CellSpec cell;

  @Option(
      names = "--hidden",
      paramLabel = "H",
      defaultValue = "128",
      description = "Units of a layer" + DEFAULT)
  int hidden;

  @Option(
      names = "--layers",
      paramLabel = "N",
      defaultValue = "2",
      description = "Recurrent layers" + DEFAULT)
  int layers;

  @Option(
      names = "--embedding",
      paramLabel = "E",
      defaultValue = "64",
      description =
          "Numbers that stand for a character at the input; 0 for one-hot vectors" + DEFAULT)
  int embedding;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      defaultValue = "0",
      description = "Probability of dropping a layer's output while training" + DEFAULT)
  double dropout;

  @Option(
      names = "--seq-length",
      paramLabel = "T",
      defaultValue = "50",
      description = "Characters that gradients flow back through" + DEFAULT)
  int seqLength;

  @Option(
      names = "--batch",
      paramLabel = "B",
      defaultValue = "24",
      description = "Places of the text that are read side by side" + DEFAULT)
  int batch;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      defaultValue = "adam",
      description = "Optimizer: ${COMPLETION-CANDIDATES}, in upper or lower case" + DEFAULT)
  OptimizerConfig.Method optimizer;

  @Option(
      names = "--learning-rate",
      paramLabel = "RATE",
      defaultValue = "0.004",
      description = "Step size of the optimizer" + DEFAULT)
  double learningRate;

  @Option(
      names = "--weight-decay",
      paramLabel = "L",
      defaultValue = "-1",
      description =
          "L2 penalty on the weights; -1 for the optimizer's own: 0, adamw 0.01" + DEFAULT)
  double weightDecay;

  @Option(
      names = "--decay",
      paramLabel = "FACTOR",
      defaultValue = "1",
      description = "Multiplies the learning rate now and then; 1 for never" + DEFAULT)
  double decay;

  @Option(
      names = "--decay-every",
      paramLabel = "EPOCHS",
      defaultValue = "1",
      description = "How often --decay applies" + DEFAULT)
  int decayEvery;

  @Option(
      names = "--decay-after",
      paramLabel = "EPOCHS",
      defaultValue = "10",
      description = "Epochs at the full learning rate before --decay begins" + DEFAULT)
  int decayAfter;

  @Option(
      names = "--clip-norm",
      paramLabel = "NORM",
      defaultValue = "5",
      description = "Largest global norm of the gradients; 0 for any" + DEFAULT)
  double clipNorm;

  @Option(
      names = "--clip-value",
      paramLabel = "LIMIT",
      defaultValue = "0",
      description = "Largest absolute value of a gradient; 0 for any" + DEFAULT)
  double clipValue;

  @Option(
      names = "--validation",
      paramLabel = "FRACTION",
      defaultValue = "0.05",
      description = "Part at the end of the text that is kept for validation; 0 for none" + DEFAULT)
  double validation;

  @Option(
      names = "--evaluate-every",
      paramLabel = "STEPS",
      defaultValue = "200",
      description = "Steps from one measurement on the validation part to the next" + DEFAULT)
  int evaluateEvery;

  @Option(
      names = "--patience",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Stop after so many measurements in a row without a new lowest loss; 0 for never"
              + DEFAULT)
  int patience;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Of the first weights and of dropout: the same seed, the same run" + DEFAULT)
  long seed;

  private static final List<String> MODEL =
      List.of("--cell", "--hidden", "--layers", "--embedding", "--dropout");

  private static final List<String> RUN =
      List.of(
          "--seq-length",
          "--batch",
          "--optimizer",
          "--learning-rate",
          "--weight-decay",
          "--decay",
          "--decay-every",
          "--decay-after",
          "--clip-norm",
          "--clip-value",
          "--validation",
          "--evaluate-every",
          "--patience",
          "--seed");

  /** Throws if an option was given that {@code --resume} or {@code --init-from} decides. */
  void requireUnset(String decidedBy, boolean wholeRun) {
    requireUnset(MODEL, decidedBy);
    if (wholeRun) {
      requireUnset(RUN, decidedBy);
    }
  }

  private void requireUnset(List<String> names, String decidedBy) {
    for (String name : names) {
      if (command.commandLine().getParseResult().hasMatchedOption(name)) {
        throw new InputException(
            name
                + " cannot be given with "
                + decidedBy
                + ": the checkpoint decides it; leave it out");
      }
    }
  }

  /** The settings of a new run on a text. */
  TrainSettings settings(String source, int textHash) {
    TrainSettings settings =
        new TrainSettings(
            source,
            textHash,
            cell.name(),
            hidden,
            layers,
            embedding,
            dropout,
            seqLength,
            batch,
            optimizer,
            learningRate,
            weightDecay,
            decay,
            decayEvery,
            decayAfter,
            clipNorm,
            clipValue,
            validation,
            evaluateEvery,
            patience,
            seed);
    requireAtLeast("--hidden", hidden, 1);
    requireAtLeast("--layers", layers, 1);
    requireAtLeast("--embedding", embedding, 0);
    requireAtLeast("--seq-length", seqLength, 1);
    requireAtLeast("--batch", batch, 1);
    requireAtLeast("--evaluate-every", evaluateEvery, 1);
    requireAtLeast("--patience", patience, 0);
    requireAtLeast("--decay-every", decayEvery, 1);
    requireAtLeast("--decay-after", decayAfter, 0);
    if (!(dropout >= 0 && dropout < 1)) {
      throw new InputException("--dropout must be at least 0 and below 1, but is " + dropout);
    }
    if (!(decay > 0 && decay <= 1)) {
      throw new InputException("--decay must be above 0 and at most 1, but is " + decay);
    }
    if (!(validation >= 0 && validation < 1)) {
      throw new InputException("--validation must be at least 0 and below 1, but is " + validation);
    }
    settings.optimizerConfig();
    return settings;
  }

  private static void requireAtLeast(String name, int value, int least) {
    if (value < least) {
      throw new InputException(name + " must be at least " + least + ", but is " + value);
    }
  }
}
