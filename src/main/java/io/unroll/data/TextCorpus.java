package io.unroll.data;

import io.unroll.FileFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * A text to train on, in memory, with its vocabulary and the ids of its characters. Line ends are
 * {@code \n}: each {@code \r\n} is replaced, and a byte order mark at a file's start is dropped.
 */
public final class TextCorpus {
  private static final int BYTE_ORDER_MARK = 0xFEFF;

  /** The largest text that fits a Java string with room to spare, in bytes. */
  private static final int MAX_BYTES = Integer.MAX_VALUE - 64;

  private final String name;
  private final String text;
  private final Vocabulary vocabulary;
  private final int[] ids;
  private final List<String> notes;

  private TextCorpus(String name, String text, List<String> notes) {
    this.name = name;
    this.text = text;
    this.vocabulary = Vocabulary.of(text);
    this.ids = vocabulary.encode(text);
    this.notes = List.copyOf(notes);
  }

  /**
   * Two parts of a corpus.
   *
   * @param train ids of the first part
   * @param validation ids of the rest; may be empty
   */
  public record Split(int[] train, int[] validation) {}

  /**
   * Reads a file, or all files of a folder and its subfolders.
   *
   * <p>Files of a folder are joined in the order of their paths, with a line end between them where
   * the first has none. Hidden files and folders are left out; so are files that are not UTF-8,
   * with a line in {@link #notes} for each.
   *
   * @throws FileFormatException if the file is not UTF-8 (the message has the offset), holds no
   *     text, or is too large for a Java string; or if no file of the folder holds text
   * @throws IOException if something cannot be read
   */
  public static TextCorpus read(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(
          path.toString(), null, "there is no such file or folder; check the path");
    }
    Path last = path.toAbsolutePath().normalize().getFileName();
    String name = last == null ? path.toString() : last.toString();
    List<String> notes = new ArrayList<>();
    String text = Files.isDirectory(path) ? readFolder(path, notes) : readFile(path);
    if (text.isEmpty()) {
      throw new FileFormatException(
          path.toString(),
          notes.isEmpty() ? "there is no text in it" : "no text left: " + String.join("; ", notes),
          "Give a UTF-8 text file, or a folder with some.");
    }
    return new TextCorpus(name, text, notes);
  }

  /**
   * Reads a UTF-8 text from the class path.
   *
   * @param anchor a class beside which the resource lies
   * @param resource as {@link Class#getResource} takes it; also the corpus's name
   * @throws NoSuchFileException if there is no such resource
   * @throws FileFormatException if it is not UTF-8 or holds no text
   */
  public static TextCorpus fromResource(Class<?> anchor, String resource) throws IOException {
    try (InputStream in = anchor.getResourceAsStream(resource)) {
      if (in == null) {
        throw new NoSuchFileException(
            resource, null, "there is no such resource beside " + anchor.getName());
      }
      byte[] bytes = in.readAllBytes();
      requireUtf8(resource, bytes);
      String text = normalised(bytes);
      if (text.isEmpty()) {
        throw new FileFormatException(resource, "there is no text in it", "Put some text there.");
      }
      return new TextCorpus(resource, text, List.of());
    }
  }

  /**
   * Takes a text as it is, but with line ends {@code \n} and without byte order mark.
   *
   * @throws IllegalArgumentException if it is empty or has half a surrogate pair
   */
  public static TextCorpus fromString(String name, String text) {
    return new TextCorpus(name, normalised(text), List.of());
  }

  /** The file, folder or resource it came from, for people. */
  public String name() {
    return name;
  }

  /** The whole text. */
  public String text() {
    return text;
  }

  /** The characters of the text. */
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** The ids of the text, one a code point. The corpus's own array: do not write to it. */
  public int[] ids() {
    return ids;
  }

  /** What was left out while reading and why, a line each; empty if nothing was. */
  public List<String> notes() {
    return notes;
  }

  /**
   * Cuts the ids in two: the end of the text validates what its beginning trains.
   *
   * @param validationFraction of the characters, in [0, 1); rounded down to whole characters
   * @throws IllegalArgumentException if it is anything else
   */
  public Split split(double validationFraction) {
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new IllegalArgumentException(
          "the validation fraction must be at least 0 and less than 1, but is "
              + validationFraction
              + ". Try 0.1.");
    }
    int cut = ids.length - (int) (ids.length * validationFraction);
    return new Split(Arrays.copyOfRange(ids, 0, cut), Arrays.copyOfRange(ids, cut, ids.length));
  }

  private static String readFile(Path path) throws IOException {
    byte[] bytes = readBytes(path);
    requireUtf8(path.toString(), bytes);
    return normalised(bytes);
  }

  private static String readFolder(Path folder, List<String> notes) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Path file : visibleFiles(folder)) {
      byte[] bytes = readBytes(file);
      int malformed = malformedAt(bytes);
      if (malformed >= 0) {
        notes.add(file + " was left out: byte " + malformed + " is not UTF-8");
        continue;
      }
      String part = normalised(bytes);
      if ((long) text.length() + part.length() >= MAX_BYTES) {
        throw new FileFormatException(
            folder.toString(),
            "its files hold more than the " + MAX_BYTES + " characters of a Java string",
            "Move some of them elsewhere.");
      }
      if (text.length() > 0 && !part.isEmpty() && text.charAt(text.length() - 1) != '\n') {
        text.append('\n');
      }
      text.append(part);
    }
    return text.toString();
  }

  /** Sorted by their paths with / between names, so that every system reads them in one order. */
  private static List<Path> visibleFiles(Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
              throws IOException {
            return !directory.equals(folder) && hidden(directory)
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (Files.isRegularFile(file) && !hidden(file)) {
              files.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    files.sort(
        Comparator.comparing(
            f -> folder.relativize(f).toString().replace(f.getFileSystem().getSeparator(), "/")));
    return files;
  }

  private static boolean hidden(Path path) throws IOException {
    return path.getFileName().toString().startsWith(".") || Files.isHidden(path);
  }

  private static byte[] readBytes(Path file) throws IOException {
    long size = Files.size(file);
    if (size > MAX_BYTES) {
      throw new FileFormatException(
          file.toString(),
          "the file has " + size + " bytes, but a text may have at most " + MAX_BYTES,
          "Split it, or move it elsewhere.");
    }
    return Files.readAllBytes(file);
  }

  private static void requireUtf8(String file, byte[] bytes) throws FileFormatException {
    int malformed = malformedAt(bytes);
    if (malformed >= 0) {
      throw new FileFormatException(
          file,
          String.format("byte %d (0x%02X) is not UTF-8", malformed, bytes[malformed]),
          "Convert the file, for instance with iconv -f ENCODING -t UTF-8.");
    }
  }

  /** The offset of the first byte that is no part of a UTF-8 character, or -1. */
  private static int malformedAt(byte[] bytes) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer discarded = CharBuffer.allocate(8192);
    CoderResult result;
    do {
      discarded.clear();
      result = decoder.decode(in, discarded, true);
    } while (result.isOverflow());
    return result.isError() ? in.position() : -1;
  }

  private static String normalised(byte[] utf8) {
    return normalised(new String(utf8, StandardCharsets.UTF_8));
  }

  private static String normalised(String text) {
    boolean marked = !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK;
    return (marked ? text.substring(1) : text).replace("\r\n", "\n");
  }
}
