package io.unroll.examples;

import static io.unroll.examples.data.Scenes.LONGEST;
import static io.unroll.examples.data.Scenes.PIXELS;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.examples.data.Scenes;
import io.unroll.nn.Embedding;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Ops;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.LearningRate;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One to many: describes an image in a sentence. Two layers look at the image; what they see is the
 * first state of a GRU, which writes word after word, each from the one before.
 */
public final class Captions implements Example {
  private static final double LEARNING_RATE = 0.003;
  private static final int MOST = 500;

  private record Network(Linear eye, Linear start, Embedding words, Recurrent gru, Linear head) {
    static Network of(Parameters parameters, int hiddenSize) {
      int count = Scenes.WORDS.size();
      return new Network(
          new Linear(parameters, "eye", PIXELS, 2 * hiddenSize),
          new Linear(parameters, "start", 2 * hiddenSize, hiddenSize),
          new Embedding(parameters, "words", count, 16),
          new Recurrent(parameters, "gru", RecurrentConfig.of(CellSpec.GRU, 16, hiddenSize)),
          new Linear(parameters, "head", hiddenSize, count));
    }

    /** What it sees, as first state [1,B,H]. */
    Tensor look(Tape tape, Scenes scenes) {
      Tensor image = tape.input(scenes.pixels(), scenes.size(), PIXELS);
      Tensor seen = Ops.tanh(start.forward(Ops.relu(eye.forward(image))));
      return Ops.reshape(seen, 1, scenes.size(), seen.dim(-1));
    }

    /** Teacher forcing: each word from the right one before, so that one call runs all steps. */
    Tensor loss(Tape tape, Scenes scenes) {
      Tensor x = words.forward(tape.indices(scenes.before(), LONGEST, scenes.size()));
      Tensor y = gru.forward(x, Recurrent.Options.initial(look(tape, scenes))).y();
      return Losses.crossEntropy(
          head.forward(y), tape.indices(scenes.next(), LONGEST, scenes.size()));
    }

    /** Writes the likeliest word at every step and reads it at the next. */
    List<String> describe(Tape tape, Scenes scenes) {
      tape.begin(Tape.Mode.EVALUATION);
      Tensor state = look(tape, scenes);
      int[] last = new int[scenes.size()];
      Arrays.fill(last, Scenes.END);
      int[][] said = new int[scenes.size()][LONGEST];
      for (int t = 0; t < LONGEST; t++) {
        Tensor x = words.forward(tape.indices(last, 1, scenes.size()));
        Recurrent.Output output = gru.forward(x, Recurrent.Options.initial(state));
        state = output.hN();
        last = Examples.largest(head.forward(output.y()));
        for (int i = 0; i < last.length; i++) {
          said[i][t] = last[i];
        }
      }
      return Arrays.stream(said).map(Scenes::text).toList();
    }
  }

  /** Runs it: see {@link Examples#main(Example, String[])}. */
  public static void main(String[] args) {
    Examples.main(new Captions(), args);
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 3000, 64, 128);
  }

  @Override
  public Learned run(Setup setup) {
    try (Parameters parameters = new Parameters(setup.backend(), setup.seed());
        Tape tape = new Tape(setup.backend())) {
      Network network = Network.of(parameters, setup.hiddenSize());
      LearningRate rate = LearningRate.cosine(LEARNING_RATE, 0, setup.steps());
      double[] losses;
      try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(LEARNING_RATE))) {
        losses =
            Examples.train(
                trainer.clipNorm(1).learningRate(rate),
                (t, step) -> network.loss(t, Scenes.draw(setup.batch(), setup.dataSeed(step))),
                setup.steps());
      }
      int count = setup.unseen(MOST);
      Scenes unseen = Scenes.draw(count, setup.unseenSeed());
      List<String> said = network.describe(tape, unseen);
      Scenes seen = Scenes.draw(setup.unseen(5000), setup.dataSeed(0));
      return new Learned(
          losses,
          "whole sentences right, of " + count + " unseen images",
          Examples.share(count, i -> said.get(i).equals(unseen.text(i))),
          "the sentence of the nearest of " + seen.size() + " seen images",
          Examples.share(count, i -> seen.nearest(unseen, i).equals(unseen.text(i))),
          true,
          IntStream.range(0, 5)
              .mapToObj(i -> "image of " + unseen.text(i) + "\n    says \"" + said.get(i) + "\"")
              .toList());
    }
  }
}
