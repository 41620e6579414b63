package io.unroll.data;

import io.unroll.FileFormatException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The records of a file of CSV or JSON lines in UTF-8, which go by one at a time. The file is read
 * from the disk each time they are asked for, and nothing of it is kept: what is needed twice, such
 * as a text for its vocabulary and then for its ids, is read twice.
 *
 * <pre>
 * Rows reviews = Rows.of(Path.of("reviews.csv"));
 * TokenVocabulary.Counter counter = TokenVocabulary.counter(Splitting.WORDS);
 * reviews.forEach(row -> counter.add(row.text("review")));
 * </pre>
 */
public final class Rows {
  /** Takes records. */
  @FunctionalInterface
  public interface Taker {
    /** Takes the next record; what it throws ends the reading. */
    void take(Row row) throws IOException;
  }

  /** Takes groups of records. */
  @FunctionalInterface
  public interface GroupTaker {
    /** Takes the next group, at least one record; what it throws ends the reading. */
    void take(List<Row> group) throws IOException;
  }

  /** An opened file. */
  interface Source extends Closeable {
    /** The next record, or null at the end. */
    Row next() throws IOException;
  }

  private interface Opening {
    Source open() throws IOException;
  }

  private final Opening opening;

  private Rows(Opening opening) {
    this.opening = opening;
  }

  /**
   * The records of a file whose name ends in {@code .csv}, {@code .tsv} (fields are separated by
   * tabs), {@code .jsonl} or {@code .ndjson}.
   *
   * @throws IllegalArgumentException if it ends in something else
   */
  public static Rows of(Path path) {
    String name = path.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv")) {
      return csv(path, ',');
    }
    if (name.endsWith(".tsv")) {
      return csv(path, '\t');
    }
    if (name.endsWith(".jsonl") || name.endsWith(".ndjson")) {
      return jsonLines(path);
    }
    throw new IllegalArgumentException(
        path + " ends in neither .csv, .tsv, .jsonl nor .ndjson. Say what it is: Rows.csv(...)");
  }

  /**
   * The records of a CSV file: RFC 4180, a line may also end in LF alone.
   *
   * @param separator between fields
   * @param columns names of the columns, if the first line does not name them
   */
  public static Rows csv(Path path, char separator, String... columns) {
    List<String> named = columns.length == 0 ? null : List.of(columns);
    return new Rows(() -> new CsvRows(path, separator, named));
  }

  /** The records of a file with one JSON object a line. */
  public static Rows jsonLines(Path path) {
    return new Rows(() -> new JsonRows(path));
  }

  /**
   * Reads the file.
   *
   * @throws FileFormatException if the file is not what it should be: the message begins with
   *     FILE:LINE:COLUMN
   * @throws IOException if it cannot be read
   */
  public void forEach(Taker taker) throws IOException {
    try (Source source = opening.open()) {
      for (Row row = source.next(); row != null; row = source.next()) {
        taker.take(row);
      }
    }
  }

  /**
   * Reads the file where a record is a step and those of a sequence follow each other.
   *
   * @param column what is equal in all records of a sequence and differs between sequences
   * @throws FileFormatException as {@link #forEach}, or if a group goes on after another began
   * @throws IOException if the file cannot be read
   */
  public void forEachGroup(String column, GroupTaker taker) throws IOException {
    List<Row> group = new ArrayList<>();
    Set<String> ended = new HashSet<>();
    forEach(
        row -> {
          if (!group.isEmpty() && !group.get(0).text(column).equals(row.text(column))) {
            ended.add(group.get(0).text(column));
            taker.take(List.copyOf(group));
            group.clear();
          }
          if (ended.contains(row.text(column))) {
            throw row.problem(
                column, "comes again after another began", "Sort the file by " + column + ".");
          }
          group.add(row);
        });
    if (!group.isEmpty()) {
      taker.take(List.copyOf(group));
    }
  }

  /**
   * The whole file as one sequence, a record a step.
   *
   * @param columns at least one
   * @return [steps][columns]; NaN where a number is missing
   * @throws FileFormatException as {@link #forEach}
   * @throws IOException if the file cannot be read
   */
  public float[][] series(String... columns) throws IOException {
    List<float[]> steps = new ArrayList<>();
    forEach(row -> steps.add(row.numbers(columns)));
    return steps.toArray(float[][]::new);
  }
}
