package io.unroll.io;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.unroll.FileFormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The header of a safetensors file, checked: every tensor's bytes are its shape times its dtype,
 * and together they cover the data without gap or overlap.
 *
 * @param tensors by name, in the order of the header
 * @param metadata in the order of the header
 */
record SafetensorsHeader(Map<String, Tensor> tensors, Map<String, String> metadata) {
  /**
   * One tensor.
   *
   * @param begin offset of its first byte in the data
   * @param end offset behind its last byte
   */
  record Tensor(String name, Dtype dtype, long[] shape, long begin, long end) {
    long bytes() {
      return end - begin;
    }
  }

  /**
   * @param file for messages
   * @param json the header's bytes
   * @param dataBytes how many bytes follow the header
   */
  static SafetensorsHeader parse(String file, byte[] json, long dataBytes)
      throws FileFormatException {
    return new Parser(file, json, dataBytes).parse();
  }

  private static final class Parser {
    private static final String WRITER = "Correct the program that wrote the file.";

    private final String file;
    private final byte[] json;
    private final long dataBytes;
    private final JsonReader reader;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private Map<String, String> metadata;

    Parser(String file, byte[] json, long dataBytes) {
      this.file = file;
      this.json = json;
      this.dataBytes = dataBytes;
      this.reader =
          new JsonReader(
              new InputStreamReader(
                  new ByteArrayInputStream(json), StandardCharsets.UTF_8.newDecoder()));
      reader.setStrictness(Strictness.STRICT);
    }

    SafetensorsHeader parse() throws FileFormatException {
      if (json.length == 0 || json[0] != '{') {
        throw refused("the header does not begin with {", Safetensors.DAMAGED);
      }
      try {
        readDocument();
      } catch (FileFormatException e) {
        throw e;
      } catch (CharacterCodingException e) {
        throw new FileFormatException(file, "the header is not UTF-8", Safetensors.DAMAGED, e);
      } catch (IOException e) {
        throw new FileFormatException(
            file,
            "the header is not JSON near " + Quoting.quoted(reader.getPath()),
            Safetensors.DAMAGED,
            e);
      }
      checkCoverage();
      return new SafetensorsHeader(
          Collections.unmodifiableMap(tensors),
          metadata == null ? Map.of() : Collections.unmodifiableMap(metadata));
    }

    private void readDocument() throws IOException {
      reader.beginObject();
      while (reader.hasNext()) {
        String name = reader.nextName();
        if (name.equals(Safetensors.METADATA)) {
          if (metadata != null) {
            throw refused("the header has " + Safetensors.METADATA + " twice", WRITER);
          }
          metadata = readMetadata();
        } else if (tensors.put(name, readTensor(name)) != null) {
          throw refused(tensor(name) + " is there twice", WRITER);
        }
      }
      reader.endObject();
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw refused("more than spaces follows the header's closing brace", Safetensors.DAMAGED);
      }
    }

    private Map<String, String> readMetadata() throws IOException {
      expect(JsonToken.BEGIN_OBJECT, Safetensors.METADATA);
      Map<String, String> map = new LinkedHashMap<>();
      reader.beginObject();
      while (reader.hasNext()) {
        String key = reader.nextName();
        String what = "key " + Quoting.quoted(key) + " of " + Safetensors.METADATA;
        expect(JsonToken.STRING, what);
        if (map.put(key, reader.nextString()) != null) {
          throw refused(what + " is there twice", WRITER);
        }
      }
      reader.endObject();
      return map;
    }

    private Tensor readTensor(String name) throws IOException {
      String what = tensor(name);
      expect(JsonToken.BEGIN_OBJECT, what);
      Dtype dtype = null;
      long[] shape = null;
      long[] offsets = null;
      reader.beginObject();
      while (reader.hasNext()) {
        String key = reader.nextName();
        boolean again;
        switch (key) {
          case "dtype" -> {
            again = dtype != null;
            dtype = readDtype(what);
          }
          case "shape" -> {
            again = shape != null;
            shape = readNaturals("shape of " + what);
          }
          case "data_offsets" -> {
            again = offsets != null;
            offsets = readNaturals("data_offsets of " + what);
          }
          default ->
              throw refused(
                  what
                      + " has the key "
                      + Quoting.quoted(key)
                      + ", but only dtype, shape and data_offsets are allowed",
                  WRITER);
        }
        if (again) {
          throw refused(what + " has " + key + " twice", WRITER);
        }
      }
      reader.endObject();
      if (dtype == null || shape == null || offsets == null) {
        String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
        throw refused(what + " has no " + missing, WRITER);
      }
      return checked(name, dtype, shape, offsets);
    }

