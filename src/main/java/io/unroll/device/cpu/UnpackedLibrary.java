package io.unroll.device.cpu;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;

/**
 * A library in a folder of its own below {@code java.io.tmpdir}, whose name nobody can guess and
 * which only this user may enter. Closing deletes both; a library that is loaded stays so, except
 * on Windows, where a loaded file cannot be deleted and a later process does it.
 *
 * @param file the library
 */
record UnpackedLibrary(Path file) implements AutoCloseable {
  private static final String PREFIX = "unroll-cpu-";

  /** Older than a process needs between writing and loading its file. */
  private static final Duration LEFT_BEHIND = Duration.ofHours(1);

  /**
   * Writes the library and reads it again.
   *
   * @param library its content
   * @param sha256 of the content, in hexadecimal digits
   * @param name of the file
   * @throws IOException if it cannot be written, or what was written has another SHA-256
   */
  static UnpackedLibrary of(byte[] library, String sha256, String name) throws IOException {
    // Where there are owners and permissions, the folder is its owner's alone.
    Path folder = Files.createTempDirectory(PREFIX);
    UnpackedLibrary unpacked = new UnpackedLibrary(folder.resolve(name));
    try {
      Files.write(unpacked.file, library, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      String found = sha256(Files.readAllBytes(unpacked.file));
      if (!found.equals(sha256)) {
        throw new IOException(
            "the unpacked library is damaged: its SHA-256 is " + found + ", not " + sha256);
      }
    } catch (IOException e) {
      unpacked.close();
      throw e;
    }
    if (name.endsWith(".dll")) {
      deleteLeftBehind(folder.getParent(), name);
    }
    return unpacked;
  }

  @Override
  public void close() {
    delete(file);
  }

  /** Deletes what earlier processes had to leave; files that are in use refuse to be deleted. */
  static void deleteLeftBehind(Path parent, String name) {
    FileTime limit = FileTime.from(Instant.now().minus(LEFT_BEHIND));
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path folder : folders) {
        Path file = folder.resolve(name);
        if (Files.exists(file) && Files.getLastModifiedTime(file).compareTo(limit) < 0) {
          delete(file);
        }
      }
    } catch (IOException e) {
      // What cannot be listed stays: it costs space, and loading goes on without it.
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
      Files.deleteIfExists(file.getParent());
    } catch (IOException e) {
      // Loaded on Windows; deleteLeftBehind is for these.
    }
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
