package io.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PhysicalCoresTest {
  @TempDir Path folder;

  @Test
  void countsHardwareThreadsOfOneCoreOnce() throws IOException {
    processors("0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7");
    assertEquals(4, count("0-7", 8));
    assertEquals(3, count("0-1,3", 8));
    assertEquals(1, count("2,6", 8));
    assertEquals(2, count("0-7", 2));
  }

  @Test
  void whatLinuxDoesNotTellCountsAsCores() throws IOException {
    assertEquals(6, count("0-5", 6));
    processors("0", "1");
    assertEquals(2, count("none", 2));
    assertEquals(2, PhysicalCores.count(folder, folder.resolve("absent"), 2));
  }

  @Test
  void thisMachineHasOneAtLeast() {
    int cores = BackendOptions.DEFAULT.resolvedThreads();
    assertTrue(cores >= 1 && cores <= Runtime.getRuntime().availableProcessors(), "" + cores);
  }

  private int count(String allowed, int available) throws IOException {
    Path status = folder.resolve("status");
    Files.writeString(status, "Name:\tjava\nCpus_allowed_list:\t" + allowed + "\nThreads:\t3\n");
    return PhysicalCores.count(folder, status, available);
  }

  private void processors(String... siblings) throws IOException {
    for (int i = 0; i < siblings.length; i++) {
      Path topology = Files.createDirectories(folder.resolve("cpu" + i + "/topology"));
      Files.writeString(topology.resolve("thread_siblings_list"), siblings[i] + "\n");
    }
  }
}
