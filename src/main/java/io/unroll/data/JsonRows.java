package io.unroll.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.unroll.FileFormatException;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The records of a file with one JSON object (RFC 8259) a line; empty lines are none. */
final class JsonRows implements Rows.Source {
  private final Path path;
  private final PlacedReader in;

  JsonRows(Path path) throws IOException {
    this.path = path;
    this.in = new PlacedReader(path);
  }

  @Override
  public Row next() throws IOException {
    while (in.peek() >= 0) {
      int number = in.line();
      StringBuilder text = new StringBuilder();
      for (int c = in.next(); c >= 0 && c != '\n'; c = in.next()) {
        text.append((char) c);
      }
      String line = text.toString();
      if (!line.isBlank()) {
        return new JsonRow(number, line, parse(number, line));
      }
    }
    return null;
  }

  private JsonObject parse(int number, String line) throws IOException {
    try {
      JsonElement parsed = parse(new StringReader(line));
      if (parsed.isJsonObject()) {
        return parsed.getAsJsonObject();
      }
    } catch (JsonParseException e) {
      int at = Math.max(0, malformedAt(line));
      String rest = line.substring(at, Math.min(line.length(), at + 20));
      throw in.problem(
          number,
          column(line, at),
          rest.isEmpty() ? "the JSON object ends too early" : "no JSON from here on: " + rest,
          "Give one JSON object a line.");
    }
    throw in.problem(number, 1, "this JSON is no object", "Give one JSON object a line.");
  }

  private static JsonElement parse(Reader text) {
    JsonReader reader = new JsonReader(text);
    reader.setStrictness(Strictness.STRICT);
    JsonElement parsed = JsonParser.parseReader(reader);
    try {
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new JsonParseException("more than one value");
      }
    } catch (IOException e) {
      throw new JsonParseException(e);
    }
    return parsed;
  }

  /** The index of the character that the parser could not take. */
  private static int malformedAt(String line) {
    UnitReader units = new UnitReader(line);
    try {
      parse(units);
    } catch (JsonParseException e) {
      return units.ended ? units.taken : units.taken - 1;
    }
    return 0;
  }

  private static int column(String line, int index) {
    return 1 + line.codePointCount(0, index);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  /** Gives one character at a time, so that it knows how far its reader has come. */
  private static final class UnitReader extends Reader {
    private final String text;
    private int taken;
    private boolean ended;

    UnitReader(String text) {
      this.text = text;
    }

    @Override
    public int read(char[] target, int from, int count) {
      if (taken == text.length()) {
        ended = true;
        return -1;
      }
      target[from] = text.charAt(taken++);
      return 1;
    }

    @Override
    public void close() {}
  }

  private final class JsonRow extends Row {
    private final int number;
    private final String line;
    private final JsonObject object;

    JsonRow(int number, String line, JsonObject object) {
      this.number = number;
      this.line = line;
      this.object = object;
    }

    @Override
    public List<String> columns() {
      return List.copyOf(object.keySet());
    }

    private JsonElement element(String column) throws FileFormatException {
      JsonElement element = object.get(column);
      if (element == null) {
        throw noColumn(path + ":" + number + ":1", column, columns());
      }
      return element;
    }

    @Override
    public FileFormatException problem(String column, String problem, String cure) {
      if (!object.has(column)) {
        return noColumn(path + ":" + number + ":1", column, columns());
      }
      String value = object.get(column).toString();
      String shown = value.length() > 40 ? value.substring(0, 40) + "..." : value;
      return in.problem(
          number, column(line, valueAt(column)), column + " " + shown + " " + problem, cure);
    }

    /** Where the value of a column begins. */
    private int valueAt(String column) {
      UnitReader units = new UnitReader(line);
      try {
        JsonReader reader = new JsonReader(units);
        reader.beginObject();
        while (!reader.nextName().equals(column)) {
          reader.skipValue();
        }
      } catch (IOException e) {
        throw new AssertionError("this line was parsed before", e);
      }
      int at = units.taken;
      while (line.charAt(at) == ':' || Character.isWhitespace(line.charAt(at))) {
        at++;
      }
      return at;
    }

    @Override
    public boolean isMissing(String column) throws FileFormatException {
      return element(column).isJsonNull();
    }

    @Override
    public String text(String column) throws FileFormatException {
      JsonElement element = element(column);
      if (!element.isJsonPrimitive()) {
        throw problem(column, "is no text", "Give a string.");
      }
      return element.getAsString();
    }

    @Override
    public double number(String column) throws FileFormatException {
      return number(column, element(column));
    }

    private double number(String column, JsonElement element) throws FileFormatException {
      if (element.isJsonNull()) {
        return Double.NaN;
      }
      if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isNumber()) {
        throw problem(column, "is no number", "Give a number, or null if it is missing.");
      }
      double number = element.getAsDouble();
      if (Double.isInfinite(number)) {
        throw problem(column, "is beyond a number of 64 bits", "Give it another unit.");
      }
      return number;
    }

    private JsonArray array(String column) throws FileFormatException {
      JsonElement element = element(column);
      if (!element.isJsonArray()) {
        throw problem(column, "is no list", "Give it in brackets.");
      }
      return element.getAsJsonArray();
    }

    @Override
    public List<String> texts(String column) throws FileFormatException {
      List<String> all = new ArrayList<>();
      for (JsonElement element : array(column)) {
        if (!element.isJsonPrimitive()) {
          throw problem(column, "holds " + element + ", which is no text", "Give strings.");
        }
        all.add(element.getAsString());
      }
      return all;
    }

    @Override
    public int[] integers(String column) throws FileFormatException {
      JsonArray array = array(column);
      int[] all = new int[array.size()];
      for (int i = 0; i < all.length; i++) {
        double value = number(column, array.get(i));
        all[i] = (int) value;
        if (all[i] != value) {
          throw problem(
              column, "holds " + array.get(i) + ", no whole number of 32 bits", "Give integers.");
        }
      }
      return all;
    }

    @Override
    public float[][] vectors(String column) throws FileFormatException {
      JsonArray array = array(column);
      float[][] all = new float[array.size()][];
      for (int t = 0; t < all.length; t++) {
        JsonElement step = array.get(t);
        if (step.isJsonArray()) {
          all[t] = new float[step.getAsJsonArray().size()];
          for (int i = 0; i < all[t].length; i++) {
            all[t][i] = single(column, number(column, step.getAsJsonArray().get(i)));
          }
        } else {
          all[t] = new float[] {single(column, number(column, step))};
        }
        if (all[t].length != all[0].length) {
          throw problem(
              column,
              "has " + all[0].length + " numbers at step 0, but " + all[t].length + " at " + t,
              "Give all vectors the same size.");
        }
      }
      return all;
    }
  }
}
