package io.unroll.examples;

import static io.unroll.examples.data.ToneSequences.BANDS;
import static io.unroll.examples.data.ToneSequences.CLASSES;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.examples.data.ToneSequences;
import io.unroll.nn.CtcDecoder;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.Metrics;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Many to many, unaligned: says which digits a recording speaks, without having been told where
 * they are. A GRU in both directions says for each frame which digit it hears, or none;
 * connectionist temporal classification adds up all the ways in which that reads as the digits.
 */
public final class SpokenDigits implements Example {
  private static final int MOST = 300;
  private static final int WIDTH = 8;
  private static final int SHOWN = 5;

  private record Network(Recurrent gru, Linear head) {
    Tensor logits(Tape tape, ToneSequences heard) {
      int batch = heard.lengths().length;
      Tensor x =
          tape.input(heard.energies(), heard.energies().length / batch / BANDS, batch, BANDS);
      Recurrent.Options lengths = Recurrent.Options.lengths(tape.indices(heard.lengths(), batch));
      return head.forward(gru.forward(x, lengths).y());
    }
  }

  /** Runs it: see {@link Examples#main(Example, String[])}. */
  public static void main(String[] args) {
    Examples.main(new SpokenDigits(), args);
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 600, 32, 48);
  }

  @Override
  public Learned run(Setup setup) {
    try (Parameters parameters = new Parameters(setup.backend(), setup.seed());
        Tape tape = new Tape(setup.backend())) {
      RecurrentConfig config = RecurrentConfig.of(CellSpec.GRU, BANDS, setup.hiddenSize());
      Recurrent gru = new Recurrent(parameters, "gru", config.withBidirectional(true));
      Linear head = new Linear(parameters, "head", 2 * setup.hiddenSize(), CLASSES);
      Network network = new Network(gru, head);
      double[] losses;
      try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(0.004))) {
        trainer.clipNorm(1);
        losses = Examples.train(trainer, (t, step) -> loss(network, t, step, setup), setup.steps());
      }
      int count = setup.unseen(MOST);
      ToneSequences unseen = ToneSequences.record(count, setup.unseenSeed());
      tape.begin(Tape.Mode.EVALUATION);
      CtcDecoder decoder = new CtcDecoder(0);
      Tensor logits = network.logits(tape, unseen);
      int[][] greedy = decoder.greedy(logits, unseen.lengths());
      int[][] beam =
          decoder.beam(logits, unseen.lengths(), WIDTH).stream()
              .map(readings -> readings.get(0).labels())
              .toArray(int[][]::new);
      int[][] nearest =
          unseen.nearestMeans(ToneSequences.record(setup.unseen(MOST), setup.dataSeed(0)));
      return new Learned(
          losses,
          "label error rate on " + count + " unseen recordings, beam of " + WIDTH,
          errorRate(beam, unseen),
          "label error rate of cutting at silence and taking the nearest mean",
          errorRate(nearest, unseen),
          false,
          shown(unseen, greedy, beam));
    }
  }

  private static Tensor loss(Network network, Tape tape, int step, Setup setup) {
    ToneSequences heard = ToneSequences.record(setup.batch(), setup.dataSeed(step));
    Tensor logits = network.logits(tape, heard);
    return Losses.ctc(logits, tape.indices(heard.lengths(), setup.batch()), heard.labels());
  }

  private static double errorRate(int[][] said, ToneSequences spoken) {
    return Metrics.tokenErrorRate(Arrays.asList(said), Arrays.asList(spoken.labels()));
  }

  private static List<String> shown(ToneSequences unseen, int[][] greedy, int[][] beam) {
    List<String> lines = new ArrayList<>();
    double rate = errorRate(greedy, unseen);
    lines.add(String.format(Locale.ROOT, "read greedily, the label error rate is %.4f", rate));
    for (int b = 0; b < Math.min(SHOWN, unseen.lengths().length); b++) {
      int frames = unseen.lengths()[b];
      String spoken = digits(unseen.labels()[b]);
      lines.add("%2d frames speak %s, heard %s".formatted(frames, spoken, digits(beam[b])));
    }
    return lines;
  }

  private static String digits(int[] classes) {
    return Arrays.stream(classes).mapToObj(c -> "" + (c - 1)).collect(Collectors.joining(" "));
  }
}