    private Dtype readDtype(String what) throws IOException {
      expect(JsonToken.STRING, "dtype of " + what);
      String text = reader.nextString();
      for (Dtype dtype : Dtype.values()) {
        if (dtype.name().equals(text)) {
          return dtype;
        }
      }
      throw refused(
          what
              + " has dtype "
              + Quoting.quoted(text)
              + ", but Unroll reads "
              + Arrays.stream(Dtype.values()).map(Dtype::name).collect(Collectors.joining(", ")),
          "Convert the tensor to one of them.");
    }

    private long[] readNaturals(String what) throws IOException {
      expect(JsonToken.BEGIN_ARRAY, what);
      List<Long> values = new ArrayList<>();
      reader.beginArray();
      while (reader.hasNext()) {
        expect(JsonToken.NUMBER, what);
        // As text: nextLong would take 1.0 and 1e2 too.
        String text = reader.nextString();
        if (!text.chars().allMatch(c -> c >= '0' && c <= '9')) {
          throw refused(
              what + " has " + clip(text) + ", but only integers from 0 up are allowed", WRITER);
        }
        try {
          values.add(Long.parseLong(text));
        } catch (NumberFormatException e) {
          throw refused(what + " has " + clip(text) + ", which overflows 63 bits", WRITER);
        }
      }
      reader.endArray();
      return values.stream().mapToLong(Long::longValue).toArray();
    }

    private Tensor checked(String name, Dtype dtype, long[] shape, long[] offsets)
        throws FileFormatException {
      String what = tensor(name);
      long bytes = dtype.bytes();
      try {
        for (long extent : shape) {
          bytes = Math.multiplyExact(bytes, extent);
        }
      } catch (ArithmeticException e) {
        throw refused(
            what + " has shape " + clip(Arrays.toString(shape)) + ", whose size overflows 63 bits",
            WRITER);
      }
      if (offsets.length != 2) {
        throw refused(
            what + " has " + offsets.length + " data_offsets, but needs its begin and its end",
            WRITER);
      }
      Tensor tensor = new Tensor(name, dtype, shape, offsets[0], offsets[1]);
      if (tensor.end() > dataBytes) {
        throw refused(
            what + at(tensor) + ", but the file has only " + dataBytes + " bytes of data",
            Safetensors.DAMAGED);
      }
      if (tensor.bytes() != bytes) {
        throw refused(
            what
                + at(tensor)
                + ", but "
                + dtype
                + " "
                + clip(Arrays.toString(shape))
                + " takes "
                + bytes
                + " bytes",
            WRITER);
      }
      return tensor;
    }

    /** Every byte of the data belongs to exactly one tensor. */
    private void checkCoverage() throws FileFormatException {
      List<Tensor> byPlace = new ArrayList<>(tensors.values());
      byPlace.sort(Comparator.comparingLong(Tensor::begin).thenComparingLong(Tensor::end));
      long covered = 0;
      String previous = "the start of the data";
      for (Tensor tensor : byPlace) {
        String what = tensor(tensor.name());
        if (tensor.begin() < covered) {
          throw refused(what + at(tensor) + " and overlaps " + previous, WRITER);
        }
        if (tensor.begin() > covered) {
          throw refused(
              what
                  + at(tensor)
                  + " and leaves a hole of "
                  + (tensor.begin() - covered)
                  + " bytes after "
                  + previous,
              WRITER);
        }
        covered = tensor.end();
        previous = what + at(tensor);
      }
      if (covered != dataBytes) {
        throw refused(
            "the tensors end at byte "
                + covered
                + " of the data, but the file has "
                + dataBytes
                + " bytes of data",
            Safetensors.DAMAGED);
      }
    }

    private void expect(JsonToken wanted, String what) throws IOException {
      JsonToken found = reader.peek();
      if (found != wanted) {
        throw refused(what + " is a JSON " + word(found) + ", but must be " + word(wanted), WRITER);
      }
    }

    private static String word(JsonToken token) {
      return switch (token) {
        case BEGIN_OBJECT -> "object";
        case BEGIN_ARRAY -> "array";
        default -> token.name().toLowerCase(Locale.ROOT);
      };
    }

    private static String tensor(String name) {
      return "tensor " + Quoting.quoted(name);
    }

    private static String at(Tensor tensor) {
      return " lies at bytes [" + tensor.begin() + ", " + tensor.end() + ")";
    }

    private static String clip(String text) {
      return text.length() <= 100 ? text : text.substring(0, 100) + "...";
    }

    private FileFormatException refused(String problem, String cure) {
      return new FileFormatException(file, problem, cure);
    }
  }
}
