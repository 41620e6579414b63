package io.unroll.train;

import io.unroll.Backend;
import io.unroll.FileFormatException;
import io.unroll.ShapeException;
import io.unroll.data.Scaling;
import io.unroll.data.SequenceBatch;
import io.unroll.data.SequenceDataset;
import io.unroll.data.TokenVocabulary;
import io.unroll.io.OnnxExport;
import io.unroll.nn.Embedding;
import io.unroll.nn.Indices;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Ops;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentState;
import io.unroll.nn.Sampler;
import io.unroll.nn.Sampling;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A recurrent network from one end to the other: it reads text or measured numbers as they are, and
 * tells classes, the next token, or numbers in their own units. Its file holds all of that, so
 * whoever loads it needs nothing else:
 *
 * <pre>
 * try (Backend backend = Backend.openBest();
 *     Model model = Model.load(Path.of("sentiment.safetensors"), backend)) {
 *   String sentiment = model.classify("not a bad film at all");
 * }
 * </pre>
 *
 * <p>It is made of {@code embedding} (unless it reads vectors, or tokens as one-hot vectors), the
 * recurrent layers {@code rnn}, and the linear layer {@code head}; so begin the names of its
 * parameters. Its loss is what a {@link SequenceTask} takes.
 */
public final class Model implements AutoCloseable {
  private static final Recurrent.Options FULL_ROWS = Recurrent.Options.lengths(null);
  private static final int PREDICTED_TOGETHER = 64;

  private final ModelConfig config;
  private final Parameters parameters;
  private final Embedding embedding; // null without one
  private final Recurrent recurrent;
  private final Linear head;
  private float[] scaled = {};

  /**
   * How good a model is on data.
   *
   * @param loss mean over what counts: nats a class or token, or the squared error of scaled
   *     numbers
   * @param accuracy the share of classes or tokens where the most likely one is right; NaN for
   *     numbers
   * @param counted how many classes, tokens or numbers counted
   */
  public record Score(double loss, double accuracy, long counted) {}

  /**
   * A model with first weights.
   *
   * @param seed of the weights
   */
  public Model(Backend backend, ModelConfig config, long seed) {
    this.config = config;
    this.parameters = new Parameters(backend, seed);
    ModelConfig.Input input = config.input();
    this.embedding =
        input.embeddingSize() == 0
            ? null
            : new Embedding(
                parameters, "embedding", input.vocabulary().size(), input.embeddingSize());
    this.recurrent = new Recurrent(parameters, "rnn", config.recurrent());
    int width = config.recurrent().directions() * config.recurrent().hiddenSize();
    this.head = new Linear(parameters, "head", width, config.outputSize());
  }

