package io.unroll.device.cpu;

import io.unroll.BackendUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Loads the native library {@code unroll_cpu} out of the jar, once a process, and remembers why if
 * it cannot. {@code -Dunroll.cpu.native=false} leaves it alone; {@code -Dunroll.cpu.library=FILE}
 * loads that file instead.
 */
final class NativeLibrary {
  static final String SWITCH = "unroll.cpu.native";
  static final String FILE = "unroll.cpu.library";

  private static final String FOLDER = "/io/unroll/native/";
  private static final List<String> PLATFORMS =
      List.of("linux-x86_64", "linux-aarch64", "windows-x86_64");

  private NativeLibrary() {}

  /** Initialized, and the library with it, by the first question. */
  private static final class Attempt {
    static final String REFUSAL = attempt();
  }

  /** Null if the native library can be used here, else why not and what cures it. */
  static String refusal() {
    return Attempt.REFUSAL;
  }

  /**
   * Makes the methods of {@link Native} callable.
   *
   * @throws BackendUnavailableException if {@link #refusal} is not null
   */
  static void load() {
    if (refusal() != null) {
      throw new BackendUnavailableException(
          "the native library of backend \"cpu\" is unavailable: " + refusal());
    }
  }

  private static String attempt() {
    if (!Boolean.parseBoolean(System.getProperty(SWITCH, "true"))) {
      return "switched off by -D" + SWITCH + "=" + System.getProperty(SWITCH);
    }
    try {
      String file = System.getProperty(FILE);
      String absent = file == null ? loadResource() : loadFile(Path.of(file));
      return absent != null ? absent : unfit();
    } catch (LinkageError | IOException | RuntimeException e) {
      return failure(e);
    }
  }

  private static String loadFile(Path file) {
    System.load(file.toAbsolutePath().toString());
    return null;
  }

  private static String loadResource() throws IOException {
    String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    String resource = FOLDER + platform + "/" + fileName(platform);
    try (InputStream library = NativeLibrary.class.getResourceAsStream(resource);
        InputStream digest = NativeLibrary.class.getResourceAsStream(resource + ".sha256")) {
      if (library == null || digest == null) {
        return absent(platform, PLATFORMS.stream().filter(NativeLibrary::isBuiltIn).toList());
      }
      String sha256 = new String(digest.readAllBytes(), StandardCharsets.US_ASCII).strip();
      try (UnpackedLibrary unpacked =
          UnpackedLibrary.of(library.readAllBytes(), sha256, fileName(platform))) {
        System.load(unpacked.file().toString());
      }
    }
    return null;
  }

  private static boolean isBuiltIn(String platform) {
    return NativeLibrary.class.getResource(FOLDER + platform + "/" + fileName(platform)) != null;
  }

  /** Why a library that was loaded cannot be used, or null. */
  private static String unfit() {
    int version;
    try {
      version = Native.version();
    } catch (UnsatisfiedLinkError e) {
      version = 0;
    }
    if (version != Native.VERSION) {
      return "the library is of version "
          + version
          + ", but these classes need version "
          + Native.VERSION
          + "; build both from the same sources";
    }
    return Native.bestIsa() == null ? Native.missing() : null;
  }

  /** The folder of an operating system and processor, as {@code linux-x86_64}. */
  static String platform(String osName, String osArch) {
    String os = osName.startsWith("Windows") ? "windows" : osName.toLowerCase(Locale.ROOT);
    String arch =
        switch (osArch) {
          case "amd64" -> "x86_64";
          case "arm64" -> "aarch64";
          default -> osArch;
        };
    return os.replace(" ", "") + "-" + arch;
  }

  static String fileName(String platform) {
    return platform.startsWith("windows") ? "unroll_cpu.dll" : "libunroll_cpu.so";
  }

  static String absent(String platform, List<String> builtIn) {
    if (builtIn.isEmpty()) {
      return "this build of Unroll has none; install g++ and cmake and build it again";
    }
    return "this build of Unroll has none for "
        + platform
        + ", only for "
        + String.join(", ", builtIn)
        + (PLATFORMS.contains(platform) ? "; build it on such a machine" : "");
  }

  /** What the linker or the file system said, and what helps against it. */
  static String failure(Throwable thrown) {
    String said = thrown instanceof LinkageError ? thrown.getMessage() : thrown.toString();
    return said + cure(said);
  }

  private static String cure(String said) {
    if (said.contains("failed to map segment") || said.contains("No space left")) {
      return "; name another folder with -Djava.io.tmpdir, with space, whose files may be run";
    }
    if (said.contains("GLIBC")) {
      return "; this system's C library is older: build Unroll on it, with g++ and cmake";
    }
    return "";
  }
}
