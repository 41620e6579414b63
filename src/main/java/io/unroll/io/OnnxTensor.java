package io.unroll.io;

import io.unroll.FileFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A constant of an ONNX model. Its values are looked at when they are asked for. */
final class OnnxTensor {
  /** What was found of a TensorProto. */
  static final class Builder {
    final List<Long> dims = new ArrayList<>();
    final List<Double> reals = new ArrayList<>();
    long type;
    String name = "";
    ByteBuffer raw;
    Map<String, String> external = Map.of();
    boolean isExternal;
    private final Path file;

    Builder(Path file) {
      this.file = file;
    }

    OnnxTensor build() {
      return new OnnxTensor(this);
    }
  }

  private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

  private final Builder from;
  private final long[] shape;

  private OnnxTensor(Builder from) {
    this.from = from;
    this.shape = from.dims.stream().mapToLong(Long::longValue).toArray();
  }

  String name() {
    return from.name;
  }

  long[] shape() {
    return shape.clone();
  }

  /** Whether it holds reals that {@link #doubles} reads. */
  boolean isReal() {
    return from.type == OnnxGraph.FLOAT
        || from.type == OnnxGraph.DOUBLE
        || from.type == OnnxGraph.FLOAT16
        || from.type == OnnxGraph.BFLOAT16;
  }

  /**
   * The values, exact, row-major.
   *
   * @param user the node that reads it, for messages
   * @throws FileFormatException if they are not there, not as many as the shape says, or no reals
   */
  double[] doubles(String user) throws IOException {
    String what = user + ": tensor " + Quoting.quoted(name());
    if (!isReal()) {
      throw wrong(
          what
              + " has ONNX's element type "
              + from.type
              + ", but Unroll reads FLOAT (1), FLOAT16"
              + " (10), DOUBLE (11) and BFLOAT16 (16)",
          "Export the model in float32, not quantized.");
    }
    long elements = elements(what);
    if (from.raw == null && !from.isExternal) {
      if (from.reals.size() != elements) {
        throw wrongSize(what, from.reals.size() + " values");
      }
      return from.reals.stream().mapToDouble(Double::doubleValue).toArray();
    }
    ByteBuffer raw = from.isExternal ? external(what) : from.raw.duplicate();
    raw.order(ByteOrder.LITTLE_ENDIAN);
    if (raw.remaining() != elements * width()) {
      throw wrongSize(what, raw.remaining() + " bytes");
    }
    double[] values = new double[(int) elements];
    for (int i = 0; i < values.length; i++) {
      values[i] = next(raw);
    }
    return values;
  }

  private double next(ByteBuffer raw) {
    return switch ((int) from.type) {
      case OnnxGraph.FLOAT -> raw.getFloat();
      case OnnxGraph.DOUBLE -> raw.getDouble();
      case OnnxGraph.FLOAT16 -> Safetensors.widen(Dtype.F16, raw.getShort());
      default -> Safetensors.widen(Dtype.BF16, raw.getShort());
    };
  }

  private int width() {
    return switch ((int) from.type) {
      case OnnxGraph.FLOAT -> Float.BYTES;
      case OnnxGraph.DOUBLE -> Double.BYTES;
      default -> Short.BYTES;
    };
  }

  private long elements(String what) throws FileFormatException {
    long elements = 1;
    for (long size : shape) {
      if (size < 0 || (size > 0 && elements > MAX_ARRAY / size)) {
        throw wrong(
            what + " has the shape " + Arrays.toString(shape) + ", which no array can hold",
            "Export the model again.");
      }
      elements *= size;
    }
    return elements;
  }

  /** Of a second file in the folder of the model, and of no other place. */
  private ByteBuffer external(String what) throws IOException {
    String location = from.external.getOrDefault("location", "");
    Path folder = from.file.toAbsolutePath().getParent();
    Path data = folder.resolve(location).normalize();
    if (location.isEmpty() || !data.startsWith(folder) || data.equals(folder)) {
      throw wrong(
          what + " lies in " + Quoting.quoted(location) + ", which is not in the model's folder",
          "Export the model into one file.");
    }
    try (FileChannel channel = FileChannel.open(data, StandardOpenOption.READ)) {
      long offset = number(what, "offset", 0);
      long length = number(what, "length", channel.size() - offset);
      if (length != elements(what) * width()
          || length > MAX_ARRAY
          || offset < 0
          || offset > channel.size() - length) {
        throw wrongSize(what, length + " bytes at " + offset + " of " + location);
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) length);
      int read = 0;
      while (bytes.hasRemaining() && read >= 0) {
        read = channel.read(bytes, offset + bytes.position());
      }
      return bytes.flip();
    } catch (NoSuchFileException e) {
      throw new FileFormatException(
          from.file.toString(),
          what + " lies in " + Quoting.quoted(location) + ", which is missing",
          "Copy that file beside the model, or export into one file.",
          e);
    }
  }

  private long number(String what, String key, long otherwise) throws FileFormatException {
    String text = from.external.get(key);
    try {
      return text == null ? otherwise : Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw wrong(
          what + " has the " + key + " " + Quoting.quoted(text) + " in its second file",
          "Export the model again.");
    }
  }

  private FileFormatException wrongSize(String what, String found) {
    return wrong(
        what + " of shape " + Arrays.toString(shape) + " has " + found,
        "The file is damaged; export or copy it again.");
  }

  private FileFormatException wrong(String problem, String cure) {
    return new FileFormatException(from.file.toString(), problem, cure);
  }
}
