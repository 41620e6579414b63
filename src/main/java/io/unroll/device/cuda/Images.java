package io.unroll.device.cuda;

import io.unroll.CellSpec;
import io.unroll.device.GpuEntry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The compiled kernels of this build: an image for each line of {@code modules.txt}. */
final class Images {
  /** {@code -Dunroll.cuda.images=DIR} takes the images from a folder instead of the jar. */
  static final String PROPERTY = "unroll.cuda.images";

  private static final String ROOT = "/io/unroll/kernels/cuda/";

  private Images() {}

  /** Whether this build has any. */
  static boolean areThere() {
    return !keys().isEmpty();
  }

  /** Whether this build has the one with an entry. */
  static boolean has(GpuEntry entry) {
    return keys().contains(key(entry));
  }

  /** The constants of those of a cell whose last file has that name, in whatever folder. */
  static List<Map<String, Integer>> constants(String file, CellSpec cell) {
    String start = bareName(file) + "-" + cell.name() + "-";
    return keys().stream()
        .filter(key -> key.startsWith(start))
        .map(key -> constants(key.substring(start.length())))
        .toList();
  }

  private static Map<String, Integer> constants(String text) {
    Map<String, Integer> constants = new TreeMap<>();
    for (String each : text.split("-")) {
      String[] parts = each.split("=", 2);
      constants.put(parts[0], Integer.valueOf(parts[1]));
    }
    return constants;
  }

  /** The key of {@code modules.txt}: the last file's name, the cell, and the constants by name. */
  static String key(GpuEntry entry) {
    List<String> files = entry.files();
    StringBuilder key = new StringBuilder(bareName(files.get(files.size() - 1)));
    files.stream()
        .filter(file -> file.startsWith("cells/"))
        .forEach(file -> key.append('-').append(bareName(file)));
    entry.constants().forEach((name, value) -> key.append("-" + name + "=" + value));
    return key.toString();
  }

  private static String bareName(String file) {
    return Path.of(file).getFileName().toString().replaceFirst("[.]h$", "");
  }

  /**
   * An image.
   *
   * @return null if this build does not have it
   */
  static byte[] load(String key) {
    return read(key + ".fatbin");
  }

  /**
   * What the images were compiled for, by the resource {@code targets.txt}: the version of CUDA and
   * then targets as nvcc names them, {@code sm_80} for a processor and {@code compute_80} for what
   * a driver compiles on. Empty where the images are no real ones.
   */
  static List<String> targets() {
    return words("targets.txt");
  }

  /** The keys of all images, by the resource {@code keys.txt}. */
  private static List<String> keys() {
    return words("keys.txt");
  }

  private static List<String> words(String name) {
    byte[] content = read(name);
    return content == null
        ? List.of()
        : List.of(new String(content, StandardCharsets.UTF_8).strip().split("\\s+"));
  }

  private static byte[] read(String name) {
    try (InputStream content = open(name)) {
      return content == null ? null : content.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file of the images, or null if it is not there. */
  private static InputStream open(String name) throws IOException {
    String folder = System.getProperty(PROPERTY);
    if (folder == null) {
      return Images.class.getResourceAsStream(ROOT + name);
    }
    Path path = Path.of(folder, name);
    return Files.exists(path) ? Files.newInputStream(path) : null;
  }
}
