package io.unroll.examples;

import io.unroll.Backend;
import io.unroll.examples.data.Phrases;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.Task;
import io.unroll.train.Trainer;
import io.unroll.train.TrainingListener;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** The examples, and what they share. */
public final class Examples {
  private static final String USAGE =
      "options: --device NAME (best), --seed N (1), --steps N (those of the example)";

  private Examples() {}

  /** All of them, simple ones first. */
  public static List<Example> all() {
    return List.of(
        new Digits(),
        new Captions(),
        new Sentiment(),
        new Translate(Phrases.DATES),
        new Translate(Phrases.ENGLISH),
        new Translate(Phrases.KOREAN),
        new Frames(),
        new SpokenDigits(),
        new Characters(),
        new WordModel(),
        new Forecast());
  }

  /** Builds the loss of a batch that is made for this step alone. */
  @FunctionalInterface
  public interface FreshBatch {
    /**
     * The loss of new data, on a tape whose step has begun.
     *
     * @param step updates made before; the seed of the data together with that of the setup
     * @return one element
     */
    Tensor loss(Tape tape, int step);
  }

  /**
   * Trains and returns the loss of every step.
   *
   * @param task an epoch of which may be short: it is run as often as the steps need
   */
  public static double[] train(Trainer trainer, Task task, int steps) {
    double[] losses = new double[steps];
    TrainingListener keep =
        new TrainingListener() {
          @Override
          public void stepped(Progress progress) {
            losses[(int) progress.step() - 1] = progress.loss();
          }
        };
    trainer.listener(keep).train(task, null, steps);
    return losses;
  }

  /** Trains on data that never repeats and returns the loss of every step. */
  public static double[] train(Trainer trainer, FreshBatch batches, int steps) {
    Task task =
        new Task() {
          @Override
          public int batchesPerEpoch() {
            return 1;
          }

          @Override
          public Tensor loss(Tape tape, int epoch, int batch) {
            return batches.loss(tape, epoch);
          }
        };
    return train(trainer, task, steps);
  }

  /** The class of the largest logit of each row. */
  public static int[] largest(Tensor logits) {
    float[] values = logits.toFloats();
    int classes = logits.dim(-1);
    int[] largest = new int[values.length / classes];
    for (int row = 0; row < largest.length; row++) {
      for (int c = 1; c < classes; c++) {
        if (values[row * classes + c] > values[row * classes + largest[row]]) {
          largest[row] = c;
        }
      }
    }
    return largest;
  }

  /** The share of count cases that are right. */
  public static double share(int count, IntPredicate right) {
    return (double) IntStream.range(0, count).filter(right).count() / count;
  }

  /** The command line of an example: runs it and prints what it learned. */
  public static void main(Example example, String[] args) {
    String device = option(args, "--device", "best");
    long seed = Long.parseLong(option(args, "--seed", "1"));
    try (Backend backend = device.equals("best") ? Backend.openBest() : Backend.open(device)) {
      Setup usual = example.usual(backend, seed);
      int steps = Integer.parseInt(option(args, "--steps", Integer.toString(usual.steps())));
      long start = System.nanoTime();
      Learned learned = example.run(usual.withSteps(steps));
      System.out.printf(
          Locale.ROOT,
          "%s, %d steps in %.1f s on %s%n",
          example.name(),
          steps,
          (System.nanoTime() - start) / 1e9,
          backend.description());
      print(learned);
    }
  }

  /** The file that stands before the options of an example that can read one, or null. */
  static Path file(String[] args) {
    return hasFile(args) ? Path.of(args[0]) : null;
  }

  /** The arguments behind {@link #file}. */
  static String[] options(String[] args) {
    return hasFile(args) ? Arrays.copyOfRange(args, 1, args.length) : args;
  }

  private static boolean hasFile(String[] args) {
    return args.length > 0 && !args[0].startsWith("--");
  }

  private static void print(Learned learned) {
    double[] losses = learned.losses();
    System.out.printf(
        Locale.ROOT,
        "loss %.4f to %.4f%n%s: %.4f%n%s: %.4f%n",
        losses[0],
        losses[losses.length - 1],
        learned.measure(),
        learned.reached(),
        learned.baseline(),
        learned.baselineReached());
    learned.shown().forEach(System.out::println);
  }

  private static String option(String[] args, String name, String otherwise) {
    String value = otherwise;
    for (int i = 0; i < args.length; i += 2) {
      if (!List.of("--device", "--seed", "--steps").contains(args[i]) || i + 1 == args.length) {
        throw new IllegalArgumentException(
            "\"" + args[i] + "\" is no option with a value; " + USAGE);
      }
      if (args[i].equals(name)) {
        value = args[i + 1];
      }
    }
    return value;
  }
}
