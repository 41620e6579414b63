package io.unroll.benchmarks;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.Philox;
import io.unroll.data.Vocabulary;
import io.unroll.nn.Tape;
import io.unroll.train.CharRnn;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Milliseconds of one training step of a character model as Karpathy's char-rnn trains it, unless
 * told otherwise with two LSTM layers of 128 units, 50 streams of 50 characters, Adam, gradients
 * clipped by their norm. What is timed is {@link Trainer#train} for one step: batch, forward, loss,
 * backward, clip, update.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 10)
@Measurement(iterations = 5, time = 10)
public class CharRnnBenchmark {
  private static final long SEED = 1;
  private static final int WINDOWS = 20;

  /** The name of a cell. */
  @Param("lstm")
  public String cell;

  /** TxBxVxH, with V characters. */
  @Param("50x50x96x128")
  public String shape;

  /** Layers on top of each other. */
  @Param("2")
  public int layers;

  /** Numbers that stand for a character at the input; 0 for one-hot vectors. */
  @Param("64")
  public int embedding;

  /** What {@link Backend#open(String)} takes. */
  @Param("cpu")
  public String backend;

  private Backend device;
  private CharRnn model;
  private CharRnn.TextTask task;
  private Tape tape;
  private Trainer trainer;

  /** Builds the model and checks that it learns. */
  @Setup
  public void build() {
    String[] sizes = shape.split("x");
    int steps = Integer.parseInt(sizes[0]);
    int batch = Integer.parseInt(sizes[1]);
    device = Backend.open(backend);
    Vocabulary vocabulary = Vocabulary.fromSymbols(symbols(Integer.parseInt(sizes[2])));
    int hiddenSize = Integer.parseInt(sizes[3]);
    CharRnn.Config config = new CharRnn.Config(CellSpec.of(cell), hiddenSize, layers, embedding, 0);
    model = new CharRnn(device, vocabulary, config, SEED);
    task = model.task(text(vocabulary.size(), steps * batch), steps, batch);
    tape = new Tape(device, SEED);
    trainer = new Trainer(model.parameters(), tape, OptimizerConfig.adam(2e-3)).clipNorm(5);
    requireLearning();
  }

  /** So many characters from the space on. */
  private static String symbols(int count) {
    StringBuilder symbols = new StringBuilder();
    for (int i = 0; i < count; i++) {
      symbols.append((char) (' ' + i));
    }
    return symbols.toString();
  }

  /** A text in which some characters are more frequent than others. */
  private static int[] text(int symbols, int characters) {
    int[] ids = new int[WINDOWS * characters + 1];
    for (int i = 0; i < ids.length; i++) {
      float drawn = Philox.uniform(SEED, i);
      ids[i] = (int) (drawn * drawn * symbols);
    }
    return ids;
  }

  private void requireLearning() {
    double before = Trainer.evaluate(tape, task);
    trainer.train(task, null, WINDOWS);
    double after = Trainer.evaluate(tape, task);
    if (!(after < before)) {
      throw new IllegalStateException(
          "the loss is " + after + " after an epoch, and was " + before + " before");
    }
  }

  /** One step. */
  @Benchmark
  public long step() {
    trainer.train(task, null, trainer.step() + 1);
    device.synchronize();
    return trainer.step();
  }

  /** Frees the device. */
  @TearDown
  public void close() {
    trainer.close();
    tape.close();
    task.close();
    model.close();
    device.close();
  }
}
