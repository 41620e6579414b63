package io.unroll.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.UUID;

/**
 * Replaces a file in one step: whoever opens it, at any time and after any crash, finds the whole
 * old file or the whole new one.
 *
 * <p>The content goes to a temporary file {@code .unroll-*.tmp} in the same folder, is forced to
 * the disk, and is renamed over the target. A process that is killed may leave the temporary file.
 */
public final class AtomicFile {
  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    /**
     * @param out buffered; closing it is harmless and not needed
     * @throws IOException if it cannot be written; the target then stays as it was
     */
    void writeTo(OutputStream out) throws IOException;
  }

  private AtomicFile() {}

  /**
   * Writes a file, or leaves everything as it was. An existing target keeps its permissions where
   * the file system has POSIX ones; of a symbolic link, the file that it points to is replaced.
   *
   * @param target a path in an existing folder: a regular file, or nothing yet
   * @param content called once
   * @throws IOException if anything fails, a full disk included; the message says what became of
   *     the target, the cause says why. What else {@code content} throws passes through unchanged,
   *     with the target untouched and the temporary file removed.
   */
  public static void write(Path target, Content content) throws IOException {
    boolean exists = Files.exists(target);
    Path place = exists ? target.toRealPath() : target.toAbsolutePath();
    requireWritable(target, place, exists);
    Path temporary = place.resolveSibling(".unroll-" + UUID.randomUUID() + ".tmp");
    try {
      writeAndForce(temporary, content);
      if (exists) {
        copyPermissions(place, temporary);
      }
      Files.move(temporary, place, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      String removed = removeAfter(e, temporary);
      throw new IOException(
          target
              + " could not be written: "
              + reason(e)
              + "; "
              + (exists ? "the old file is untouched" : "no file was created")
              + " and "
              + removed
              + ". Check the free space and the permissions of "
              + place.getParent()
              + ", then write again.",
          e);
    } catch (RuntimeException | Error e) {
      removeAfter(e, temporary);
      throw e;
    }
    forceFolder(place.getParent());
  }

  private static void requireWritable(Path target, Path place, boolean exists) throws IOException {
    if (exists && !Files.isRegularFile(place)) {
      throw new IOException(
          target
              + " could not be written: it is "
              + (Files.isDirectory(place) ? "a folder" : "a device or a pipe")
              + ", and only a regular file can be replaced. Give the path of a file.");
    }
    Path folder = place.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new NoSuchFileException(
          target.toString(), null, "there is no folder " + folder + "; create it first");
    }
  }

  private static void writeAndForce(Path temporary, Content content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      try (OutputStream out = new Unclosable(Channels.newOutputStream(channel))) {
        content.writeTo(out);
      }
      channel.force(true);
    }
  }

  private static void copyPermissions(Path from, Path to) throws IOException {
    PosixFileAttributeView source = Files.getFileAttributeView(from, PosixFileAttributeView.class);
    if (source != null) {
      Files.setPosixFilePermissions(to, source.readAttributes().permissions());
    }
  }

  private static String removeAfter(Throwable failure, Path temporary) {
    try {
      Files.deleteIfExists(temporary);
      return "the temporary file was removed";
    } catch (IOException e) {
      failure.addSuppressed(e);
      return "the temporary file " + temporary + " could not be removed";
    }
  }

  private static String reason(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  /**
   * Makes the rename last. Windows and some network file systems refuse to force a folder; there a
   * power cut may bring back the old file, whole, which the contract allows: a refusal is no error.
   */
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException refused) {
      return;
    }
  }

  /** Image and JSON writers like to close what they write to; the channel must outlive that. */
  private static final class Unclosable extends BufferedOutputStream {
    Unclosable(OutputStream out) {
      super(out);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }
}
