package io.unroll.train;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.data.SequenceBatcher;
import io.unroll.data.Vocabulary;
import io.unroll.io.OnnxExport;
import io.unroll.io.Weights;
import io.unroll.nn.Embedding;
import io.unroll.nn.Indices;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Ops;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.RecurrentState;
import io.unroll.nn.Sampler;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A language model over characters: embedding or one-hot input, recurrent layers, linear. It learns
 * to predict the next character and then writes text of its own: Karpathy, "The unreasonable
 * effectiveness of recurrent neural networks", 2015.
 */
public final class CharRnn implements AutoCloseable {
  /**
   * The sizes of a model.
   *
   * @param cell the recurrent cell
   * @param hiddenSize units of a layer
   * @param layers recurrent layers
   * @param embeddingSize numbers that stand for a character at the input; 0 for one-hot vectors
   * @param dropout probability of dropping an output of a recurrent layer while training
   */
  public record Config(
      CellSpec cell, int hiddenSize, int layers, int embeddingSize, double dropout) {}

  private static final String CARRIED = "characters";

  private final Config config;
  private final Vocabulary vocabulary;
  private final Parameters parameters;
  private final Embedding embedding; // null if the input is one-hot
  private final Recurrent recurrent;
  private final Linear head;

  /**
   * A model with first weights.
   *
   * @param seed of the weights
   */
  public CharRnn(Backend backend, Vocabulary vocabulary, Config config, long seed) {
    this.config = config;
    this.vocabulary = vocabulary;
    this.parameters = new Parameters(backend, seed);
    boolean oneHot = config.embeddingSize() == 0;
    int inputSize = oneHot ? vocabulary.size() : config.embeddingSize();
    this.embedding =
        oneHot ? null : new Embedding(parameters, "embedding", vocabulary.size(), inputSize);
    this.recurrent =
        new Recurrent(
            parameters,
            "rnn",
            RecurrentConfig.of(config.cell(), inputSize, config.hiddenSize())
                .withLayers(config.layers())
                .withDropout(config.dropout()));
    this.head = new Linear(parameters, "head", config.hiddenSize(), vocabulary.size());
  }

