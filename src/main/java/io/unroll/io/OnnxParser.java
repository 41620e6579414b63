package io.unroll.io;

import io.unroll.FileFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads what Unroll needs of an ONNX model: its nodes, constants and metadata. Field numbers are
 * those of onnx.proto in github.com/onnx/onnx.
 */
final class OnnxParser {
  /** An attribute of a node; what it is not is zero, null or empty. */
  record Attribute(
      String name, long integer, double real, String text, List<String> texts, OnnxTensor tensor) {}

  /**
   * A node.
   *
   * @param name its own, or where it has none that of its first output
   */
  record Node(
      String name,
      String operator,
      String domain,
      List<String> inputs,
      List<String> outputs,
      Map<String, Attribute> attributes) {
    /** The name of an input, empty if it is left out. */
    String input(int index) {
      return index < inputs.size() ? inputs.get(index) : "";
    }
  }

  /** Of a protocol buffer, and of a Java array. */
  private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

  private final Path path;
  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, OnnxTensor> initializers = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private OnnxParser(Path path) {
    this.path = path;
  }

  static OnnxParser parse(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileFormatException(
          path.toString(), "this is a folder, not a file", "Give the path of an ONNX file.");
    }
    if (Files.size(path) > MAX_BYTES) {
      throw new FileFormatException(
          path.toString(),
          "has " + Files.size(path) + " bytes, but an ONNX model has at most " + MAX_BYTES,
          "Export it with its weights in a second file.");
    }
    OnnxParser parser = new OnnxParser(path);
    parser.readModel(ByteBuffer.wrap(Files.readAllBytes(path)));
    return parser;
  }

  List<Node> nodes() {
    return nodes;
  }

  Map<String, OnnxTensor> initializers() {
    return initializers;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  private void readModel(ByteBuffer bytes) throws FileFormatException {
    ProtobufReader model = new ProtobufReader(path.toString(), "ModelProto", bytes);
    boolean graph = false;
    while (model.next()) {
      switch (model.field()) {
        case 7 -> {
          readGraph(model.message("GraphProto"));
          graph = true;
        }
        case 14 -> readMetadata(model.message("StringStringEntryProto"), metadata);
        default -> model.skip();
      }
    }
    if (!graph) {
      throw new FileFormatException(
          path.toString(), "has no graph", "Give an ONNX model; export or copy it again.");
    }
  }

  private void readGraph(ProtobufReader graph) throws FileFormatException {
    while (graph.next()) {
      switch (graph.field()) {
        case 1 -> nodes.add(readNode(graph.message("NodeProto")));
        case 5 -> {
          OnnxTensor tensor = readTensor(graph.message("TensorProto"));
          initializers.put(tensor.name(), tensor);
        }
        default -> graph.skip();
      }
    }
  }

  private Node readNode(ProtobufReader in) throws FileFormatException {
    String name = "";
    String operator = "";
    String domain = "";
    List<String> inputs = new ArrayList<>();
    List<String> outputs = new ArrayList<>();
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> inputs.add(in.text());
        case 2 -> outputs.add(in.text());
        case 3 -> name = in.text();
        case 4 -> operator = in.text();
        case 5 -> {
          Attribute attribute = readAttribute(in.message("AttributeProto"));
          attributes.put(attribute.name(), attribute);
        }
        case 7 -> domain = in.text();
        default -> in.skip();
      }
    }
    if (name.isEmpty() && !outputs.isEmpty()) {
      name = outputs.get(0);
    }
    return new Node(name, operator, domain, inputs, outputs, attributes);
  }

  private Attribute readAttribute(ProtobufReader in) throws FileFormatException {
    String name = "";
    long integer = 0;
    double real = 0;
    String text = null;
    List<String> texts = new ArrayList<>();
    OnnxTensor tensor = null;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> name = in.text();
        case 2 -> real = in.real();
        case 3 -> integer = in.integer();
        case 4 -> text = in.text();
        case 5 -> tensor = readTensor(in.message("TensorProto"));
        case 9 -> texts.add(in.text());
        default -> in.skip();
      }
    }
    return new Attribute(name, integer, real, text, texts, tensor);
  }

  private OnnxTensor readTensor(ProtobufReader in) throws FileFormatException {
    OnnxTensor.Builder tensor = new OnnxTensor.Builder(path);
    Map<String, String> external = new LinkedHashMap<>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> in.integers(tensor.dims);
        case 2 -> tensor.type = in.integer();
        case 4 -> in.reals(tensor.reals);
        case 8 -> tensor.name = in.text();
        case 9 -> tensor.raw = in.bytes();
        case 10 -> in.doubles(tensor.reals);
        case 13 -> readMetadata(in.message("StringStringEntryProto"), external);
        case 14 -> tensor.isExternal = in.integer() == 1;
        default -> in.skip();
      }
    }
    tensor.external = external;
    return tensor.build();
  }

  private static void readMetadata(ProtobufReader in, Map<String, String> target)
      throws FileFormatException {
    String key = "";
    String value = "";
    while (in.next()) {
      switch (in.field()) {
        case 1 -> key = in.text();
        case 2 -> value = in.text();
        default -> in.skip();
      }
    }
    target.put(key, value);
  }
}
