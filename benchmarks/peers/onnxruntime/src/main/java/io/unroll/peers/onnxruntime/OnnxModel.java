package io.unroll.peers.onnxruntime;

import io.unroll.peers.Case;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * Writes the ONNX file of recurrent layers: a graph of a node for each, with x [T,B,I] as its
 * input, and the weights and the lengths of ragged rows inside. Its output y is [T,1,B,H] of a last
 * layer in one direction, as the node gives it, else [T,B,2*H]; what joins directions and layers is
 * a node too. Field numbers are those of onnx.proto.
 */
final class OnnxModel {
  private static final int IR_VERSION = 8;
  private static final int OPSET = 14;
  private static final int FLOAT = 1;
  private static final int INT32 = 6;
  private static final int INT64 = 7;
  private static final int ATTRIBUTE_INT = 2;
  private static final int ATTRIBUTE_STRING = 3;
  private static final int ATTRIBUTE_INTS = 7;

  private static final int WIRE_VARINT = 0;
  private static final int WIRE_BYTES = 2;

  private OnnxModel() {}

  static long[] outputShape(Case layer) {
    return layer.directions() == 1
        ? new long[] {layer.steps(), 1, layer.batch(), layer.hiddenSize()}
        : new long[] {layer.steps(), layer.batch(), 2L * layer.hiddenSize()};
  }

  /**
   * @param parameters gives those of {@link Case#parameterShapes} by their index, in PyTorch's
   *     layout and order of gates
   */
  static byte[] of(Case layer, IntFunction<float[]> parameters) {
    Message graph = new Message();
    int last = layer.variant().layers() - 1;
    for (int n = 0; n <= last; n++) {
      addLayer(graph, layer, n, parameters);
      if (layer.directions() == 2) {
        joinDirections(graph, n, n == last ? "y" : "x" + (n + 1));
      } else if (n < last) {
        graph.message(1, node("Squeeze", "x" + (n + 1), "y" + n, "axis"));
      }
    }
    graph.text(2, "layers");
    if (layer.directions() == 2) {
      graph.message(5, longs("joined", layer.steps(), layer.batch(), 2L * layer.hiddenSize()));
    } else if (last > 0) {
      graph.message(5, longs("axis", 1));
    }
    if (layer.variant().ragged()) {
      ByteBuffer raw = ByteBuffer.allocate(4 * layer.batch()).order(ByteOrder.LITTLE_ENDIAN);
      raw.asIntBuffer().put(layer.lengths());
      graph.message(5, tensor("lengths", INT32, raw, layer.batch()));
    }
    graph.message(11, value("x", layer.steps(), layer.batch(), layer.inputSize()));
    graph.message(12, value("y", outputShape(layer)));
    return new Message()
        .number(1, IR_VERSION)
        .message(7, graph)
        .message(8, new Message().text(1, "").number(2, OPSET))
        .bytes();
  }

  /** The n-th recurrent node, from x or x with its number to y or y with its number. */
  private static void addLayer(Message graph, Case layer, int n, IntFunction<float[]> parameters) {
    int directions = layer.directions();
    int rows = layer.gates() * layer.hiddenSize();
    int wide = layer.inputSize(n);
    FloatBuffer wIh = FloatBuffer.allocate(directions * rows * wide);
    FloatBuffer wHh = FloatBuffer.allocate(directions * rows * layer.hiddenSize());
    FloatBuffer biases = FloatBuffer.allocate(directions * 2 * rows);
    for (int way = 0; way < directions; way++) {
      int first = 4 * (n * directions + way);
      wIh.put(reordered(layer, parameters.apply(first)));
      wHh.put(reordered(layer, parameters.apply(first + 1)));
      biases.put(reordered(layer, parameters.apply(first + 2)));
      biases.put(reordered(layer, parameters.apply(first + 3)));
    }
    boolean isOutput = directions == 1 && n == layer.variant().layers() - 1;
    Message node =
        node(
            layer.cell().toUpperCase(Locale.ROOT),
            isOutput ? "y" : "y" + n,
            n == 0 ? "x" : "x" + n,
            "W" + n,
            "R" + n,
            "B" + n,
            layer.variant().ragged() ? "lengths" : "");
    node.message(5, attribute("hidden_size", layer.hiddenSize()));
    if (layer.cell().equals("gru")) {
      node.message(5, attribute("linear_before_reset", 1));
    }
    if (directions == 2) {
      node.message(
          5,
          new Message().text(1, "direction").text(4, "bidirectional").number(20, ATTRIBUTE_STRING));
    }
    graph
        .message(1, node)
        .message(5, floats("W" + n, wIh, directions, rows, wide))
        .message(5, floats("R" + n, wHh, directions, rows, layer.hiddenSize()))
        .message(5, floats("B" + n, biases, directions, 2 * rows));
  }

