package io.unroll.examples;

import static io.unroll.examples.data.DigitImages.SIDE;

import io.unroll.Backend;
import io.unroll.examples.data.DigitImages;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Ops;
import io.unroll.nn.Parameters;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One to one: says which digit an image shows. There is no time in it, and so no recurrence: two
 * layers of {@link Linear} with a ReLU between them.
 */
public final class Digits implements Example {
  private static final int CLASSES = 10;
  private static final int PIXELS = SIDE * SIDE;
  private static final int MOST = 1000;
  private static final int SHOWN = 5;

  private record Network(Linear first, Linear second) {
    Tensor logits(Tape tape, DigitImages images) {
      Tensor x = tape.input(images.pixels(), images.digits().length, PIXELS);
      return second.forward(Ops.relu(first.forward(x)));
    }
  }

  /** Runs it: see {@link Examples#main(Example, String[])}. */
  public static void main(String[] args) {
    Examples.main(new Digits(), args);
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 2000, 64, 128);
  }

  @Override
  public Learned run(Setup setup) {
    try (Parameters parameters = new Parameters(setup.backend(), setup.seed());
        Tape tape = new Tape(setup.backend())) {
      Linear first = new Linear(parameters, "first", PIXELS, setup.hiddenSize());
      Linear second = new Linear(parameters, "second", setup.hiddenSize(), CLASSES);
      Network network = new Network(first, second);
      double[] losses;
      try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(0.001))) {
        losses = Examples.train(trainer, (t, step) -> loss(network, t, step, setup), setup.steps());
      }
      int count = setup.unseen(MOST);
      DigitImages unseen = DigitImages.draw(count, setup.unseenSeed());
      tape.begin(Tape.Mode.EVALUATION);
      int[] said = Examples.largest(network.logits(tape, unseen));
      int[] nearest = nearestMean(unseen, setup);
      return new Learned(
          losses,
          "accuracy on " + count + " unseen images",
          Examples.share(count, i -> said[i] == unseen.digits()[i]),
          "accuracy of the nearest mean image",
          Examples.share(count, i -> nearest[i] == unseen.digits()[i]),
          true,
          shown(unseen, said));
    }
  }

  private static Tensor loss(Network network, Tape tape, int step, Setup setup) {
    DigitImages images = DigitImages.draw(setup.batch(), setup.dataSeed(step));
    Tensor logits = network.logits(tape, images);
    return Losses.crossEntropy(logits, tape.indices(images.digits(), setup.batch()));
  }

  /** Says the digit whose mean over many images is nearest. */
  private static int[] nearestMean(DigitImages unseen, Setup setup) {
    DigitImages seen = DigitImages.draw(10_000, setup.dataSeed(0));
    double[][] means = new double[CLASSES][PIXELS];
    int[] counts = new int[CLASSES];
    for (int i = 0; i < seen.digits().length; i++) {
      double[] mean = means[seen.digits()[i]];
      counts[seen.digits()[i]]++;
      for (int p = 0; p < PIXELS; p++) {
        mean[p] += seen.pixels()[i * PIXELS + p];
      }
    }
    int[] said = new int[unseen.digits().length];
    for (int i = 0; i < said.length; i++) {
      double least = Double.POSITIVE_INFINITY;
      for (int c = 0; c < CLASSES; c++) {
        double distance = 0;
        for (int p = 0; p < PIXELS; p++) {
          double difference = unseen.pixels()[i * PIXELS + p] - means[c][p] / counts[c];
          distance += difference * difference;
        }
        if (distance < least) {
          least = distance;
          said[i] = c;
        }
      }
    }
    return said;
  }

  private static List<String> shown(DigitImages unseen, int[] said) {
    List<String> lines = new ArrayList<>(unseen.asText(0, SHOWN));
    lines.add("said " + Arrays.toString(Arrays.copyOf(said, SHOWN)));
    return lines;
  }
}
