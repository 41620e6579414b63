package io.unroll.device.cpu;

import io.unroll.device.PrivateFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A library in a folder of its own. Closing deletes both; a library that is loaded stays so.
 *
 * @param folder where it lies
 * @param file the library
 */
record UnpackedLibrary(PrivateFolder folder, Path file) implements AutoCloseable {
  private static final String PREFIX = "unroll-cpu-";

  /**
   * Writes the library and reads it again.
   *
   * @param library its content
   * @param sha256 of the content, in hexadecimal digits
   * @param name of the file
   * @throws IOException if it cannot be written, or what was written has another SHA-256
   */
  static UnpackedLibrary of(byte[] library, String sha256, String name) throws IOException {
    PrivateFolder folder = PrivateFolder.create(PREFIX);
    Path file = folder.path().resolve(name);
    try {
      Files.write(file, library, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      String found = sha256(Files.readAllBytes(file));
      if (!found.equals(sha256)) {
        throw new IOException(
            "the unpacked library is damaged: its SHA-256 is " + found + ", not " + sha256);
      }
      return new UnpackedLibrary(folder, file);
    } catch (IOException e) {
      folder.close();
      throw e;
    }
  }

  @Override
  public void close() {
    folder.close();
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
