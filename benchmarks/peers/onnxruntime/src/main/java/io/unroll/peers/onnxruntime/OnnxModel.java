package io.unroll.peers.onnxruntime;

import io.unroll.peers.Case;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Writes the ONNX file of one recurrent layer: a graph of one node, with x [T,B,I] as its input, y
 * [T,1,B,H] as its output and the weights inside. Field numbers are those of onnx.proto.
 */
final class OnnxModel {
  private static final int IR_VERSION = 8;
  private static final int OPSET = 14;
  private static final int FLOAT = 1;
  private static final int ATTRIBUTE_INT = 2;

  private static final int WIRE_VARINT = 0;
  private static final int WIRE_BYTES = 2;

  private OnnxModel() {}

  /**
   * Weights have PyTorch's layout and order of gates.
   *
   * @param wIh [G*H,I]
   * @param wHh [G*H,H]
   * @param bIh [G*H]
   * @param bHh [G*H]
   */
  static byte[] of(Case layer, float[] wIh, float[] wHh, float[] bIh, float[] bHh) {
    int gates = layer.gates();
    int hidden = layer.hiddenSize();
    int rows = gates * hidden;
    float[] biases = new float[2 * rows];
    System.arraycopy(reordered(layer, bIh), 0, biases, 0, rows);
    System.arraycopy(reordered(layer, bHh), 0, biases, rows, rows);
    Message graph =
        new Message()
            .message(1, node(layer))
            .text(2, "layer")
            .message(5, tensor("W", reordered(layer, wIh), 1, rows, layer.inputSize()))
            .message(5, tensor("R", reordered(layer, wHh), 1, rows, hidden))
            .message(5, tensor("B", biases, 1, 2 * rows))
            .message(11, value("x", layer.steps(), layer.batch(), layer.inputSize()))
            .message(12, value("y", layer.steps(), 1, layer.batch(), hidden));
    return new Message()
        .number(1, IR_VERSION)
        .message(7, graph)
        .message(8, new Message().text(1, "").number(2, OPSET))
        .bytes();
  }

  private static Message node(Case layer) {
    Message node =
        new Message()
            .text(1, "x")
            .text(1, "W")
            .text(1, "R")
            .text(1, "B")
            .text(2, "y")
            .text(4, layer.cell().toUpperCase(Locale.ROOT))
            .message(5, attribute("hidden_size", layer.hiddenSize()));
    if (layer.cell().equals("gru")) {
      node.message(5, attribute("linear_before_reset", 1));
    }
    return node;
  }

  private static Message attribute(String name, int value) {
    return new Message().text(1, name).number(3, value).number(20, ATTRIBUTE_INT);
  }

  private static Message tensor(String name, float[] values, int... dims) {
    Message tensor = new Message();
    for (int dim : dims) {
      tensor.number(1, dim);
    }
    ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    return tensor.number(2, FLOAT).text(8, name).raw(9, raw.array());
  }

  private static Message value(String name, int... dims) {
    Message shape = new Message();
    for (int dim : dims) {
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
