package io.unroll.cli;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.unroll.CellSpec;
import io.unroll.train.CharRnn;
import io.unroll.train.LearningRate;
import io.unroll.train.OptimizerConfig;

/**
 * All that decides how a run goes on, and so what a checkpoint must remember; the options of {@code
 * train} say what each means.
 *
 * @param source absolute path of the text, or null for the embedded corpus
 * @param textHash of the whole text, so that a changed one is noticed
 */
record TrainSettings(
    String source,
    int textHash,
    String cell,
    int hidden,
    int layers,
    int embedding,
    double dropout,
    int seqLength,
    int batch,
    OptimizerConfig.Method optimizer,
    double learningRate,
    double weightDecay,
    double decay,
    int decayEvery,
    int decayAfter,
    double clipNorm,
    double clipValue,
    double validation,
    int evaluateEvery,
    int patience,
    long seed) {

  /** Its key in the metadata of a checkpoint. */
  static final String KEY = "train.settings";

  CharRnn.Config model() {
    return new CharRnn.Config(CellSpec.of(cell), hidden, layers, embedding, dropout);
  }

  /** The same settings for the sizes of a model that came from a checkpoint. */
  TrainSettings withModel(CharRnn.Config sizes) {
    return new TrainSettings(
        source,
        textHash,
        sizes.cell().name(),
        sizes.hiddenSize(),
        sizes.layers(),
        sizes.embeddingSize(),
        sizes.dropout(),
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
  }

  OptimizerConfig optimizerConfig() {
    OptimizerConfig usual = OptimizerConfig.of(optimizer, learningRate);
    return weightDecay < 0 ? usual : usual.withWeightDecay(weightDecay);
  }

  /** The learning rate over time; decay counts in epochs. */
  LearningRate schedule(int stepsPerEpoch) {
    return decay == 1
        ? LearningRate.constant(learningRate)
        : LearningRate.decaying(
            learningRate,
            decay,
            (long) decayEvery * stepsPerEpoch,
            (long) decayAfter * stepsPerEpoch);
  }

  String toJson() {
    return new Gson().toJson(this);
  }

  /**
   * @throws InputException if the text is no settings
   */
  static TrainSettings fromJson(String json) {
    try {
      return new Gson().fromJson(json, TrainSettings.class);
    } catch (JsonParseException e) {
      throw new InputException(
          "the checkpoint's settings cannot be read: " + e.getMessage() + "; take another one");
    }
  }
}
