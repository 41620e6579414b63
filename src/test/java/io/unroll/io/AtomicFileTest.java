package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void choosePath() {
    file = folder.resolve("점검점.bin");
  }

  @Test
  void writesANewFileAndReplacesAnOldOne() throws IOException {
    AtomicFile.write(file, out -> out.write(new byte[] {1, 2, 3}));
    AtomicFile.write(
        file,
        out -> {
          out.write('a');
          out.write(new byte[100_000]);
          out.close();
        });
    assertEquals(100_001, Files.size(file));
    assertOnlyFile();
  }

  @Test
  void theTargetChangesOnlyWhenAllIsWritten() throws IOException {
    Files.writeString(file, "old");
    AtomicFile.write(
        file,
        out -> {
          out.write("new content".getBytes(StandardCharsets.UTF_8));
          out.flush();
          assertEquals("old", Files.readString(file));
        });
    assertEquals("new content", Files.readString(file));
  }

  @Test
  void aFailureHalfWayLeavesTheOldFile() throws IOException {
    Files.writeString(file, "old");
    IOException cause = new IOException("cable pulled");
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write(new byte[100_000]);
                      throw cause;
                    }));
    assertEquals(cause, e.getCause());
    String message = e.getMessage();
    assertTrue(message.contains(file + " could not be written: cable pulled"), message);
    assertTrue(message.contains("the old file is untouched and the temporary"), message);
    assertEquals("old", Files.readString(file));
    assertOnlyFile();
  }

  @Test
  void aFailureWithoutAnOldFileLeavesNothing() throws IOException {
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      throw new IOException("cable pulled");
                    }));
    assertTrue(e.getMessage().contains("no file was created"), e.getMessage());
    assertFalse(Files.exists(file));
    assertEquals(List.of(), listing());
  }

  @Test
  void anExceptionOfTheContentPassesThrough() throws IOException {
    Files.writeString(file, "old");
    IllegalStateException thrown = new IllegalStateException("no weights");
    assertEquals(
        thrown,
        assertThrows(
            IllegalStateException.class,
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write(1);
                      throw thrown;
                    })));
    assertEquals("old", Files.readString(file));
    assertOnlyFile();
  }

  @Test
  void aFullDiskLeavesTheOldFile() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no /dev/full on this system");
    Files.writeString(file, "old");
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write(1);
                      try (OutputStream device = Files.newOutputStream(full)) {
                        device.write(1);
                      }
                    }));
    assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
    assertTrue(e.getMessage().contains("Check the free space"), e.getMessage());
    assertEquals("old", Files.readString(file));
    assertOnlyFile();
  }

  @Test
  void onlyRegularFilesAreReplaced() throws IOException {
    String message =
        assertThrows(IOException.class, () -> AtomicFile.write(folder, out -> {})).getMessage();
    assertTrue(message.contains("it is a folder"), message);
    Path nowhere = folder.resolve("absent/file");
    message =
        assertThrows(NoSuchFileException.class, () -> AtomicFile.write(nowhere, out -> {}))
            .getMessage();
    assertTrue(message.contains("there is no folder"), message);
    assertTrue(Files.isDirectory(folder));
  }

  @Test
  void aSymbolicLinkStaysALink() throws IOException {
    Files.writeString(file, "old");
    Path link = folder.resolve("latest");
    try {
      Files.createSymbolicLink(link, file.getFileName());
    } catch (IOException | UnsupportedOperationException e) {
      abort("this system refuses symbolic links: " + e);
    }
    AtomicFile.write(link, out -> out.write('n'));
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("n", Files.readString(file));
  }

  @Test
  void permissionsOfTheOldFileAreKept() throws IOException {
    assumeTrue(
        Files.getFileStore(folder).supportsFileAttributeView("posix"), "no POSIX permissions");
    Files.writeString(file, "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    AtomicFile.write(file, out -> out.write('n'));
    assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  private void assertOnlyFile() throws IOException {
    assertEquals(List.of(file), listing());
  }

  private List<Path> listing() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.collect(Collectors.toList());
    }
  }
}
