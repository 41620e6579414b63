package io.unroll.data;

import io.unroll.FileFormatException;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The characters of a UTF-8 file one after the other, with their lines and columns, which count
 * from 1 and in code points. Holds a chunk of the file. A byte order mark is dropped.
 */
final class PlacedReader implements Closeable {
  private static final int CHUNK = 1 << 16;
  private static final int BYTE_ORDER_MARK = 0xFEFF;

  private final Path path;
  private final InputStream in;
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
  private final ByteBuffer bytes = ByteBuffer.allocate(CHUNK).limit(0);
  private final CharBuffer chars = CharBuffer.allocate(CHUNK).limit(0);
  private CoderResult result = CoderResult.UNDERFLOW;
  private boolean ended;
  private int line = 1;
  private int column = 1;

  PlacedReader(Path path) throws IOException {
    this.path = path;
    if (Files.isDirectory(path)) {
      throw new FileFormatException(
          path.toString(), "this is a folder, not a file", "Give the path of a file.");
    }
    try {
      in = Files.newInputStream(path);
    } catch (NoSuchFileException e) {
      throw new NoSuchFileException(path.toString(), null, "there is no such file; check the path");
    }
    try {
      if (peek() == BYTE_ORDER_MARK) {
        chars.get();
      }
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /** The next UTF-16 unit without taking it, or -1 at the end. */
  int peek() throws IOException {
    while (!chars.hasRemaining()) {
      if (result.isError()) {
        throw problem(
            line,
            column,
            String.format("byte 0x%02X is not UTF-8", bytes.get(bytes.position())),
            "Convert the file, for instance with iconv -f ENCODING -t UTF-8.");
      }
      if (ended && !bytes.hasRemaining()) {
        return -1;
      }
      fill();
    }
    return chars.get(chars.position());
  }

  /** The next UTF-16 unit, or -1 at the end. */
  int next() throws IOException {
    int c = peek();
    if (c < 0) {
      return c;
    }
    chars.get();
    if (c == '\n') {
      line++;
      column = 1;
    } else if (!Character.isLowSurrogate((char) c)) {
      column++;
    }
    return c;
  }

  private void fill() throws IOException {
    bytes.compact();
    int count = in.read(bytes.array(), bytes.position(), bytes.remaining());
    ended = count < 0;
    bytes.position(bytes.position() + Math.max(0, count)).flip();
    chars.clear();
    result = decoder.decode(bytes, chars, ended);
    chars.flip();
  }

  /** The line of the next character. */
  int line() {
    return line;
  }

  /** The column of the next character. */
  int column() {
    return column;
  }

  /** What is wrong at a place. */
  FileFormatException problem(int atLine, int atColumn, String problem, String cure) {
    return new FileFormatException(path + ":" + atLine + ":" + atColumn, problem, cure);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
