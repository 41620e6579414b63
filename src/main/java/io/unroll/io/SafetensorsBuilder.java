package io.unroll.io;

import com.google.gson.stream.JsonWriter;
import io.unroll.ShapeException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Collects tensors and writes them as a safetensors file. The same calls in the same order give the
 * same bytes. Arrays are not copied: leave them alone until {@link #writeTo} has returned.
 */
public final class SafetensorsBuilder {
  private static final int ALIGNMENT = 8;
  private static final int CHUNK_BYTES = 1 << 18;

  /** Puts elements [at, at+count) into an empty little-endian buffer. */
  private interface Encoder {
    void encode(int at, int count, ByteBuffer target);
  }

  private record Tensor(Dtype dtype, long[] shape, int length, Encoder encoder) {}

  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  SafetensorsBuilder() {}

  /**
   * Adds an F32 tensor.
   *
   * @param name new in this file
   * @param data row-major
   * @param shape extents whose product is the length of data; none for a scalar
   * @throws ShapeException if data does not have that shape
   * @throws IllegalArgumentException if the name is taken, {@code __metadata__}, or not valid
   *     Unicode
   */
  public SafetensorsBuilder put(String name, float[] data, long... shape) {
    return add(
        name,
        new Tensor(
            Dtype.F32,
            shape.clone(),
            data.length,
            (at, count, target) -> target.asFloatBuffer().put(data, at, count)));
  }

  /** Adds an F64 tensor; otherwise as {@link #put(String, float[], long...)}. */
  public SafetensorsBuilder put(String name, double[] data, long... shape) {
    return add(
        name,
        new Tensor(
            Dtype.F64,
            shape.clone(),
            data.length,
            (at, count, target) -> target.asDoubleBuffer().put(data, at, count)));
  }

  /** Adds an I64 tensor; otherwise as {@link #put(String, float[], long...)}. */
  public SafetensorsBuilder put(String name, long[] data, long... shape) {
    return add(
        name,
        new Tensor(
            Dtype.I64,
            shape.clone(),
            data.length,
            (at, count, target) -> target.asLongBuffer().put(data, at, count)));
  }

  /** Adds an I32 tensor; otherwise as {@link #put(String, float[], long...)}. */
  public SafetensorsBuilder put(String name, int[] data, long... shape) {
    return add(
        name,
        new Tensor(
            Dtype.I32,
            shape.clone(),
            data.length,
            (at, count, target) -> target.asIntBuffer().put(data, at, count)));
  }

  /**
   * Adds a string.
   *
   * @throws IllegalArgumentException if the key is taken, or key or value is not valid Unicode
   */
  public SafetensorsBuilder metadata(String key, String value) {
    requireUnicode("metadata key", key);
    requireUnicode("value of metadata key " + Quoting.quoted(key), value);
    if (metadata.putIfAbsent(key, value) != null) {
      throw new IllegalArgumentException(
          "metadata key " + Quoting.quoted(key) + " was already given. Use another key.");
    }
    return this;
  }

  /**
   * Writes the file through {@link AtomicFile}.
   *
   * @throws IOException if it cannot be written; an older file at that path is then untouched
   */
  public void writeTo(Path path) throws IOException {
    byte[] header = header();
    if (header.length > Safetensors.MAX_HEADER_BYTES) {
      throw new IOException(
          path
              + " was not written: names, shapes and metadata take "
              + header.length
              + " bytes, but safetensors allows "
              + Safetensors.MAX_HEADER_BYTES
              + ". Shorten the metadata.");
    }
    AtomicFile.write(
        path,
        out -> {
          out.write(littleEndian(Long.BYTES).putLong(header.length).array());
          out.write(header);
          for (Tensor tensor : tensors.values()) {
            write(tensor, out);
          }
        });
  }

  private SafetensorsBuilder add(String name, Tensor tensor) {
    requireUnicode("tensor name", name);
    if (name.equals(Safetensors.METADATA)) {
      throw new IllegalArgumentException(
          "a tensor cannot be named __metadata__, which the format reserves. Use another name.");
    }
    requireShape(name, tensor);
    if (tensors.putIfAbsent(name, tensor) != null) {
      throw new IllegalArgumentException(
          "tensor " + Quoting.quoted(name) + " was already given. Use another name.");
    }
    return this;
  }

  private static void requireShape(String name, Tensor tensor) {
    boolean fits = true;
    long elements = 1;
    for (long extent : tensor.shape()) {
      fits &= extent >= 0 && (extent == 0 || elements <= Integer.MAX_VALUE / extent);
      elements *= extent;
    }
    if (!fits || elements != tensor.length()) {
      throw new ShapeException(
          "tensor "
              + Quoting.quoted(name)
              + " must hold "
              + (fits ? elements + " elements" : "a number of elements from 0 to 2147483647")
              + " for shape "
              + Arrays.toString(tensor.shape())
              + ", but its array holds "
              + tensor.length()
              + ". Pass the shape of the data.");
    }
  }

  private static void requireUnicode(String what, String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException(
          what
              + " "
              + Quoting.quoted(text)
              + " has half a surrogate pair, which UTF-8 cannot hold. Remove it.");
    }
  }

  /** The JSON header, padded with spaces so that the data begins at a multiple of 8 bytes. */
  private byte[] header() throws IOException {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.beginObject();
      if (!metadata.isEmpty()) {
        json.name(Safetensors.METADATA).beginObject();
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.name(entry.getKey()).value(entry.getValue());
        }
        json.endObject();
      }
      long offset = 0;
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        Tensor tensor = entry.getValue();
        json.name(entry.getKey()).beginObject();
        json.name("dtype").value(tensor.dtype().name());
        json.name("shape").beginArray();
        for (long extent : tensor.shape()) {
          json.value(extent);
        }
        json.endArray();
        json.name("data_offsets").beginArray().value(offset);
        offset += (long) tensor.length() * tensor.dtype().bytes();
        json.value(offset).endArray().endObject();
      }
      json.endObject();
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    byte[] padded = Arrays.copyOf(bytes, (bytes.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    Arrays.fill(padded, bytes.length, padded.length, (byte) ' ');
    return padded;
  }

  private static void write(Tensor tensor, OutputStream out) throws IOException {
    int width = tensor.dtype().bytes();
    byte[] bytes = new byte[CHUNK_BYTES];
    ByteBuffer chunk = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < tensor.length(); ) {
      int count = Math.min(CHUNK_BYTES / width, tensor.length() - at);
      tensor.encoder().encode(at, count, chunk);
      out.write(bytes, 0, count * width);
      at += count;
    }
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
