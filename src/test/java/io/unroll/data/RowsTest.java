package io.unroll.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.FileFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowsTest {
  @TempDir Path folder;

  private Rows rows(String name, String text) throws IOException {
    return Rows.of(Files.writeString(folder.resolve(name), text));
  }

  private static List<List<String>> texts(Rows rows) throws IOException {
    List<List<String>> all = new ArrayList<>();
    rows.forEach(
        row -> {
          List<String> fields = new ArrayList<>();
          for (String column : row.columns()) {
            fields.add(row.text(column));
          }
          all.add(fields);
        });
    return all;
  }

  @Test
  void csvIsReadAsRfc4180HasIt() throws IOException {
    Rows rows =
        rows(
            "a.csv",
            "\uFEFFtext,label\r\nplain,1\r\n\"with, comma\",2\n\"two\r\nlines\",3\r\n"
                + "\"\"\"quoted\"\" 하늘 😀\",\n\n,5\r\nlast,6");
    List<List<String>> expected =
        List.of(
            List.of("plain", "1"),
            List.of("with, comma", "2"),
            List.of("two\r\nlines", "3"),
            List.of("\"quoted\" 하늘 😀", ""),
            List.of("", "5"),
            List.of("last", "6"));
    assertEquals(expected, texts(rows));
    assertEquals(expected, texts(rows), "a second reading");
  }

  @Test
  void otherSeparatorsAndColumnsWithoutHeader() throws IOException {
    assertEquals(List.of(List.of("a b", "c")), texts(rows("a.tsv", "x\ty\na b\tc\n")));
    Path path = Files.writeString(folder.resolve("b.txt"), "1;2\n;\n");
    assertArrayEquals(
        new float[][] {{2, 1}, {Float.NaN, Float.NaN}},
        Rows.csv(path, ';', "x", "y").series("y", "x"));
    assertEquals(
        List.of(List.of("a"), List.of(""), List.of("b")), texts(rows("c.csv", "x\na\n\nb")));
    assertThrows(IllegalArgumentException.class, () -> Rows.of(path));
  }

  /** Whatever stands in a field comes back, in chunks of any size. */
  @Test
  void whatIsWrittenIsRead() throws IOException {
    Random random = new Random(5);
    String alphabet = "ab\",\n\r é하😀";
    int[] points = alphabet.codePoints().toArray();
    List<List<String>> expected = new ArrayList<>();
    StringBuilder csv = new StringBuilder("a,b\n");
    for (int i = 0; i < 30_000; i++) {
      List<String> row = new ArrayList<>();
      for (int j = 0; j < 2; j++) {
        int[] field =
            random.ints(random.nextInt(6), 0, points.length).map(k -> points[k]).toArray();
        row.add(new String(field, 0, field.length));
      }
      expected.add(row);
      csv.append('"').append(row.get(0).replace("\"", "\"\"")).append("\",\"");
      csv.append(row.get(1).replace("\"", "\"\"")).append(random.nextBoolean() ? "\"\n" : "\"\r\n");
    }
    assertEquals(expected, texts(rows("a.csv", csv.toString())));
  }

  @Test
  void jsonLinesHoldTextsNumbersAndSequences() throws IOException {
    Rows rows =
        rows(
            "a.jsonl",
            "{\"text\": \"a \\\"b\\\"\", \"label\": 3, \"x\": [[1, 2.5], [null, -1e2]],"
                + " \"tags\": [\"N\", \"V\"], \"ids\": [4, 0]}\n\n"
                + "{\"label\": true, \"x\": [1, 2], \"text\": null, \"tags\": [], \"ids\": []}\n");
    List<Row> all = new ArrayList<>();
    rows.forEach(all::add);
    Row first = all.get(0);
    assertEquals("a \"b\"", first.text("text"));
    assertEquals(3, first.integer("label"));
    assertEquals("3", first.text("label"));
    assertArrayEquals(new float[][] {{1, 2.5f}, {Float.NaN, -100}}, first.vectors("x"));
    assertEquals(List.of("N", "V"), first.texts("tags"));
    assertArrayEquals(new int[] {4, 0}, first.integers("ids"));
    Row second = all.get(1);
    assertArrayEquals(new float[][] {{1}, {2}}, second.vectors("x"));
    assertTrue(second.isMissing("text") && !second.isMissing("tags"));
    assertEquals("true", second.text("label"));
    assertEquals(2, all.size());
  }

  @Test
  void numbersMayBeMissingInBoth() throws IOException {
    float nan = Float.NaN;
    float[][] expected = {{1, nan}, {nan, -0.5f}, {nan, 1e-3f}};
    assertArrayEquals(expected, rows("a.csv", "a,b\n1,\nNA,-.5\nNaN, 1e-3\n").series("a", "b"));
    assertArrayEquals(
        expected,
        rows("a.jsonl", "{\"a\":1,\"b\":null}\n{\"b\":-0.5,\"a\":null}\n{\"a\":null,\"b\":1e-3}")
            .series("a", "b"));
  }

  @Test
  void recordsOfAGroupAreOneSequence() throws IOException {
    Rows rows = rows("a.csv", "id,x\na,1\na,2\nb,3\nc,4\nc,5\n");
    List<String> groups = new ArrayList<>();
    rows.forEachGroup(
        "id", group -> groups.add(group.get(0).text("id") + group.size() + group.get(0).text("x")));
    assertEquals(List.of("a21", "b13", "c24"), groups);
    Rows mixed = rows("b.csv", "id,x\na,1\nb,3\na,2\n");
    assertFails("b.csv:4:1: id \"a\" comes again", () -> mixed.forEachGroup("id", group -> {}));
  }

  private interface Reading {
    void run() throws IOException;
  }

  private void assertFails(String message, Reading reading) {
    FileFormatException e = assertThrows(FileFormatException.class, reading::run);
    String shown = e.getMessage().replace(folder + folder.getFileSystem().getSeparator(), "");
    assertTrue(shown.startsWith(message), shown);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "a.csv | | a.csv:1:1: the file is empty",
        "a.csv | x,x\\n1,2 | a.csv:1:3: there are two columns \"x\"",
        "a.csv | x,y\\n1,2\\n3 | a.csv:3:1: this is the last of 1 fields, but the columns",
        "a.csv | x,y\\n1,2,3 | a.csv:2:5: this is the last of 3 fields",
        "a.csv | x,y\\n1,a\"b | a.csv:2:4: a quote within a field",
        "a.csv | x,y\\n1,\"ab\\n\\n | a.csv:2:3: the quote that opens here is never closed",
        "a.csv | x,y\\n\"하\"a,1 | a.csv:2:4: \"a\" comes after a closing quote",
        "a.csv | y,x\\n1,0x10 | a.csv:2:3: x \"0x10\" is no number",
        "a.csv | y,x\\n1,1f | a.csv:2:3: x \"1f\" is no number",
        "a.csv | y,x\\n😀,1f | a.csv:2:3: x \"1f\" is no number",
        "a.csv | y,x\\n1,1e999 | a.csv:2:3: x \"1e999\" is no number",
        "a.csv | y,x\\n1,1e99 | a.csv:2:3: x \"1e99\" holds 1.0E99, which float32 cannot",
        "a.csv | y,z\\n1,2 | a.csv:2:1: there is no column \"x\" but [y, z]",
        "a.jsonl | {\"y\":1} | a.jsonl:1:1: there is no column \"x\" but [y]",
        "a.jsonl | {\"y\":1, \"x\":  \"2\"} | a.jsonl:1:15: x \"2\" is no number",
        "a.jsonl | {\"x\":1}\\n\\n{\"x\":[1]} | a.jsonl:3:6: x [1] is no number",
        "a.jsonl | {\"x\":1e999} | a.jsonl:1:6: x 1e999 is beyond a number of 64 bits",
        "a.jsonl | {\"x\":1 | a.jsonl:1:7: the JSON object ends too early",
        "a.jsonl | {\"x\":1}\\n{'x':1} | a.jsonl:2:2: no JSON from here on: 'x':1}",
        "a.jsonl | {\"😀\":1, x:1} | a.jsonl:1:9: no JSON from here on: x:1}",
        "a.jsonl | {\"x\":NaN} | a.jsonl:1:",
        "a.jsonl | {\"x\":1} {} | a.jsonl:1:9: no JSON from here on: {}",
        "a.jsonl | [1] | a.jsonl:1:1: this JSON is no object",
      })
  void whatIsWrongIsNamedWithItsPlace(String name, String text, String message) throws IOException {
    Rows rows = rows(name, text == null ? "" : text.replace("\\n", "\n"));
    assertFails(message, () -> rows.series("x"));
  }

  @Test
  void fieldsOfOtherTypesAreRefused() throws IOException {
    Rows csv = rows("a.csv", "x\n1.5\n");
    assertFails("a.csv:2:1: x \"1.5\" is no whole number", () -> csv.forEach(r -> r.integer("x")));
    assertFails("a.csv:2:1: x \"1.5\" is one field", () -> csv.forEach(r -> r.vectors("x")));
    assertFails("a.csv:2:1: x \"1.5\" my rule", () -> csv.forEach(r -> reject(r, "my rule")));
    Rows json = rows("a.jsonl", "{\"x\": [[1, 2], [3]], \"y\": [1, 2.5, {}]}\n");
    assertFails(
        "a.jsonl:1:7: x [[1,2],[3]] has 2 numbers at step 0, but 1 at 1",
        () -> json.forEach(r -> r.vectors("x")));
    assertFails("a.jsonl:1:27: y [1,2.5,{}] holds 2.5", () -> json.forEach(r -> r.integers("y")));
    assertFails("a.jsonl:1:27: y [1,2.5,{}] holds {}", () -> json.forEach(r -> r.texts("y")));
    assertFails("a.jsonl:1:27: y [1,2.5,{}] is no text", () -> json.forEach(r -> r.text("y")));
  }

  private static void reject(Row row, String problem) throws IOException {
    throw row.problem("x", problem, "Do otherwise.");
  }

  @Test
  void whatIsNotUtf8IsNamedWithItsPlace() throws IOException {
    byte[] bytes = "x\nab하c".getBytes(StandardCharsets.UTF_8);
    bytes[5] = 'x';
    Path path = Files.write(folder.resolve("a.csv"), bytes);
    assertFails("a.csv:2:3: byte 0xED is not UTF-8", () -> Rows.of(path).forEach(r -> {}));
    Files.write(path, Arrays.copyOf("x\nab하".getBytes(StandardCharsets.UTF_8), 6));
    assertFails("a.csv:2:3: byte 0xED is not UTF-8", () -> Rows.of(path).forEach(r -> {}));
    assertThrows(
        NoSuchFileException.class, () -> Rows.of(folder.resolve("none.csv")).forEach(r -> {}));
    assertFails(folder + ": this is a folder", () -> Rows.csv(folder, ',').forEach(r -> {}));
  }

  /**
   * A file larger than the heap could not be held; here, that reading stops where its taker does.
   */
  @Test
  void nothingIsReadAhead() throws IOException {
    Path path = folder.resolve("a.csv");
    byte[] good = "x\n".repeat(100_000).getBytes(StandardCharsets.UTF_8);
    byte[] all = Arrays.copyOf(good, good.length + 1);
    all[good.length] = (byte) 0xFF;
    Files.write(path, all);
    int[] count = new int[1];
    IOException enough = new IOException("enough");
    IOException stopped =
        assertThrows(
            IOException.class,
            () ->
                Rows.of(path)
                    .forEach(
                        row -> {
                          if (++count[0] == 5) {
                            throw enough;
                          }
                        }));
    assertEquals(enough, stopped);
    assertFalse(stopped instanceof FileFormatException);
    assertFails("a.csv:100001:1: byte 0xFF", () -> Rows.of(path).forEach(r -> count[0]++));
    assertEquals(5 + 99_999, count[0]);
  }
}
