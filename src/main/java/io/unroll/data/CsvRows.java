package io.unroll.data;

import io.unroll.FileFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The records of a CSV file, as RFC 4180 has them, with LF besides CRLF and any separator. A line
 * with nothing in it is no record, unless there is one column only.
 */
final class CsvRows implements Rows.Source {
  private static final String QUOTING =
      "Quote the field, and write each quote within it twice, as RFC 4180 says.";

  /** Less than Double.parseDouble takes, which also reads 0x1p3 and 1f. */
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");

  /** A field and the place where it begins. */
  private record Field(String text, int line, int column) {}

  private final Path path;
  private final char separator;
  private final PlacedReader in;
  private final List<String> columns;

  /**
   * @param named the columns of a file without header; null if its first line names them
   */
  CsvRows(Path path, char separator, List<String> named) throws IOException {
    this.path = path;
    this.separator = separator;
    this.in = new PlacedReader(path);
    try {
      this.columns = named != null ? named : header();
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  private List<String> header() throws IOException {
    List<Field> fields = record();
    if (fields == null) {
      throw in.problem(1, 1, "the file is empty", "Its first line has to name the columns.");
    }
    HashSet<String> seen = new HashSet<>();
    for (Field field : fields) {
      if (!seen.add(field.text())) {
        throw in.problem(
            field.line(),
            field.column(),
            "there are two columns \"" + field.text() + "\"",
            "Give each its own name.");
      }
    }
    return fields.stream().map(Field::text).toList();
  }

  @Override
  public Row next() throws IOException {
    List<Field> fields = record();
    while (fields != null && isBlank(fields) && columns.size() > 1) {
      fields = record();
    }
    if (fields == null) {
      return null;
    }
    if (fields.size() != columns.size()) {
      Field last = fields.get(fields.size() - 1);
      throw in.problem(
          last.line(),
          last.column(),
          "this is the last of " + fields.size() + " fields, but the columns are " + columns,
          "Give every record as many, separated by \"" + separator + "\".");
    }
    return new CsvRow(fields);
  }

  private static boolean isBlank(List<Field> fields) {
    return fields.size() == 1 && fields.get(0).text().isEmpty();
  }

  /** The fields up to the end of the record, or null at the end of the file. */
  private List<Field> record() throws IOException {
    if (in.peek() < 0) {
      return null;
    }
    List<Field> fields = new ArrayList<>();
    do {
      int line = in.line();
      int column = in.column();
      String text = in.peek() == '"' ? quoted(line, column) : plain();
      fields.add(new Field(text, line, column));
    } while (in.peek() == separator && in.next() == separator);
    endLine();
    return fields;
  }

  private String plain() throws IOException {
    StringBuilder text = new StringBuilder();
    int c = in.peek();
    while (c >= 0 && c != separator && c != '\n') {
      if (c == '"') {
        throw in.problem(in.line(), in.column(), "a quote within a field", QUOTING);
      }
      text.append((char) in.next());
      c = in.peek();
    }
    int last = text.length() - 1;
    if (c == '\n' && last >= 0 && text.charAt(last) == '\r') {
      text.setLength(last);
    }
    return text.toString();
  }

  private String quoted(int line, int column) throws IOException {
    StringBuilder text = new StringBuilder();
    in.next();
    while (true) {
      int c = in.next();
      if (c < 0) {
        throw in.problem(line, column, "the quote that opens here is never closed", QUOTING);
      }
      if (c == '"' && in.peek() != '"') {
        return text.toString();
      }
      text.append((char) (c == '"' ? in.next() : c));
    }
  }

  private void endLine() throws IOException {
    int line = in.line();
    int column = in.column();
    int c = in.next();
    if (c == '\r' && in.peek() == '\n') {
      c = in.next();
    }
    if (c >= 0 && c != '\n') {
      throw in.problem(
          line,
          column,
          "\"" + (char) c + "\" comes after a closing quote, where a separator or a line end must",
          QUOTING);
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private final class CsvRow extends Row {
    private final List<Field> fields;

    CsvRow(List<Field> fields) {
      this.fields = fields;
    }

    @Override
    public List<String> columns() {
      return columns;
    }

    private Field field(String column) throws FileFormatException {
      int index = columns.indexOf(column);
      if (index < 0) {
        throw noColumn(path + ":" + fields.get(0).line() + ":1", column, columns);
      }
      return fields.get(index);
    }

    @Override
    public FileFormatException problem(String column, String problem, String cure) {
      try {
        Field field = field(column);
        return in.problem(
            field.line(), field.column(), column + " \"" + field.text() + "\" " + problem, cure);
      } catch (FileFormatException e) {
        return e;
      }
    }

    @Override
    public boolean isMissing(String column) throws FileFormatException {
      return field(column).text().isEmpty();
    }

    @Override
    public String text(String column) throws FileFormatException {
      return field(column).text();
    }

    @Override
    public double number(String column) throws FileFormatException {
      String text = field(column).text().strip();
      if (text.isEmpty() || text.equals("NA") || text.equals("NaN")) {
        return Double.NaN;
      }
      double number = DECIMAL.matcher(text).matches() ? Double.parseDouble(text) : Double.NaN;
      if (!Double.isFinite(number)) {
        throw noNumber(column);
      }
      return number;
    }

    private FileFormatException noNumber(String column) {
      return problem(
          column, "is no number", "Write it as -1234.5 or 1e-3, or leave it empty if missing.");
    }

    @Override
    public List<String> texts(String column) throws FileFormatException {
      throw noList(column);
    }

    @Override
    public int[] integers(String column) throws FileFormatException {
      throw noList(column);
    }

    @Override
    public float[][] vectors(String column) throws FileFormatException {
      throw noList(column);
    }

    private FileFormatException noList(String column) {
      return problem(
          column,
          "is one field, and a list was asked for",
          "Read one step a record with forEachGroup, or use JSON lines.");
    }
  }
}
