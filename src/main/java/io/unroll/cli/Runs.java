package io.unroll.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** Where runs leave their files. */
final class Runs {
  /** The name of a run's checkpoint in its folder. */
  static final String CHECKPOINT = "checkpoint.safetensors";

  private static final Path FOLDER = Path.of("runs");

  private Runs() {}

  /** Makes a new folder runs/NAME, or runs/NAME-2, -3 and so on. */
  static Path create(String name) throws IOException {
    Path folder = FOLDER.resolve(name);
    for (int i = 2; Files.exists(folder); i++) {
      folder = FOLDER.resolve(name + "-" + i);
    }
    Files.createDirectories(folder);
    return folder;
  }

  /**
   * Checks a folder that the user chose for a new run.
   *
   * @throws InputException if a run is already there
   */
  static void requireFree(Path chosen) {
    if (Files.exists(chosen.resolve(CHECKPOINT))) {
      throw new InputException(
          chosen
              + " already holds a checkpoint, and nothing is overwritten; go on by --resume "
              + chosen
              + ", or choose another --out");
    }
  }

  /** The checkpoint that a user means: a file, a run's folder, or for null the newest of runs/. */
  static Path checkpoint(Path chosen) throws IOException {
    if (chosen == null) {
      return newest()
          .orElseThrow(
              () ->
                  new InputException(
                      "there is no checkpoint below runs/; give one, or make one with \"unroll"
                          + " train\""));
    }
    Path file = Files.isDirectory(chosen) ? chosen.resolve(CHECKPOINT) : chosen;
    if (!Files.exists(file)) {
      throw new InputException(file + ": there is no such checkpoint; check the path");
    }
    return file;
  }

  private static Optional<Path> newest() throws IOException {
    if (!Files.isDirectory(FOLDER)) {
      return Optional.empty();
    }
    try (Stream<Path> folders = Files.list(FOLDER)) {
      return folders
          .map(folder -> folder.resolve(CHECKPOINT))
          .filter(Files::isRegularFile)
          .max(Comparator.comparing(file -> file.toFile().lastModified()));
    }
  }
}
