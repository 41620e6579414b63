package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.Backend;
import io.unroll.RequiredBackendsTest;
import io.unroll.nn.Sampling;
import io.unroll.train.CheckpointTest.Run;
import io.unroll.train.OptimizerConfig.Method;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What one backend began another goes on with, and the same seed is the same on all. */
class AcrossBackendsTest {
  private static final int SAVED = 13;
  private static final int STEPS = 29;

  /** Relative. First moments that are not restored make thirty times as much. */
  private static final double NEAR = 1e-4;

  @TempDir Path folder;

  static Stream<Arguments> pairs() {
    return RequiredBackendsTest.available()
        .flatMap(
            from ->
                RequiredBackendsTest.available()
                    .filter(to -> !to.equals(from))
                    .map(to -> Arguments.of(from, to)));
  }

  /** The loss of every step until the end. */
  private static List<Double> losses(Run run) {
    List<Double> losses = new ArrayList<>();
    run.trainer.listener(
        new TrainingListener() {
          @Override
          public void stepped(Progress progress) {
            losses.add(progress.loss());
          }
        });
    run.train(STEPS);
    return losses;
  }

  @ParameterizedTest(name = "{0} to {1}")
  @MethodSource("pairs")
  void checkpointGoesOnElsewhere(String from, String to) throws IOException {
    Path path = folder.resolve("saved.safetensors");
    try (Backend first = Backend.open(from);
        Backend second = Backend.open(to);
        Run begun = new Run(first, CheckpointTest.CONFIG, Method.ADAM);
        Run resumed = new Run(second, CheckpointTest.CONFIG, Method.ADAM)) {
      begun.train(SAVED);
      begun.save(path);
      resumed.restore(path);
      List<Double> expected = losses(begun);
      List<Double> found = losses(resumed);
      assertEquals(STEPS - SAVED, expected.size());
      assertEquals(expected.size(), found.size());
      for (int i = 0; i < found.size(); i++) {
        double loss = expected.get(i);
        assertEquals(loss, found.get(i), NEAR * loss, "step " + (SAVED + 1 + i));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.unroll.RequiredBackendsTest#judged")
  void sameSeedWritesTheSameText(String name) throws IOException {
    Path path = folder.resolve("model.safetensors");
    try (Backend backend = Backend.open("reference");
        Run run = new Run(backend, CheckpointTest.CONFIG, Method.ADAM)) {
      run.train(STEPS);
      run.save(path);
    }
    for (Sampling how : List.of(Sampling.seeded(3), new Sampling(0.7, 4, 8), Sampling.greedy())) {
      assertEquals(text("reference", path, how), text(name, path, how), how.toString());
    }
  }

  private static String text(String name, Path path, Sampling how) throws IOException {
    StringBuilder text = new StringBuilder();
    try (Backend backend = Backend.open(name);
        Checkpoint checkpoint = Checkpoint.read(path);
        CharRnn model = CharRnn.load(checkpoint, backend)) {
      model.sample("one ", 80, how, text::append);
    }
    return text.toString();
  }
}
