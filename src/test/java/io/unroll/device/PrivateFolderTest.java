package io.unroll.device;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateFolderTest {
  @TempDir Path parent;

  @Test
  void deletesWhatEarlierProcessesOnWindowsLeft() throws IOException {
    Map<String, Duration> ages =
        Map.of(
            "ours-1", Duration.ofHours(2),
            "ours-2", Duration.ofMinutes(1),
            "another-3", Duration.ofHours(2));
    for (Map.Entry<String, Duration> age : ages.entrySet()) {
      Path folder = Files.createDirectory(parent.resolve(age.getKey()));
      Files.writeString(folder.resolve("library.dll"), "content");
      Files.setLastModifiedTime(folder, FileTime.from(Instant.now().minus(age.getValue())));
    }
    PrivateFolder.deleteLeftBehind(parent, "ours-");
    assertFalse(Files.exists(parent.resolve("ours-1")));
    assertTrue(Files.exists(parent.resolve("ours-2/library.dll")));
    assertTrue(Files.exists(parent.resolve("another-3/library.dll")));
  }
}
