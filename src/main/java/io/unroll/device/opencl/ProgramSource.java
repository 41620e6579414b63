package io.unroll.device.opencl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text of a program: the kernels' files with their {@code #include "..."} written out, because
 * a driver knows no files of ours. Each file comes once; {@code #line} tells the compiler where it
 * is.
 */
final class ProgramSource {
  /** {@code -Dunroll.opencl.kernels=DIR} takes the text from a folder instead of the jar. */
  static final String PROPERTY = "unroll.opencl.kernels";

  private static final String ROOT = "/io/unroll/kernels/";
  private static final Pattern INCLUDE = Pattern.compile("\\s*#\\s*include\\s+\"([^\"]+)\".*");

  private final StringBuilder text = new StringBuilder();
  private final Set<String> included = new LinkedHashSet<>();

  private ProgramSource() {}

  /**
   * Writes a program out.
   *
   * @param files paths below the root of the kernels, in order
   * @param constants macros that are defined before
   * @throws IllegalArgumentException if a file is not there; the message says who asked for it
   */
  static String of(List<String> files, Map<String, Integer> constants) {
    ProgramSource source = new ProgramSource();
    constants.forEach((name, value) -> source.text.append("#define " + name + " " + value + "\n"));
    for (String file : files) {
      source.include(file, "the host");
    }
    return source.text.toString();
  }

  private void include(String file, String reader) {
    if (!included.add(file)) {
      return;
    }
    List<String> lines = read(file, reader).lines().toList();
    line(1, file);
    for (int i = 0; i < lines.size(); i++) {
      Matcher include = INCLUDE.matcher(lines.get(i));
      if (include.matches()) {
        include(resolve(file, include.group(1)), file + ":" + (i + 1));
        line(i + 2, file);
      } else {
        text.append(lines.get(i)).append('\n');
      }
    }
  }

  private void line(int number, String file) {
    text.append("#line " + number + " \"" + file + "\"\n");
  }

  /** Relative to the including file if that is there, else to the root. */
  private static String resolve(String from, String name) {
    int slash = from.lastIndexOf('/');
    String beside = normal(from.substring(0, slash + 1) + name);
    try (InputStream content = open(beside)) {
      return content != null ? beside : name;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String normal(String path) {
    String before;
    String after = path;
    do {
      before = after;
      after = before.replaceFirst("(^|/)[^/.][^/]*/\\.\\./", "$1");
    } while (!after.equals(before));
    return after;
  }

  /** A file of the kernels, or null if it is not there. */
  private static InputStream open(String file) throws IOException {
    String folder = System.getProperty(PROPERTY);
    if (folder == null) {
      return ProgramSource.class.getResourceAsStream(ROOT + file);
    }
    Path path = Path.of(folder, file);
    return Files.exists(path) ? Files.newInputStream(path) : null;
  }

  private static String read(String file, String reader) {
    try (InputStream content = open(file)) {
      if (content == null) {
        String folder = System.getProperty(PROPERTY);
        throw new IllegalArgumentException(
            "%s includes \"%s\", which is not among the kernels of %s"
                .formatted(
                    reader, file, folder == null ? "this build" : "-D" + PROPERTY + "=" + folder));
      }
      return new String(content.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
