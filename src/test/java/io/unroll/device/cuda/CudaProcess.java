package io.unroll.device.cuda;

import io.unroll.Backend;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What {@link DriverLibraryTest} lets a process of its own do: look for CUDA, twice. */
public final class CudaProcess {
  private CudaProcess() {}

  /**
   * Prints what it finds, what it leaves among the temporary files, and where the next one goes.
   */
  public static void main(String[] args) throws IOException {
    for (int i = 0; i < 2; i++) {
      for (Backend.Availability found : Backend.list()) {
        if (found.name().equals("cuda")) {
          System.out.println((found.available() ? "available: " : "missing: ") + found.detail());
        }
      }
    }
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    try (Stream<Path> files = Files.list(temporary)) {
      List<String> names = files.map(file -> file.getFileName().toString()).sorted().toList();
      System.out.println("left: " + names);
    }
    Path next = File.createTempFile("next", null).toPath();
    System.out.println("next: " + next.getParent().equals(temporary));
    Files.delete(next);
  }
}
