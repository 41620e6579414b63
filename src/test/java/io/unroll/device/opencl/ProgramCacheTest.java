package io.unroll.device.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProgramCacheTest {
  private static final long ROOM = 1 << 20;

  @TempDir Path folder;

  private ProgramCache cache(long limit) {
    return new ProgramCache(folder.resolve("a").resolve("b"), limit);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("a").resolve("b"))) {
      return files.sorted().toList();
    }
  }

  @Test
  void givesBackWhatWasKept() throws IOException {
    assertNull(cache(ROOM).load("key"));
    cache(ROOM).store("key", new byte[] {1, 2, 3});
    assertArrayEquals(new byte[] {1, 2, 3}, cache(ROOM).load("key"));
    assertNull(cache(ROOM).load("other"));
    cache(ROOM).store("key", new byte[0]);
    assertArrayEquals(new byte[0], cache(ROOM).load("key"));
    assertEquals(1, files().size(), "files that were written halfway are left");
  }

  @Test
  void withoutAFolderItKeepsNothing() {
    ProgramCache off = new ProgramCache(null, ROOM);
    off.store("key", new byte[] {1});
    assertNull(off.load("key"));
  }

  /** Every byte is watched, and a file that ends early. */
  @ParameterizedTest
  @ValueSource(ints = {0, 31, 32, 34, -1, -35})
  void aDamagedFileIsNotUsed(int at) throws IOException {
    cache(ROOM).store("key", new byte[] {1, 2, 3});
    Path file = files().get(0);
    byte[] content = Files.readAllBytes(file);
    if (at >= 0) {
      content[at] ^= 4;
      Files.write(file, content);
    } else {
      Files.write(file, java.util.Arrays.copyOf(content, content.length + at));
    }
    assertNull(cache(ROOM).load("key"));
    assertEquals(List.of(), files());
    cache(ROOM).store("key", new byte[] {5});
    assertArrayEquals(new byte[] {5}, cache(ROOM).load("key"));
  }

  @Test
  void theLongestUnusedGo() throws IOException {
    ProgramCache cache = cache(350);
    for (int i = 0; i < 3; i++) {
      cache.store("key" + i, new byte[68]);
      Path file = folder.resolve("a/b/key" + i + ".bin");
      Files.setLastModifiedTime(file, FileTime.fromMillis(1000L * i));
    }
    cache.load("key0");
    cache.store("key3", new byte[68]);
    assertEquals(
        List.of("key0.bin", "key2.bin", "key3.bin"),
        files().stream().map(file -> file.getFileName().toString()).toList());
  }

  /** Nobody else may plant a program here. */
  @Test
  void onlyTheOwnerMayEnter() throws IOException {
    cache(ROOM).store("key", new byte[1]);
    Path made = folder.resolve("a").resolve("b");
    Assumptions.assumeTrue(
        Files.getFileAttributeView(made, PosixFileAttributeView.class) != null,
        "this file system has no permissions");
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(made)));
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(files().get(0))));
  }

  @Test
  void aFolderThatCannotBeMadeCostsNothingButTheCache() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    ProgramCache cache = new ProgramCache(file, ROOM);
    cache.store("key", new byte[] {1});
    assertNull(cache.load("key"));
  }

  /** As several processes do: a reader sees one of the binaries, whole, or none. */
  @Test
  void writersAndReadersDoNotMeet() {
    byte[][] binaries = {new byte[100_000], new byte[50_000]};
    java.util.Arrays.fill(binaries[1], (byte) 7);
    List<CompletableFuture<Void>> workers =
        IntStream.range(0, 4)
            .mapToObj(
                worker ->
                    CompletableFuture.runAsync(
                        () -> {
                          for (int i = 0; i < 50; i++) {
                            ProgramCache cache = cache(ROOM);
                            cache.store("key", binaries[worker % 2]);
                            byte[] found = cache.load("key");
                            assertTrue(
                                found != null && found.length >= 50_000,
                                "a binary that was kept is not there");
                          }
                        }))
            .toList();
    workers.forEach(CompletableFuture::join);
  }

  @Test
  void everyTextOfAKeyCounts() {
    assertEquals(ProgramCache.key("a", "b"), ProgramCache.key("a", "b"));
    assertNotEquals(ProgramCache.key("a", "b"), ProgramCache.key("b", "a"));
    assertNotEquals(ProgramCache.key("ab", ""), ProgramCache.key("a", "b"));
  }

  @ParameterizedTest
  @CsvSource({
    "Linux, , , /h/.cache/unroll/opencl",
    "Linux, , /x, /x/unroll/opencl",
    "Linux, , relative, /h/.cache/unroll/opencl",
    "Mac OS X, , , /h/Library/Caches/unroll/opencl",
    "Windows 11, /l, , /l/unroll/opencl",
    "Windows 11, , , /h/AppData/Local/unroll/opencl"
  })
  void liesWhereCachesLie(String os, String local, String xdg, String expected) {
    assertEquals(
        Path.of(expected), ProgramCache.folder(os, Path.of("/h"), local, xdg).orElseThrow());
  }
}
