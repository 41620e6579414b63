package io.unroll.io;

import io.unroll.FileFormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Reads the fields of one protocol buffer message, one after the other: {@link #next}, then {@link
 * #field} and one method for its value or {@link #skip}. Format:
 * protobuf.dev/programming-guides/encoding.
 */
final class ProtobufReader {
  private final String file;
  private final String message;
  private final ByteBuffer in;
  private int field;
  private int wireType;

  /**
   * @param message its name, for error messages
   * @param in the message; the reader moves its position
   */
  ProtobufReader(String file, String message, ByteBuffer in) {
    this.file = file;
    this.message = message;
    this.in = in.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Goes to the next field; false at the end. */
  boolean next() throws FileFormatException {
    if (!in.hasRemaining()) {
      return false;
    }
    long tag = varint();
    wireType = (int) (tag & 7);
    field = (int) (tag >>> 3);
    if (tag >>> 3 < 1 || tag >>> 3 > 0x1FFFFFFF) {
      throw damaged("has the field number " + (tag >>> 3));
    }
    return true;
  }

  /** The number of the field. */
  int field() {
    return field;
  }

  /** The value of an integer or an enum. */
  long integer() throws FileFormatException {
    require(ProtobufWriter.VARINT);
    return varint();
  }

  /** Adds the values of a repeated integer, packed or not. */
  void integers(List<Long> target) throws FileFormatException {
    if (wireType == ProtobufWriter.VARINT) {
      target.add(varint());
      return;
    }
    ProtobufReader packed = message(message);
    while (packed.in.hasRemaining()) {
      target.add(packed.varint());
    }
  }

  /** The value of a float. */
  float real() throws FileFormatException {
    require(ProtobufWriter.FIXED32);
    requireBytes(Float.BYTES);
    return in.getFloat();
  }

  /** Adds the values of a repeated float, packed or not. */
  void reals(List<Double> target) throws FileFormatException {
    if (wireType == ProtobufWriter.FIXED32) {
      target.add((double) real());
      return;
    }
    ByteBuffer packed = wholes(Float.BYTES);
    while (packed.hasRemaining()) {
      target.add((double) packed.getFloat());
    }
  }

  /** Adds the values of a repeated double, packed or not. */
  void doubles(List<Double> target) throws FileFormatException {
    if (wireType == ProtobufWriter.FIXED64) {
      requireBytes(Double.BYTES);
      target.add(in.getDouble());
      return;
    }
    ByteBuffer packed = wholes(Double.BYTES);
    while (packed.hasRemaining()) {
      target.add(packed.getDouble());
    }
  }

  private ByteBuffer wholes(int width) throws FileFormatException {
    ByteBuffer packed = bytes();
    if (packed.remaining() % width != 0) {
      throw damaged("has " + packed.remaining() + " bytes of numbers in field " + field);
    }
    return packed;
  }

  /** The value of a string. */
  String text() throws FileFormatException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes()).toString();
    } catch (CharacterCodingException e) {
      throw damaged("has text in field " + field + " that is no UTF-8");
    }
  }

  /** The value of a message. */
  ProtobufReader message(String name) throws FileFormatException {
    return new ProtobufReader(file, name, bytes());
  }

  /** The value of a bytes field, a view of the file. */
  ByteBuffer bytes() throws FileFormatException {
    require(ProtobufWriter.BYTES);
    long length = varint();
    requireBytes(length);
    ByteBuffer value = in.slice(in.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + (int) length);
    return value;
  }

  /** Passes over a field that nobody needs. */
  void skip() throws FileFormatException {
    switch (wireType) {
      case ProtobufWriter.VARINT -> varint();
      case ProtobufWriter.BYTES -> bytes();
      case ProtobufWriter.FIXED64 -> skip(Long.BYTES);
      case ProtobufWriter.FIXED32 -> skip(Integer.BYTES);
      default -> throw damaged("has wire type " + wireType + " in field " + field);
    }
  }

  private void skip(int bytes) throws FileFormatException {
    requireBytes(bytes);
    in.position(in.position() + bytes);
  }

  private long varint() throws FileFormatException {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      requireBytes(1);
      byte next = in.get();
      value |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw damaged("has an integer of more than 64 bits");
  }

  private void require(int wanted) throws FileFormatException {
    if (wireType != wanted) {
      throw damaged("has wire type " + wireType + " in field " + field + " instead of " + wanted);
    }
  }

  private void requireBytes(long count) throws FileFormatException {
    if (count < 0 || count > in.remaining()) {
      throw damaged(
          "ends too early: field "
              + field
              + " needs "
              + Long.toUnsignedString(count)
              + " bytes, but "
              + in.remaining()
              + " are left");
    }
  }

  private FileFormatException damaged(String problem) {
    return new FileFormatException(
        file,
        message + " " + problem,
        "The file is damaged or no ONNX model; export or copy it again.");
  }
}
