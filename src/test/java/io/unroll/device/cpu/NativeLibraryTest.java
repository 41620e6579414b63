package io.unroll.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.Backend;
import io.unroll.BackendUnavailableException;
import io.unroll.RequiredBackendsTest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  private static final byte[] CONTENT = "library".getBytes(StandardCharsets.US_ASCII);
  private static final String SHA256 =
      "b718f1354f7247312eca086d9a024afe5fa717ddea5adeddd6f12bcf945b2e8c";

  @TempDir Path folder;

  /** As the backends in RequiredBackendsTest: {@code -Dunroll.require=native}. */
  @Test
  void isUsableOrSkippedAloud() {
    String refusal = NativeLibrary.refusal();
    if (refusal != null) {
      assertThrows(BackendUnavailableException.class, NativeLibrary::load);
      assertTrue(description().contains(refusal), description());
      assertFalse(
          RequiredBackendsTest.required().contains("native"),
          () -> "-Dunroll.require names native, but: " + refusal);
      System.err.println("NOT TESTED: the native library of backend cpu: " + refusal);
    }
    assumeTrue(refusal == null, refusal);
    NativeLibrary.load();
    assertEquals(Native.VERSION, Native.version());
  }

  private static String description() {
    try (Backend backend = Backend.open("cpu")) {
      return backend.description();
    }
  }

  @Test
  void knowsPlatforms() {
    assertEquals("linux-x86_64", NativeLibrary.platform("Linux", "amd64"));
    assertEquals("linux-aarch64", NativeLibrary.platform("Linux", "aarch64"));
    assertEquals("windows-x86_64", NativeLibrary.platform("Windows Server 2022", "amd64"));
    assertEquals("macosx-aarch64", NativeLibrary.platform("Mac OS X", "aarch64"));
    assertEquals("unroll_cpu.dll", NativeLibrary.fileName("windows-x86_64"));
    assertEquals("libunroll_cpu.so", NativeLibrary.fileName("linux-aarch64"));
  }

  @Test
  void refusalsNameTheCure() {
    String none = NativeLibrary.absent("linux-x86_64", List.of());
    assertTrue(none.contains("install g++ and cmake"), none);
    String other = NativeLibrary.absent("linux-riscv64", List.of("linux-x86_64", "linux-aarch64"));
    assertTrue(other.contains("none for linux-riscv64, only for linux-x86_64, linux-a"), other);
    String closed =
        NativeLibrary.failure(new UnsatisfiedLinkError("/x: failed to map segment from shared"));
    assertTrue(closed.contains("failed to map") && closed.contains("java.io.tmpdir"), closed);
    String old = NativeLibrary.failure(new UnsatisfiedLinkError("version `GLIBC_2.34' not found"));
    assertTrue(old.contains("GLIBC_2.34") && old.contains("build Unroll on it"), old);
    String disk = NativeLibrary.failure(new IOException("No space left on device"));
    assertTrue(disk.contains("No space") && disk.contains("java.io.tmpdir"), disk);
  }

  @Test
  void propertiesAreObeyedInAProcessOfTheirOwn() throws Exception {
    assertTrue(refusalWith("-Dunroll.cpu.native=false").contains("-Dunroll.cpu.native=false"));
    Path absent = folder.resolve("absent.so");
    assertTrue(refusalWith("-Dunroll.cpu.library=" + absent).contains(absent.toString()));
    assertTrue(refusalWith("-Dos.arch=riscv64", "-Dos.name=Linux").contains("this build"));
    Path noFolder = folder.resolve("none");
    String refusal = refusalWith("-Djava.io.tmpdir=" + noFolder);
    assertTrue(NativeLibrary.refusal() != null || refusal.contains(noFolder.toString()), refusal);
  }

  @Test
  void leavesNothingBehind() throws Exception {
    assumeTrue(System.getProperty(NativeLibrary.FILE) == null, "it is not unpacked here");
    String on =
        "-D" + NativeLibrary.SWITCH + "=" + System.getProperty(NativeLibrary.SWITCH, "true");
    String refusal = refusalWith("-Djava.io.tmpdir=" + folder, on);
    assertEquals(String.valueOf(NativeLibrary.refusal()), refusal);
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(), left.toList());
    }
  }

  /** Prints what the library's refusal is. */
  public static final class Refusal {
    /** The only line is the refusal, or null. */
    public static void main(String[] args) {
      System.out.println(NativeLibrary.refusal());
    }
  }

  private static String refusalWith(String... options) throws Exception {
    List<String> command =
        Stream.of(
                Stream.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()),
                Stream.of("--enable-native-access=ALL-UNNAMED"),
                Stream.of(options),
                Stream.of("-cp", System.getProperty("java.class.path"), Refusal.class.getName()))
            .flatMap(part -> part)
            .toList();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (InputStream out = process.getInputStream()) {
      String text = new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
      assertTrue(process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0, text);
      return text;
    }
  }

  @Test
  void unpacksToAPrivateFolderThatGoesAway() throws IOException {
    Path file;
    try (UnpackedLibrary one = UnpackedLibrary.of(CONTENT, SHA256, "some.so");
        UnpackedLibrary another = UnpackedLibrary.of(CONTENT, SHA256, "some.so")) {
      file = one.file();
      assertArrayEquals(CONTENT, Files.readAllBytes(file));
      assertNotEquals(one.file().getParent(), another.file().getParent());
      if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
        assertEquals(
            "rwx------",
            PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())));
      }
    }
    assertFalse(Files.exists(file.getParent()));
  }

  @Test
  void refusesWhatIsDamaged() {
    String wrong = SHA256.replace('a', 'b');
    String message =
        assertThrows(IOException.class, () -> UnpackedLibrary.of(CONTENT, wrong, "some.so").close())
            .getMessage();
    assertTrue(message.contains(wrong) && message.contains(SHA256), message);
  }

  @Test
  void readsTheSizeOfTheSecondLevelCache() throws IOException {
    assertEquals(0, SecondLevelCache.bytes(folder));
    Files.writeString(folder.resolve("level"), "2\n");
    Files.writeString(folder.resolve("size"), "2048K\n");
    assertEquals(2 << 20, SecondLevelCache.bytes(folder));
    Files.writeString(folder.resolve("size"), "3M\n");
    assertEquals(3 << 20, SecondLevelCache.bytes(folder));
    for (String size : new String[] {"", "7", "K", "many K"}) {
      Files.writeString(folder.resolve("size"), size);
      assertEquals(0, SecondLevelCache.bytes(folder), size);
    }
    Files.writeString(folder.resolve("size"), "512K");
    Files.writeString(folder.resolve("level"), "3\n");
    assertEquals(0, SecondLevelCache.bytes(folder));
    assertTrue(SecondLevelCache.bytes() >= 0);
  }
}
