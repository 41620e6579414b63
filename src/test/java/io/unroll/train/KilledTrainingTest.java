package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.data.TextCorpus;
import io.unroll.nn.Tape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training in a process of its own is killed again and again, at any moment, most of them while
 * it writes a checkpoint: there is always a readable one, and what comes out in the end is bit for
 * bit the training that nobody killed.
 */
class KilledTrainingTest {
  private static final int STEPS = 400;
  private static final int KILLS = 6;

  @TempDir Path folder;

  /** The process: trains to the end from where the checkpoint is, writing one after every step. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) throws IOException {
      Path path = Path.of(args[0]);
      TextCorpus corpus = TextCorpus.fromString("rhyme", "hickory dickory dock. ".repeat(40));
      CharRnn.Config config = new CharRnn.Config(CellSpec.GRU, 24, 1, 8, 0.1);
      try (Backend backend = Backend.open("cpu");
          CharRnn model = new CharRnn(backend, corpus.vocabulary(), config, 1);
          Tape tape = new Tape(backend, 2);
          CharRnn.TextTask task = model.task(corpus.ids(), 5, 4);
          Trainer trainer =
              new Trainer(model.parameters(), tape, OptimizerConfig.adam(0.003)).clipNorm(5)) {
        if (Files.exists(path)) {
          try (Checkpoint checkpoint = Checkpoint.read(path)) {
            checkpoint.restore(trainer);
            task.restore(checkpoint);
          }
        }
        trainer.listener(
            new TrainingListener() {
              @Override
              public void stepped(Progress progress) {
                save(model, task, trainer, path);
              }
            });
        trainer.train(task, null, STEPS);
      }
    }

    private static void save(CharRnn model, CharRnn.TextTask task, Trainer trainer, Path path) {
      try {
        Checkpoint.Writer writer = Checkpoint.of(model.parameters()).trainer(trainer);
        task.addTo(writer).write(path);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private Process start(Path checkpoint) throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    return new ProcessBuilder(
            java.toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Child.class.getName(),
            checkpoint.toString())
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("output.txt").toFile())
        .start();
  }

  private static long step(Path path) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.read(path)) {
      return Long.parseLong(checkpoint.metadata("trainer.step"));
    }
  }

  @Test
  @Timeout(value = 300, unit = TimeUnit.SECONDS)
  void resumesBitForBitHoweverOftenItIsKilled() throws IOException, InterruptedException {
    Path killed = folder.resolve("killed.safetensors");
    Path whole = folder.resolve("whole.safetensors");
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int kills = 0;
    long before = 0;
    while (kills < KILLS) {
      Process process = start(killed);
      while (process.isAlive() && (!Files.exists(killed) || step(killed) <= before)) {
        Thread.sleep(5);
      }
      boolean ended = process.waitFor(random.nextInt(120), TimeUnit.MILLISECONDS);
      process.destroyForcibly().waitFor();
      long now = step(killed);
      assertTrue(now > before, () -> "no progress; " + output() + ", seed " + seed);
      before = now;
      if (ended) {
        break;
      }
      kills++;
    }
    assertTrue(kills >= 2, "the training ended before it could be killed twice");
    assertEquals(0, finish(killed), this::output);
    assertEquals(0, finish(whole), this::output);
    assertEquals(STEPS, step(killed));
    assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(killed), () -> "seed " + seed);
  }

  private int finish(Path checkpoint) throws IOException, InterruptedException {
    return start(checkpoint).waitFor();
  }

  private String output() {
    try {
      return Files.readString(folder.resolve("output.txt"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