  /** From [T,2,B,H] to [T,B,2*H]. */
  private static void joinDirections(Message graph, int n, String result) {
    Message order = new Message().text(1, "perm").number(20, ATTRIBUTE_INTS);
    for (int axis : new int[] {0, 2, 1, 3}) {
      order.number(8, axis);
    }
    graph.message(1, node("Transpose", "t" + n, "y" + n).message(5, order));
    graph.message(1, node("Reshape", result, "t" + n, "joined"));
  }

  private static Message node(String operation, String result, String... inputs) {
    Message node = new Message();
    for (String input : inputs) {
      node.text(1, input);
    }
    return node.text(2, result).text(4, operation);
  }

  private static Message attribute(String name, int value) {
    return new Message().text(1, name).number(3, value).number(20, ATTRIBUTE_INT);
  }

  private static Message floats(String name, FloatBuffer values, int... dims) {
    ByteBuffer raw = ByteBuffer.allocate(4 * values.capacity()).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values.array());
    return tensor(name, FLOAT, raw, dims);
  }

  private static Message longs(String name, long... values) {
    ByteBuffer raw = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asLongBuffer().put(values);
    return tensor(name, INT64, raw, values.length);
  }

  private static Message tensor(String name, int type, ByteBuffer raw, int... dims) {
    Message tensor = new Message();
    for (int dim : dims) {
      tensor.number(1, dim);
    }
    return tensor.number(2, type).text(8, name).raw(9, raw.array());
  }

  private static Message value(String name, long... dims) {
    Message shape = new Message();
    for (long dim : dims) {
      shape.message(1, new Message().number(1, dim));
    }
    Message type = new Message().number(1, FLOAT).message(2, shape);
    return new Message().text(1, name).message(2, new Message().message(1, type));
  }

  /** From PyTorch's order of gates to ONNX's: GRU r,z,n to z,r,n; LSTM i,f,g,o to i,o,f,g. */
  private static float[] reordered(Case layer, float[] values) {
    int[] order =
        switch (layer.cell()) {
          case "gru" -> new int[] {1, 0, 2};
          case "lstm" -> new int[] {0, 3, 1, 2};
          default -> new int[] {0};
        };
    int block = values.length / order.length;
    float[] result = new float[values.length];
    for (int g = 0; g < order.length; g++) {
      System.arraycopy(values, order[g] * block, result, g * block, block);
    }
    return result;
  }

  /** A protocol buffer message being written. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message number(int field, long value) {
      varint((long) field << 3 | WIRE_VARINT);
      varint(value);
      return this;
    }

    Message raw(int field, byte[] bytes) {
      varint((long) field << 3 | WIRE_BYTES);
      varint(bytes.length);
      out.writeBytes(bytes);
      return this;
    }

    Message text(int field, String text) {
      return raw(field, text.getBytes(StandardCharsets.UTF_8));
    }

    Message message(int field, Message message) {
      return raw(field, message.bytes());
    }

    byte[] bytes() {
      return out.toByteArray();
    }

    private void varint(long value) {
      long rest = value;
      while ((rest & ~0x7FL) != 0) {
        out.write((int) (rest & 0x7F | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
    }
  }
}
