package io.unroll.io;

import io.unroll.FileFormatException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A safetensors file: named tensors and a map of strings, as PyTorch and JAX read them too. Format:
 * 8 bytes with the length of the header, the header in JSON, the tensors without gaps; see
 * github.com/huggingface/safetensors.
 *
 * <p>Opening reads and checks the header only; each tensor is read from the disk when it is asked
 * for, so the file costs no memory besides the arrays handed out. Keep it open while reading and
 * close it afterwards. Thread-safe.
 */
public final class Safetensors implements Closeable {
  static final String METADATA = "__metadata__";
  static final int MAX_HEADER_BYTES = 100_000_000;
  static final String DAMAGED =
      "The file is damaged or no safetensors file; write or copy it again.";

  private static final int LENGTH_BYTES = 8;
  private static final int CHUNK_BYTES = 1 << 18;
  private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;
  private static final int NAMES_SHOWN = 8;

  /** Decodes elements [at, at+count) of a tensor from the chunk that holds just them. */
  private interface Decoder {
    void decode(ByteBuffer chunk, int at, int count) throws IOException;
  }

  private final Path path;
  private final FileChannel channel;
  private final SafetensorsHeader header;
  private final long dataStart;

  private Safetensors(Path path, FileChannel channel, SafetensorsHeader header, long dataStart) {
    this.path = path;
    this.channel = channel;
    this.header = header;
    this.dataStart = dataStart;
  }

  /** Starts a new file. */
  public static SafetensorsBuilder builder() {
    return new SafetensorsBuilder();
  }

