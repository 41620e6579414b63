package io.unroll.device;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;

/**
 * A folder below {@code java.io.tmpdir}, whose name nobody can guess and which only this user may
 * enter, for libraries that are loaded from files. Closing deletes it; a library that is loaded
 * stays so, except on Windows, where a loaded file cannot be deleted and a later process does it.
 *
 * @param path the folder
 */
public record PrivateFolder(Path path) implements AutoCloseable {
  /** Older than a process needs between writing and loading its files. */
  private static final Duration LEFT_BEHIND = Duration.ofHours(1);

  /**
   * Makes one, and deletes what earlier processes could not.
   *
   * @param prefix of its name; no other program's
   * @throws IOException if it cannot be made
   */
  public static PrivateFolder create(String prefix) throws IOException {
    PrivateFolder folder = new PrivateFolder(Files.createTempDirectory(prefix));
    if (System.getProperty("os.name").startsWith("Windows")) {
      deleteLeftBehind(folder.path.getParent(), prefix);
    }
    return folder;
  }

  static void deleteLeftBehind(Path parent, String prefix) {
    FileTime limit = FileTime.from(Instant.now().minus(LEFT_BEHIND));
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, prefix + "*")) {
      for (Path folder : folders) {
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
            && Files.getLastModifiedTime(folder).compareTo(limit) < 0) {
          new PrivateFolder(folder).close();
        }
      }
    } catch (IOException e) {
      // What cannot be listed stays: it costs space, and loading goes on without it.
    }
  }

  /** Deletes the folder and the files in it, as far as the system allows. */
  @Override
  public void close() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // Loaded on Windows: the next process that makes such a folder deletes it.
    }
  }
}
