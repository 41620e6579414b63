package io.unroll.device.opencl;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Built programs on disk, because drivers take seconds to build one. It lies where this user's
 * caches lie; {@code -Dunroll.opencl.cache=DIR} moves it, {@code =off} does without. Whatever goes
 * wrong with it costs a build and is logged once; nothing fails by it.
 *
 * <p>A file is the SHA-256 of a binary and the binary. Files appear complete, so that processes
 * need not know of one another.
 */
final class ProgramCache {
  static final String PROPERTY = "unroll.opencl.cache";

  /** The oldest files go above so many bytes. */
  private static final long LIMIT = 64L << 20;

  private static final String SUFFIX = ".bin";
  private static final int DIGEST = 32;
  private static final System.Logger LOGGER = System.getLogger(ProgramCache.class.getName());

  private final Path folder;
  private final long limit;
  private boolean hasComplained;

  /**
   * @param folder where the files lie, or null for no cache
   * @param limit bytes that all files may have together
   */
  ProgramCache(Path folder, long limit) {
    this.folder = folder;
    this.limit = limit;
  }

  /** The one that the properties and the environment name. */
  static ProgramCache ofUser() {
    return new ProgramCache(folder().orElse(null), LIMIT);
  }

  private static Optional<Path> folder() {
    String given = System.getProperty(PROPERTY);
    if (given != null) {
      return given.equals("off") ? Optional.empty() : Optional.of(Path.of(given));
    }
    return folder(
        System.getProperty("os.name"),
        Path.of(System.getProperty("user.home")),
        System.getenv("LOCALAPPDATA"),
        System.getenv("XDG_CACHE_HOME"));
  }

  /** Where caches lie on a system; the last two are environment variables and may be null. */
  static Optional<Path> folder(String osName, Path home, String localAppData, String xdgCacheHome) {
    String system = osName.toLowerCase(Locale.ROOT);
    Path caches;
    if (system.startsWith("windows")) {
      caches = localAppData == null ? home.resolve("AppData/Local") : Path.of(localAppData);
    } else if (system.startsWith("mac")) {
      caches = home.resolve("Library/Caches");
    } else {
      boolean isSet = xdgCacheHome != null && xdgCacheHome.startsWith("/");
      caches = isSet ? Path.of(xdgCacheHome) : home.resolve(".cache");
    }
    return Optional.of(caches.resolve("unroll").resolve("opencl"));
  }

  /** The name of whatever is built from these texts: of the program, of the driver, and so on. */
  static String key(String... texts) {
    MessageDigest digest = sha256();
    for (String text : texts) {
      byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
      digest.update((bytes.length + ":").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      digest.update(bytes);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The binary of that key, or null if there is none that is whole. */
  byte[] load(String key) {
    if (folder == null) {
      return null;
    }
    Path file = file(key);
    try {
      if (!Files.exists(file)) {
        return null;
      }
      byte[] content = Files.readAllBytes(file);
      byte[] binary = Arrays.copyOfRange(content, Math.min(DIGEST, content.length), content.length);
      if (!Arrays.equals(sha256().digest(binary), Arrays.copyOf(content, DIGEST))) {
        discard(key, "it is damaged");
        return null;
      }
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      return binary;
    } catch (IOException e) {
      complain("cannot read " + file + ": " + e);
      return null;
    }
  }

  /** Deletes what turned out to be of no use. */
  void discard(String key, String why) {
    complain("building a program again whose binary was kept in " + file(key) + ": " + why);
    try {
      Files.deleteIfExists(file(key));
    } catch (IOException e) {
      complain("cannot delete " + file(key) + ": " + e);
    }
  }

  /** Keeps a binary. */
  void store(String key, byte[] binary) {
    if (folder == null) {
      return;
    }
    try {
      Files.createDirectories(folder, ownersOnly("rwx------"));
      Path written = Files.createTempFile(folder, "new", ".tmp", ownersOnly("rw-------"));
      try {
        byte[] content = Arrays.copyOf(sha256().digest(binary), DIGEST + binary.length);
        System.arraycopy(binary, 0, content, DIGEST, binary.length);
        Files.write(written, content);
        Files.move(written, file(key), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(written);
      }
      shrink();
    } catch (IOException e) {
      complain("cannot keep a built program in " + folder + ": " + e);
    }
  }

  private static FileAttribute<?>[] ownersOnly(String permissions) {
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      return new FileAttribute<?>[0];
    }
    return new FileAttribute<?>[] {
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
    };
  }

  private record Entry(Path file, long bytes, FileTime used) {}

  /** Deletes the files that were not used for longest. Others may do the same at the same time. */
  private void shrink() throws IOException {
    List<Entry> entries = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().endsWith(SUFFIX)).toList()) {
        if (Files.exists(file)) {
          entries.add(new Entry(file, Files.size(file), Files.getLastModifiedTime(file)));
        }
      }
    }
    entries.sort(Comparator.comparing(Entry::used).reversed());
    long total = 0;
    for (Entry entry : entries) {
      total += entry.bytes();
      if (total > limit) {
        Files.deleteIfExists(entry.file());
      }
    }
  }

  private Path file(String key) {
    return folder.resolve(key + SUFFIX);
  }

  private void complain(String what) {
    if (!hasComplained) {
      LOGGER.log(System.Logger.Level.WARNING, what);
      hasComplained = true;
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
