package io.unroll.examples;

import io.unroll.Backend;
import io.unroll.examples.data.Phrases;
import io.unroll.examples.data.Translations;
import io.unroll.nn.Attention;
import io.unroll.nn.BeamSearch;
import io.unroll.nn.Parameters;
import io.unroll.nn.Tape;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Many to many: translates dates in words to ISO 8601, or numbers to words in English or in Korean,
 * character by character. A decoder with attention is held against the same without.
 */
public final class Translate implements Example {
  private static final int BATCHES_UNSEEN = 4;
  private static final int WIDTH = 4;
  private static final int SHOWN = 3;

  private final Phrases phrases;

  /** Translates that kind of phrases. */
  public Translate(Phrases phrases) {
    this.phrases = phrases;
  }

  /**
   * Runs it: see {@link Examples#main(Example, String[])}. Before the options the kind of phrases
   * may stand, dates, English or Korean.
   */
  public static void main(String[] args) {
    boolean named = args.length > 0 && !args[0].startsWith("--");
    String kind = named ? args[0] : Phrases.DATES.name();
    Phrases phrases = Phrases.valueOf(kind.toUpperCase(Locale.ROOT));
    String[] options = List.of(args).subList(named ? 1 : 0, args.length).toArray(String[]::new);
    Examples.main(new Translate(phrases), options);
  }

  @Override
  public String name() {
    return "Translate" + phrases.title();
  }

  @Override
  public Setup usual(Backend backend, long seed) {
    return new Setup(backend, seed, 800, 64, 96);
  }

  /** What one network reached: losses, and the share of unseen phrases that it gets right. */
  private record Outcome(double[] losses, double greedy, double beam, List<String> shown) {}

  @Override
  public Learned run(Setup setup) {
    Outcome with = run(setup, Attention.Score.GENERAL);
    Outcome without = run(setup, null);
    List<String> shown = new ArrayList<>(with.shown);
    shown.add(
        String.format(
            Locale.ROOT, "greedily %.3f, without attention %.3f", with.greedy, without.greedy));
    return new Learned(
        with.losses,
        "exact translations of " + BATCHES_UNSEEN * setup.batch() + " unseen phrases",
        with.beam,
        "the same network without attention",
        without.beam,
        true,
        shown);
  }

  private Outcome run(Setup setup, Attention.Score score) {
    int count = BATCHES_UNSEEN * setup.batch();
    Translations unseen = Translations.draw(phrases, count, setup.unseenSeed(), true);
    try (Parameters parameters = new Parameters(setup.backend(), setup.seed());
        Tape tape = new Tape(setup.backend())) {
      EncoderDecoder network = new EncoderDecoder(parameters, unseen, setup.hiddenSize(), score);
      double[] losses;
      try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(0.003))) {
        losses =
            Examples.train(
                trainer.clipNorm(1),
                (t, step) ->
                    network.loss(
                        t, Translations.draw(phrases, setup.batch(), setup.dataSeed(step), false)),
                setup.steps());
      }
      return measure(network, tape, unseen, losses);
    }
  }

  private static Outcome measure(
      EncoderDecoder network, Tape tape, Translations unseen, double[] losses) {
    int longest = unseen.phrases().longest();
    BeamSearch search = new BeamSearch(unseen.start(), unseen.end(), WIDTH, longest);
    int[][] greedy = search.greedy(network.writer(tape, unseen), unseen.count());
    String[] written = Arrays.stream(greedy).map(unseen::text).toArray(String[]::new);
    String[] found = new String[written.length];
    List<String> shown = new ArrayList<>();
    for (int i = 0; i < found.length; i++) {
      BeamSearch.NextToken writer = network.writer(tape, unseen.row(i));
      found[i] = unseen.text(search.search(writer, 1).get(0).tokens());
      if (i < SHOWN) {
        shown.add(unseen.sources()[i] + " -> " + found[i]);
      }
    }
    String[] targets = unseen.targets();
    return new Outcome(
        losses,
        Examples.share(found.length, i -> written[i].equals(targets[i])),
        Examples.share(found.length, i -> found[i].equals(targets[i])),
        shown);
  }
}
