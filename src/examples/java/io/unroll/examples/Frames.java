package io.unroll.examples;

import static io.unroll.examples.data.Videos.PIXELS;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.examples.data.Videos;
import io.unroll.nn.Indices;
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
import java.util.stream.IntStream;

/**
 * Many to many, in step: says of every frame of a video how the square in it moves. A layer looks
 * at each frame by itself, a GRU remembers, and a layer says the label while the video runs.
 */
public final class Frames implements Example {
  private static final int STEPS = 20;
  private static final double LEARNING_RATE = 0.003;
  private static final int MOST = 100;

  private record Network(Linear eye, Recurrent gru, Linear head) {
    static Network of(Parameters parameters, int hiddenSize) {
      return new Network(
          new Linear(parameters, "eye", PIXELS, hiddenSize),
          new Recurrent(
              parameters, "gru", RecurrentConfig.of(CellSpec.GRU, hiddenSize, hiddenSize)),
          new Linear(parameters, "head", hiddenSize, Videos.MOVES.size()));
    }

    /** The logits of every label at every frame, [T,B,5]. */
    Tensor logits(Tape tape, Videos videos, int batch) {
      Tensor frames = tape.input(videos.pixels(), STEPS, batch, PIXELS);
      return head.forward(gru.forward(Ops.relu(eye.forward(frames))).y());
    }
  }

  /** Runs it: see {@link Examples#main(Example, String[])}. */
  public static void main(String[] args) {
    Examples.main(new Frames(), args);
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 2000, 32, 96);
  }

  @Override
  public Learned run(Setup setup) {
    try (Parameters parameters = new Parameters(setup.backend(), setup.seed());
        Tape tape = new Tape(setup.backend())) {
      Network network = Network.of(parameters, setup.hiddenSize());
      double[] losses;
      try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(LEARNING_RATE))) {
        losses =
            Examples.train(
                trainer
                    .clipNorm(1)
                    .learningRate(LearningRate.cosine(LEARNING_RATE, 0, setup.steps())),
                (t, step) -> {
                  Videos videos = Videos.draw(STEPS, setup.batch(), setup.dataSeed(step));
                  return Losses.crossEntropy(
                      network.logits(t, videos, setup.batch()),
                      t.indices(videos.moves(), STEPS, setup.batch()));
                },
                setup.steps());
      }
      int count = setup.unseen(MOST);
      Videos unseen = Videos.draw(STEPS, count, setup.unseenSeed());
      tape.begin(Tape.Mode.EVALUATION);
      int[] said = Examples.largest(network.logits(tape, unseen, count));
      return new Learned(
          losses,
          "frames right, of " + count + " unseen videos",
          right(said, unseen.moves()),
          "the way of the brightest patch",
          right(unseen.followBrightest(), unseen.moves()),
          true,
          IntStream.range(0, 3)
              .mapToObj(
                  video ->
                      "moves "
                          + unseen.arrows(unseen.moves(), video)
                          + "\nsays  "
                          + unseen.arrows(said, video))
              .toList());
    }
  }

  /** Of the frames that have a label. */
  private static double right(int[] said, int[] moves) {
    int[] labelled =
        IntStream.range(0, moves.length).filter(i -> moves[i] != Indices.IGNORED).toArray();
    return Examples.share(labelled.length, i -> said[labelled[i]] == moves[labelled[i]]);
  }
}