  /**
   * Opens a file and checks its whole header against the file's size.
   *
   * @throws FileFormatException if it is no valid safetensors file, or has a dtype that is not in
   *     {@link Dtype}
   * @throws IOException if it cannot be read
   */
  public static Safetensors read(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileFormatException(
          path.toString(), "this is a folder, not a file", "Give the path of a safetensors file.");
    }
    FileChannel channel;
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      throw new NoSuchFileException(path.toString(), null, "there is no such file; check the path");
    }
    try {
      return open(path, channel);
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
  }

  private static Safetensors open(Path path, FileChannel channel) throws IOException {
    String file = path.toString();
    long size = channel.size();
    if (size < LENGTH_BYTES) {
      throw new FileFormatException(
          file, "a safetensors file has at least 8 bytes, but this has " + size, DAMAGED);
    }
    ByteBuffer prefix = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(file, channel, prefix, 0);
    long length = prefix.getLong(0);
    if (length < 0 || length > MAX_HEADER_BYTES) {
      throw new FileFormatException(
          file,
          "the header claims "
              + Long.toUnsignedString(length)
              + " bytes, but at most "
              + MAX_HEADER_BYTES
              + " are allowed",
          DAMAGED);
    }
    if (length > size - LENGTH_BYTES) {
      throw new FileFormatException(
          file,
          "the header claims "
              + length
              + " bytes, but only "
              + (size - LENGTH_BYTES)
              + " follow its length",
          DAMAGED);
    }
    ByteBuffer json = ByteBuffer.allocate((int) length);
    readFully(file, channel, json, LENGTH_BYTES);
    long dataStart = LENGTH_BYTES + length;
    SafetensorsHeader header = SafetensorsHeader.parse(file, json.array(), size - dataStart);
    return new Safetensors(path, channel, header, dataStart);
  }

  /** Where it was read from. */
  public Path path() {
    return path;
  }

  /** The names of the tensors, in the order of the header. */
  public Set<String> names() {
    return header.tensors().keySet();
  }

  /** The strings that came with the tensors, in the order of the header; may be empty. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * The shape of a tensor; empty for a scalar.
   *
   * @throws IllegalArgumentException if there is no such tensor; the message has the nearest names
   */
  public long[] shape(String name) {
    return tensor(name).shape().clone();
  }

  /**
   * The element type of a tensor.
   *
   * @throws IllegalArgumentException as {@link #shape}
   */
  public Dtype dtype(String name) {
    return tensor(name).dtype();
  }

  /**
   * Reads a tensor of reals, row-major, as float32: F32, F16 and BF16 exactly, F64 rounded to
   * nearest.
   *
   * @throws IllegalArgumentException if there is no such tensor, or it holds integers
   * @throws IOException if it cannot be read, or is too large for an array
   */
  public float[] floats(String name) throws IOException {
    SafetensorsHeader.Tensor tensor = tensor(name);
    requireKind(tensor, true, "floats()");
    float[] out = new float[arrayLength(tensor)];
    scan(
        tensor,
        (chunk, at, count) -> {
          switch (tensor.dtype()) {
            case F32 -> chunk.asFloatBuffer().get(out, at, count);
            case F64 -> {
              for (int i = 0; i < count; i++) {
                out[at + i] = (float) chunk.getDouble();
              }
            }
            default -> {
              for (int i = 0; i < count; i++) {
                out[at + i] = widen(tensor.dtype(), chunk.getShort());
              }
            }
          }
        });
    return out;
  }

  /**
   * Reads a tensor of reals, row-major, as float64; exact for every type.
   *
   * @throws IllegalArgumentException if there is no such tensor, or it holds integers
   * @throws IOException if it cannot be read, or is too large for an array
   */
  public double[] doubles(String name) throws IOException {
    SafetensorsHeader.Tensor tensor = tensor(name);
    requireKind(tensor, true, "doubles()");
    double[] out = new double[arrayLength(tensor)];
    scan(
        tensor,
        (chunk, at, count) -> {
          if (tensor.dtype() == Dtype.F64) {
            chunk.asDoubleBuffer().get(out, at, count);
            return;
          }
          for (int i = 0; i < count; i++) {
            out[at + i] =
                tensor.dtype() == Dtype.F32
                    ? chunk.getFloat()
                    : widen(tensor.dtype(), chunk.getShort());
          }
        });
    return out;
  }

  /**
   * Reads a tensor of integers, row-major; of a BOOL tensor, 0 for false and 1 for true.
   *
   * @throws IllegalArgumentException if there is no such tensor, or it holds reals
   * @throws FileFormatException if a byte of a BOOL tensor is neither 0 nor 1
   * @throws IOException if it cannot be read, or is too large for an array
   */
  public long[] longs(String name) throws IOException {
    SafetensorsHeader.Tensor tensor = tensor(name);
    requireKind(tensor, false, "longs()");
    long[] out = new long[arrayLength(tensor)];
    scan(
        tensor,
        (chunk, at, count) -> {
          for (int i = 0; i < count; i++) {
            out[at + i] = integer(tensor, chunk, at + i);
          }
        });
    return out;
  }

  /**
   * As {@link #longs}, for values that fit 32 bits.
   *
   * @throws IllegalArgumentException if there is no such tensor, or it holds reals
   * @throws FileFormatException as longs, or if a value of an I64 tensor does not fit
   * @throws IOException if it cannot be read, or is too large for an array
   */
  public int[] ints(String name) throws IOException {
    SafetensorsHeader.Tensor tensor = tensor(name);
    requireKind(tensor, false, "ints()");
    int[] out = new int[arrayLength(tensor)];
    scan(
        tensor,
        (chunk, at, count) -> {
          for (int i = 0; i < count; i++) {
            long value = integer(tensor, chunk, at + i);
            if (value != (int) value) {
              throw new FileFormatException(
                  path.toString(),
                  describe(tensor)
                      + " holds "
                      + value
                      + " at index "
                      + (at + i)
                      + ", but 32-bit integers end at "
                      + Integer.MAX_VALUE,
                  "Read it with longs().");
            }
            out[at + i] = (int) value;
          }
        });
    return out;
  }

  /** Closes the file; tensors can no longer be read, the header still can. */
  @Override
  public void close() throws IOException {
    channel.close();
  }

  private SafetensorsHeader.Tensor tensor(String name) {
    SafetensorsHeader.Tensor tensor = header.tensors().get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          path + " has no tensor " + Quoting.quoted(name) + "; " + available(name));
    }
    return tensor;
  }

  private String available(String wanted) {
    Set<String> names = names();
    Stream<String> shown =
        names.size() <= NAMES_SHOWN
            ? names.stream()
            : names.stream()
                .sorted(Comparator.comparingInt(n -> Quoting.distance(n, wanted)))
                .limit(NAMES_SHOWN);
    List<String> quoted = shown.map(Quoting::quoted).collect(Collectors.toList());
    if (quoted.isEmpty()) {
      return "it has none";
    }
    return (names.size() <= NAMES_SHOWN ? "it has " : "nearest of its " + names.size() + ": ")
        + String.join(", ", quoted);
  }

  private void requireKind(SafetensorsHeader.Tensor tensor, boolean floating, String method) {
    if (tensor.dtype().floating() != floating) {
      throw new IllegalArgumentException(
          path
              + ": "
              + describe(tensor)
              + " cannot be read with "
              + method
              + ", which takes "
              + Arrays.stream(Dtype.values())
                  .filter(d -> d.floating() == floating)
                  .map(Dtype::name)
                  .collect(Collectors.joining(", "))
              + ". Use "
              + (floating ? "longs() or ints()." : "doubles() or floats()."));
    }
  }

  private int arrayLength(SafetensorsHeader.Tensor tensor) throws FileFormatException {
    long elements = tensor.bytes() / tensor.dtype().bytes();
    if (elements > MAX_ARRAY) {
      throw new FileFormatException(
          path.toString(),
          describe(tensor)
              + " has "
              + elements
              + " elements, but a Java array holds at most "
              + MAX_ARRAY,
          "Split the tensor into smaller ones.");
    }
    return (int) elements;
  }

  private void scan(SafetensorsHeader.Tensor tensor, Decoder decoder) throws IOException {
    if (!channel.isOpen()) {
      throw new IllegalStateException(
          path + " was closed before " + describe(tensor) + " was read. Read first, then close.");
    }
    ByteBuffer chunk =
        ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, tensor.bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    int at = 0;
    for (long done = 0; done < tensor.bytes(); done += chunk.limit()) {
      chunk.clear().limit((int) Math.min(chunk.capacity(), tensor.bytes() - done));
      readFully(path.toString(), channel, chunk, dataStart + tensor.begin() + done);
      int count = chunk.limit() / tensor.dtype().bytes();
      decoder.decode(chunk.flip(), at, count);
      at += count;
    }
  }

  private long integer(SafetensorsHeader.Tensor tensor, ByteBuffer chunk, int index)
      throws FileFormatException {
    return switch (tensor.dtype()) {
      case I64 -> chunk.getLong();
      case I32 -> chunk.getInt();
      case I16 -> chunk.getShort();
      case I8 -> chunk.get();
      case U8 -> chunk.get() & 0xFF;
      case BOOL -> {
        byte value = chunk.get();
        if (value != 0 && value != 1) {
          throw new FileFormatException(
              path.toString(),
              describe(tensor)
                  + " has the byte "
                  + (value & 0xFF)
                  + " at index "
                  + index
                  + ", but BOOL allows 0 and 1",
              DAMAGED);
        }
        yield value;
      }
      default -> throw new AssertionError(tensor.dtype());
    };
  }

  private static String describe(SafetensorsHeader.Tensor tensor) {
    return "tensor " + Quoting.quoted(tensor.name()) + " of dtype " + tensor.dtype();
  }

  private static void readFully(String file, FileChannel channel, ByteBuffer target, long position)
      throws IOException {
    while (target.hasRemaining()) {
      long at = position + target.position();
      if (channel.read(target, at) < 0) {
        throw new FileFormatException(
            file,
            "the file was longer when it was opened and now ends before byte " + (at + 1),
            "Do not change a file while it is read; open it again.");
      }
    }
  }

  /** The value of an F16 or a BF16, exact. */
  static float widen(Dtype dtype, short bits) {
    if (dtype == Dtype.BF16) {
      return Float.intBitsToFloat(bits << 16);
    }
    int sign = (bits & 0x8000) << 16;
    int magnitude = bits & 0x7FFF;
    if (magnitude >= 0x7C00) {
      return Float.intBitsToFloat(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);
    }
    // Moved to float32's places the exponent is too small by 127 - 15. The product is exact, also
    // for subnormals.
    return Float.intBitsToFloat(sign | magnitude << 13) * 0x1p112f;
  }
}
