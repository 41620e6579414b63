package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A training whose process is asked to end, as by Ctrl-C, saves itself and says how to go on. */
class InterruptedTrainingTest {
  @TempDir Path folder;

  @Test
  @Timeout(120)
  void savesAndSaysHowToGoOn() throws IOException, InterruptedException {
    Path text =
        Files.writeString(folder.resolve("rhyme.txt"), "three four open the door.\n".repeat(40));
    Path run = folder.resolve("run");
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "train",
                text.toString(),
                "--out=" + run,
                "--device=cpu",
                "--hidden=16",
                "--batch=4",
                "--seq-length=8",
                "--checkpoint-every=0",
                "--sample-every=0",
                "--minutes=10")
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    Path metrics = run.resolve("metrics.jsonl");
    while (process.isAlive() && (!Files.exists(metrics) || Files.size(metrics) == 0)) {
      Thread.sleep(20);
    }
    process.destroy();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> "still alive");
    String said = Files.readString(output);
    assertNotEquals(0, process.exitValue(), said);
    assertTrue(said.contains("interrupted"), said);
    assertTrue(said.contains("--resume " + run), said);
    assertNotNull(ImageIO.read(run.resolve("loss.png").toFile()), said);
    long step;
    try (Checkpoint saved = Checkpoint.read(run.resolve("checkpoint.safetensors"))) {
      step = Long.parseLong(saved.metadata("trainer.step"));
    }
    assertTrue(step >= 10, said);
    CommandRun.of("train", "--resume", run, "--steps", step + 2, "--sample-every", 0).succeeded();
    try (Checkpoint saved = Checkpoint.read(run.resolve("checkpoint.safetensors"))) {
      assertEquals(step + 2, Long.parseLong(saved.metadata("trainer.step")));
    }
  }
}