  /**
   * The model of a file, with its weights.
   *
   * @throws FileFormatException if the file holds another kind of model, another version, or is
   *     damaged; the message names what
   * @throws IOException if it cannot be read
   */
  public static Model load(Path path, Backend backend) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.read(path)) {
      Model model = new Model(backend, ModelFile.read(checkpoint), 0);
      try {
        checkpoint.restore(model.parameters);
        return model;
      } catch (IOException | RuntimeException e) {
        model.close();
        throw e;
      }
    }
  }

  /**
   * Writes all that {@link #load} needs.
   *
   * @throws TrainingDivergedException if a weight is NaN or infinite; an older file stays
   * @throws IOException if it cannot be written; an older file stays
   */
  public void save(Path path) throws IOException {
    checkpoint().write(path);
  }

  /** What {@link #save} writes, to which a {@link Trainer} can be added to go on training. */
  public Checkpoint.Writer checkpoint() {
    Checkpoint.Writer writer = Checkpoint.of(parameters);
    metadata().forEach(writer::metadata);
    return writer;
  }

  /** What {@link #load} needs besides the weights. */
  public Map<String, String> metadata() {
    return ModelFile.metadata(config);
  }

  /**
   * The model as ONNX, ready to be written. It reads {@code ids} int64[T,B], or {@code x} float
   * [T,B,I] that is scaled already, and {@code lengths} int32[B], or a language model its states;
   * it gives {@code y}, what {@link #outputs} gives. How to scale, the vocabulary and the classes
   * are in the metadata_props.
   */
  public OnnxExport toOnnx() {
    return ModelExport.onnx(this);
  }

  /** What it is made of. */
  public ModelConfig config() {
    return config;
  }

  /** Its weights. */
  public Parameters parameters() {
    return parameters;
  }

  /** Its recurrent layers. */
  public Recurrent recurrent() {
    return recurrent;
  }

  /**
   * What the head gives for a batch: logits of classes or tokens, or scaled numbers.
   *
   * @param batch of the kind that the model reads; targets are not needed
   * @return [T,B,O] if it tells something at every step, else [B,O]
   * @throws ShapeException if it holds tokens instead of vectors, or vectors of another size
   * @throws IllegalArgumentException if a token is not in the vocabulary, or a number is missing
   *     and that is refused
   */
  public Tensor outputs(Tape tape, SequenceBatch batch) {
    boolean full = batch.lengths()[batch.batch() - 1] == batch.steps();
    Recurrent.Options rows =
        full ? FULL_ROWS : Recurrent.Options.lengths(tape.indices(batch.lengths(), batch.batch()));
    Recurrent.Output output =
        config.input().hasTokens()
            ? overTokens(tokens(tape, batch), rows)
            : recurrent.forward(vectors(tape, batch), rows);
    Tensor top = config.output().everyStep() ? output.y() : output.last();
    return head.forward(Ops.dropout(top, config.recurrent().dropout()));
  }

  /**
   * As {@link #outputs(Tape, SequenceBatch)} for tokens that go on where the last step ended; the
   * model must tell something at every step.
   *
   * @param tokens [T,B]
   * @param state carried from the step before and left for the next: see {@link Recurrent#newState}
   * @return [T,B,O]
   */
  public Tensor outputs(Indices tokens, RecurrentState state) {
    if (!config.input().hasTokens() || !config.output().everyStep()) {
      throw new IllegalStateException(
          "only a model that reads tokens and tells something at every step can carry its state");
    }
    Tensor y = overTokens(tokens, Recurrent.Options.carried(state)).y();
    return head.forward(Ops.dropout(y, config.recurrent().dropout()));
  }

  private Recurrent.Output overTokens(Indices tokens, Recurrent.Options options) {
    return embedding == null
        ? recurrent.forward(tokens, options)
        : recurrent.forward(embedding.forward(tokens), options);
  }

  private Indices tokens(Tape tape, SequenceBatch batch) {
    if (batch.tokens() == null) {
      throw new ShapeException(
          "the model reads tokens, but the batch holds vectors of " + batch.features());
    }
    return tape.indices(batch.tokens(), batch.steps(), batch.batch());
  }

  private Tensor vectors(Tape tape, SequenceBatch batch) {
    Scaling scaling = config.input().scaling();
    if (batch.inputs() == null || batch.features() != scaling.features()) {
      throw new ShapeException(
          "the model reads the features "
              + scaling.names()
              + ", but the batch holds "
              + (batch.inputs() == null ? "tokens" : "vectors of " + batch.features()));
    }
    int needed = Math.multiplyExact(batch.steps() * batch.batch(), scaling.inputSize());
    scaled = scaled.length < needed ? new float[needed] : scaled;
    scaling.apply(batch.inputs(), batch.lengths(), scaled);
    return tape.input(scaled, batch.steps(), batch.batch(), scaling.inputSize());
  }

  /**
   * The loss of a batch: cross-entropy of its classes or next tokens, or the squared error of its
   * scaled numbers; what is missing or padding does not count. This is a {@link SequenceTask.Loss}.
   *
   * @throws ShapeException if the batch does not have the input and the targets of this model
   * @throws IllegalArgumentException if a class or token does not exist
   */
  public Tensor loss(Tape tape, SequenceBatch batch) {
    requireTargets(batch);
    return loss(tape, outputs(tape, batch), batch);
  }

  private Tensor loss(Tape tape, Tensor outputs, SequenceBatch batch) {
    SequenceBatch.Targets targets = batch.targets();
    if (config.output().scaling() == null) {
      return Losses.crossEntropy(
          outputs, tape.indices(targets.classes(), targets.steps(), batch.batch()));
    }
    Scaling scaling = config.output().scaling();
    float[] wanted = new float[targets.values().length];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = scaling.scale(targets.values()[i], i % targets.size());
    }
    return Losses.meanSquaredError(
        outputs,
        tape.input(wanted, outputs.shape()),
        tape.input(batch.valueWeights(), outputs.shape()));
  }

  private void requireTargets(SequenceBatch batch) {
    SequenceBatch.Targets targets = batch.targets();
    boolean values = config.output().scaling() != null;
    int steps = config.output().everyStep() ? batch.steps() : 1;
    boolean good =
        targets != null
            && targets.steps() == steps
            && (values
                ? targets.values() != null && targets.size() == config.outputSize()
                : targets.classes() != null);
    if (!good) {
      throw new ShapeException(
          "the model learns "
              + (values ? config.outputSize() + " numbers" : "a class")
              + (config.output().everyStep() ? " for each step" : " for each sequence")
              + ", but the batch has "
              + (targets == null
                  ? "no targets"
                  : (targets.values() == null ? "classes" : targets.size() + " numbers")
                      + " for "
                      + targets.steps()
                      + " of "
                      + batch.steps()
                      + " steps"));
    }
  }

  /**
   * Measures the model.
   *
   * @param data with the targets of this model
   * @param batch sequences at a time
   */
  public Score score(SequenceDataset data, int batch) {
    double loss = 0;
    long counted = 0;
    long right = 0;
    try (Tape tape = new Tape(parameters.kernels().device())) {
      for (int[] numbers : data.inOrder(batch)) {
        SequenceBatch one = data.batch(numbers);
        requireTargets(one);
        tape.begin(Tape.Mode.EVALUATION);
        Tensor outputs = outputs(tape, one);
        Tensor mean = loss(tape, outputs, one);
        long here = counted(one);
        counted += here;
        loss += here == 0 ? 0 : here * mean.item();
        right += config.output().scaling() == null ? right(outputs.toFloats(), one) : 0;
      }
    }
    boolean values = config.output().scaling() != null;
    return new Score(loss / counted, values ? Double.NaN : (double) right / counted, counted);
  }

  private static long counted(SequenceBatch batch) {
    if (batch.targets().classes() != null) {
      return Arrays.stream(batch.targets().classes())
          .filter(c -> c != SequenceBatch.IGNORE)
          .count();
    }
    long known = 0;
    for (float weight : batch.valueWeights()) {
      known += weight > 0 ? 1 : 0;
    }
    return known;
  }

  private long right(float[] logits, SequenceBatch batch) {
    int size = config.outputSize();
    int[] classes = batch.targets().classes();
    long right = 0;
    for (int i = 0; i < classes.length; i++) {
      right += mostLikely(logits, i * size, size) == classes[i] ? 1 : 0;
    }
    return right;
  }

  private static int mostLikely(float[] values, int from, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      best = values[from + i] > values[from + best] ? i : best;
    }
    return best;
  }

  /**
   * What the model tells about each sequence, in the order of the dataset: probabilities of the
   * classes or of the next token, or numbers in their own units.
   *
   * @param data targets are not needed
   * @return for each sequence [T',O], T' its length if the model tells something at every step,
   *     else 1
   */
  public List<float[][]> predict(SequenceDataset data) {
    float[][][] all = new float[data.size()][][];
    int size = config.outputSize();
    try (Tape tape = new Tape(parameters.kernels().device())) {
      for (int[] numbers : data.inOrder(PREDICTED_TOGETHER)) {
        SequenceBatch batch = data.batch(numbers);
        tape.begin(Tape.Mode.EVALUATION);
        float[] outputs = outputs(tape, batch).toFloats();
        for (int b = 0; b < batch.batch(); b++) {
          float[][] rows = new float[config.output().everyStep() ? batch.lengths()[b] : 1][];
          for (int t = 0; t < rows.length; t++) {
            int from = (t * batch.batch() + b) * size;
            rows[t] = told(Arrays.copyOfRange(outputs, from, from + size));
          }
          all[batch.rows()[b]] = rows;
        }
      }
    }
    return List.of(all);
  }

  /** Turns what the head gave for one step into what it means, in place. */
  private float[] told(float[] row) {
    Scaling scaling = config.output().scaling();
    if (scaling != null) {
      for (int i = 0; i < row.length; i++) {
        row[i] = scaling.unscale(row[i], i);
      }
      return row;
    }
    double highest = row[mostLikely(row, 0, row.length)];
    double sum = 0;
    for (float logit : row) {
      sum += StrictMath.exp(logit - highest);
    }
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) (StrictMath.exp(row[i] - highest) / sum);
    }
    return row;
  }

  /**
   * As {@link #predict(SequenceDataset)} for one sequence of vectors.
   *
   * @param sequence [T][features], in their own units; NaN is missing
   * @return [T',O]
   */
  public float[][] predict(float[][] sequence) {
    return predict(SequenceDataset.ofIncomplete(List.<float[][]>of(sequence))).get(0);
  }

  /**
   * As {@link #predict(SequenceDataset)} for one text.
   *
   * @return [T',O], T the number of its tokens
   * @throws ShapeException if it has no token
   */
  public float[][] predict(String text) {
    return predict(SequenceDataset.ofTokens(List.of(vocabulary().encode(text)))).get(0);
  }

  /** The most likely class of a text. */
  public String classify(String text) {
    return names(predict(text), false).get(0);
  }

  /** The most likely class of a sequence of vectors [T][features]. */
  public String classify(float[][] sequence) {
    return names(predict(sequence), false).get(0);
  }

  /** The most likely class of each token of a text. */
  public List<String> classifySteps(String text) {
    return names(predict(text), true);
  }

  /** The most likely class of each step of a sequence of vectors [T][features]. */
  public List<String> classifySteps(float[][] sequence) {
    return names(predict(sequence), true);
  }

  private List<String> names(float[][] probabilities, boolean everyStep) {
    List<String> classes = config.output().classes();
    if (classes == null || config.output().everyStep() != everyStep) {
      throw new IllegalStateException(
          "the model does not tell a class for each "
              + (everyStep ? "step" : "sequence")
              + ": its output is "
              + config.output());
    }
    List<String> names = new ArrayList<>();
    for (float[] row : probabilities) {
      names.add(classes.get(mostLikely(row, 0, row.length)));
    }
    return names;
  }

  /**
   * Lets a language model write a sentence.
   *
   * @param beginning of the sentence; empty for none
   * @param most tokens to write, if the sentence does not end before
   * @param sampling how tokens are drawn; an unknown one is drawn again, as long as that helps
   * @return the beginning and what was written
   * @throws TrainingDivergedException if a logit is NaN
   */
  public String write(String beginning, int most, Sampling sampling) {
    int[] read = vocabulary().encodeSentence(beginning);
    read = Arrays.copyOf(read, read.length - 1);
    int[] written = Arrays.copyOf(read, read.length + most);
    int count = read.length;
    Backend backend = parameters.kernels().device();
    try (Tape tape = new Tape(backend);
        RecurrentState state = recurrent.newState(1);
        Sampler sampler = new Sampler(backend, 1)) {
      long draws = 0;
      while (count < written.length && written[count - 1] != TokenVocabulary.END) {
        tape.begin(Tape.Mode.EVALUATION);
        Tensor all = outputs(tape.indices(read, read.length, 1), state);
        Tensor last = Ops.slice(all, all.dim(0) - 1, 1);
        int drawn = TokenVocabulary.UNKNOWN;
        for (int i = 0; i < 16 && drawn == TokenVocabulary.UNKNOWN; i++) {
          sampler.draw(last, sampling, draws++);
          drawn = sampler.toInts()[0];
        }
        if (drawn < 0) {
          throw new TrainingDivergedException(
              "the model's output is NaN, so nothing can be drawn; use an earlier file");
        }
        read = new int[] {drawn};
        written[count++] = drawn;
      }
    }
    return vocabulary().decode(Arrays.copyOf(written, count));
  }

  private TokenVocabulary vocabulary() {
    if (!config.input().hasTokens()) {
      throw new IllegalStateException(
          "the model reads the features " + config.input().scaling().names() + " and no text");
    }
    return config.input().vocabulary();
  }

  /** Frees its memory. */
  @Override
  public void close() {
    parameters.close();
  }
}
