package io.unroll.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * The parts of an ONNX graph as messages. Field numbers and types are those of onnx.proto in
 * github.com/onnx/onnx.
 */
final class OnnxGraph {
  /** Element types of TensorProto. */
  static final int FLOAT = 1;

  static final int INT32 = 6;
  static final int INT64 = 7;
  static final int FLOAT16 = 10;
  static final int DOUBLE = 11;
  static final int BFLOAT16 = 16;

  private static final int ATTRIBUTE_INT = 2;
  private static final int ATTRIBUTE_INTS = 7;
  private static final int ATTRIBUTE_STRING = 3;
  private static final int ATTRIBUTE_STRINGS = 8;

  private final ProtobufWriter graph = new ProtobufWriter();
  private long weightBytes;

  /** A node with the attributes that {@link #attribute} made. */
  void node(
      String operator,
      String name,
      List<String> inputs,
      List<String> outputs,
      ProtobufWriter... attributes) {
    ProtobufWriter node = new ProtobufWriter();
    inputs.forEach(input -> node.text(1, input));
    outputs.forEach(output -> node.text(2, output));
    node.text(3, name).text(4, operator);
    for (ProtobufWriter attribute : attributes) {
      node.message(5, attribute);
    }
    graph.message(1, node);
  }

  static ProtobufWriter attribute(String name, long value) {
    return new ProtobufWriter().text(1, name).integer(3, value).integer(20, ATTRIBUTE_INT);
  }

  static ProtobufWriter attribute(String name, String value) {
    return new ProtobufWriter().text(1, name).text(4, value).integer(20, ATTRIBUTE_STRING);
  }

  static ProtobufWriter attribute(String name, long[] values) {
    ProtobufWriter attribute = new ProtobufWriter().text(1, name);
    for (long value : values) {
      attribute.integer(8, value);
    }
    return attribute.integer(20, ATTRIBUTE_INTS);
  }

  static ProtobufWriter attribute(String name, List<String> values) {
    ProtobufWriter attribute = new ProtobufWriter().text(1, name);
    values.forEach(value -> attribute.text(9, value));
    return attribute.integer(20, ATTRIBUTE_STRINGS);
  }

  /** A float constant, rounded to nearest. */
  void constant(String name, double[] values, long... shape) {
    byte[] raw = bytes((long) values.length * Float.BYTES);
    FloatBuffer floats = ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    for (double value : values) {
      floats.put((float) value);
    }
    constant(name, FLOAT, raw, shape);
  }

  /** An int64 constant. */
  void constant(String name, long[] values, long... shape) {
    byte[] raw = bytes((long) values.length * Long.BYTES);
    ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(values);
    constant(name, INT64, raw, shape);
  }

  private void constant(String name, int type, byte[] raw, long... shape) {
    ProtobufWriter tensor = new ProtobufWriter();
    for (long size : shape) {
      tensor.integer(1, size);
    }
    graph.message(5, tensor.integer(2, type).text(8, name).bytes(9, raw));
  }

  /** A protocol buffer ends at 2 GiB; other formats of ONNX keep such weights in a second file. */
  private byte[] bytes(long count) {
    weightBytes += count;
    if (weightBytes > Integer.MAX_VALUE - (1 << 20)) {
      throw new IllegalArgumentException(
          "the weights take more than 2 GiB, which an ONNX file cannot hold; export a smaller"
              + " model");
    }
    return new byte[(int) count];
  }

  /**
   * An input of the graph.
   *
   * @param shape numbers, or names such as T for sizes that each run chooses
   */
  void input(String name, int type, Object... shape) {
    graph.message(11, value(name, type, shape));
  }

  /** An output of the graph. */
  void output(String name, int type, Object... shape) {
    graph.message(12, value(name, type, shape));
  }

  private static ProtobufWriter value(String name, int type, Object... shape) {
    ProtobufWriter axes = new ProtobufWriter();
    for (Object size : shape) {
      ProtobufWriter axis = new ProtobufWriter();
      axes.message(
          1,
          size instanceof String named
              ? axis.text(2, named)
              : axis.integer(1, ((Number) size).longValue()));
    }
    ProtobufWriter tensor = new ProtobufWriter().integer(1, type).message(2, axes);
    return new ProtobufWriter().text(1, name).message(2, new ProtobufWriter().message(1, tensor));
  }

  /** The graph as a message; nothing is added afterwards. */
  ProtobufWriter finished() {
    return graph.text(2, "unroll");
  }
}