  /**
   * The model of a checkpoint, with its weights.
   *
   * @throws FileFormatException if the checkpoint holds another model, or is damaged
   */
  public static CharRnn load(Checkpoint checkpoint, Backend backend) throws IOException {
    CharRnn model;
    try {
      Config config =
          new Config(
              CellSpec.of(checkpoint.metadata("model.cell")),
              Integer.parseInt(checkpoint.metadata("model.hidden_size")),
              Integer.parseInt(checkpoint.metadata("model.layers")),
              Integer.parseInt(checkpoint.metadata("model.embedding_size")),
              Double.parseDouble(checkpoint.metadata("model.dropout")));
      Vocabulary vocabulary = Vocabulary.fromSymbols(checkpoint.metadata("model.symbols"));
      model = new CharRnn(backend, vocabulary, config, 0);
    } catch (IllegalArgumentException e) {
      throw new FileFormatException(
          checkpoint.path(),
          "describes no character model: " + e.getMessage(),
          "Take another checkpoint; this one is damaged.",
          e);
    }
    try {
      checkpoint.restore(model.parameters);
      return model;
    } catch (IOException | RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /**
   * A model with weights from elsewhere, under the names {@code embedding.weight} (absent for
   * one-hot input), {@code rnn.weight_ih_l0} and so on, {@code head.weight} and {@code head.bias}.
   * A layer without any bias gets zeros.
   *
   * @param symbols the characters in the order of the numbers that the weights were trained with
   * @param cell tanh or relu, which have the same weights; null if these tell
   * @throws FileFormatException if a tensor is missing, belongs to nothing or does not fit
   * @throws IllegalArgumentException if a symbol is there twice
   */
  public static CharRnn of(Backend backend, Weights weights, String symbols, CellSpec cell)
      throws FileFormatException {
    Vocabulary vocabulary = CharRnnWeights.vocabulary(symbols);
    Config config = CharRnnWeights.config(weights, cell);
    CharRnn model = new CharRnn(backend, vocabulary, config, 0);
    try {
      CharRnnWeights.sorted(weights.withZeroBiases(model.parameters), symbols, vocabulary)
          .load(model.parameters);
      return model;
    } catch (FileFormatException | RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /**
   * The model as ONNX, ready to be written: {@code ids} int64[T,B] and the states {@code rnn.h_0}
   * (and {@code rnn.c_0}) [L,B,H] give the logits {@code y} [T,B,V] and {@code rnn.h_n} (and {@code
   * rnn.c_n}). Its metadata_props are {@link #metadata}.
   */
  public OnnxExport toOnnx() {
    OnnxExport onnx = OnnxExport.of(parameters);
    metadata().forEach(onnx::metadata);
    return (embedding == null ? onnx.oneHot(vocabulary.size()) : onnx.embedding("embedding"))
        .withStates()
        .recurrent("rnn", recurrent.config())
        .linear("head");
  }

  /** What {@link #load} needs to build this model again, for {@link Checkpoint.Writer#metadata}. */
  public Map<String, String> metadata() {
    // In an order of its own: that of Map.of differs from process to process, and so would files.
    Map<String, String> all = new LinkedHashMap<>();
    all.put("model.cell", config.cell().name());
    all.put("model.hidden_size", Integer.toString(config.hiddenSize()));
    all.put("model.layers", Integer.toString(config.layers()));
    all.put("model.embedding_size", Integer.toString(config.embeddingSize()));
    all.put("model.dropout", Double.toString(config.dropout()));
    all.put("model.symbols", vocabulary.symbols());
    return all;
  }

  /** Its sizes. */
  public Config config() {
    return config;
  }

  /** The characters it knows. */
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** Its weights. */
  public Parameters parameters() {
    return parameters;
  }

  /**
   * The logits of the next character after each character.
   *
   * @param characters [T,B]
   * @param state carried from the step before and left for the next
   * @return [T,B,V]
   */
  public Tensor logits(Indices characters, RecurrentState state) {
    return logits(read(characters, state));
  }

  /** The layers' part of {@link #logits(Indices, RecurrentState)}. */
  Recurrent.Output read(Indices characters, RecurrentState state) {
    Recurrent.Options carried = Recurrent.Options.carried(state);
    return embedding == null
        ? recurrent.forward(characters, carried)
        : recurrent.forward(embedding.forward(characters), carried);
  }

  /** What {@link #logits(Indices, RecurrentState)} makes of the layers' output. */
  Tensor logits(Recurrent.Output read) {
    return head.forward(Ops.dropout(read.y(), config.dropout()));
  }

  /** Zero states for rows of text that are followed over several steps. */
  public RecurrentState newState(int batch) {
    return recurrent.newState(batch);
  }

  /**
   * The task of predicting a text, cut into windows with carried state.
   *
   * @param ids the text as numbers of {@link #vocabulary}
   * @param steps characters of a window
   * @param batch streams side by side
   */
  public TextTask task(int[] ids, int steps, int batch) {
    return new TextTask(new SequenceBatcher(ids, steps, batch));
  }

  /**
   * Writes text.
   *
   * @param prime text to read first; empty to begin from a new line
   * @param length characters to write
   * @param sink receives each character as it is drawn
   * @throws IllegalArgumentException if the model does not know a character of prime
   * @throws TrainingDivergedException if a logit is NaN
   */
  public void sample(String prime, int length, Sampling sampling, Consumer<String> sink) {
    int[] first = prime.isEmpty() ? new int[] {firstCharacter()} : vocabulary.encode(prime);
    Backend backend = parameters.kernels().device();
    try (Tape tape = new Tape(backend);
        RecurrentState state = newState(1);
        Sampler sampler = new Sampler(backend, 1)) {
      for (int i = 0; i < length; i++) {
        tape.begin(Tape.Mode.EVALUATION);
        Indices read = i == 0 ? tape.indices(first, first.length, 1) : sampler.drawn(tape, 1, 1);
        Tensor all = logits(read, state);
        sampler.draw(Ops.slice(all, all.dim(0) - 1, 1), sampling, i);
        int drawn = sampler.toInts()[0];
        if (drawn < 0) {
          throw new TrainingDivergedException(
              "the model's output is NaN, so nothing can be drawn; use an earlier checkpoint");
        }
        sink.accept(vocabulary.decode(drawn));
      }
    }
  }

  private int firstCharacter() {
    return vocabulary.contains('\n') ? vocabulary.encode("\n")[0] : 0;
  }

  /** Frees its memory. */
  @Override
  public void close() {
    parameters.close();
  }

  /** Windows of a text and the loss of predicting them, in nats a character. */
  public final class TextTask implements Task, AutoCloseable {
    private final SequenceBatcher batcher;
    private final RecurrentState state;
    private final int[] inputs;
    private final int[] targets;
    private final int[] shape;

    private TextTask(SequenceBatcher batcher) {
      this.batcher = batcher;
      this.state = newState(batcher.batch());
      this.inputs = new int[batcher.steps() * batcher.batch()];
      this.targets = new int[inputs.length];
      this.shape = new int[] {batcher.steps(), batcher.batch()};
    }

    @Override
    public int batchesPerEpoch() {
      return batcher.batchesPerEpoch();
    }

    /** Characters of a batch, T*B. */
    public int charactersPerBatch() {
      return inputs.length;
    }

    @Override
    public void beginEpoch(int epoch) {
      state.clear();
    }

    @Override
    public Tensor loss(Tape tape, int epoch, int batch) {
      batcher.fill(batch, inputs, targets);
      Tensor logits = logits(tape.indices(inputs, shape), state);
      return Losses.crossEntropy(logits, tape.indices(targets, shape));
    }

    /** Adds the states at this place of the text to a checkpoint. */
    public Checkpoint.Writer addTo(Checkpoint.Writer writer) {
      return writer.carried(CARRIED, state);
    }

    /** Goes on from the place where a checkpoint was written. */
    public void restore(Checkpoint checkpoint) throws IOException {
      checkpoint.restore(CARRIED, state);
    }

    /** Frees its memory. */
    @Override
    public void close() {
      state.close();
    }
  }
}
