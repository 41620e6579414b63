package io.unroll.data;

import io.unroll.FileFormatException;
import java.util.List;

/**
 * One record of {@link Rows}, whose fields are asked for by the names of their columns. What cannot
 * be read as asked is a {@link FileFormatException} that names the file, the line and the column.
 */
public abstract class Row {
  Row() {}

  /** The names of its columns, in the order of the file. */
  public abstract List<String> columns();

  /**
   * What is wrong with a field, for checks of your own.
   *
   * @param column the field
   * @param problem what is wrong and what is allowed; without a full stop
   * @param cure what to do about it, in whole sentences
   */
  public abstract FileFormatException problem(String column, String problem, String cure);

  /** Whether a field is empty or null. */
  public abstract boolean isMissing(String column) throws FileFormatException;

  /** A text; a number or truth value as it stands in the file. */
  public abstract String text(String column) throws FileFormatException;

  /**
   * A finite number; NaN if the field is empty or null, or in CSV says {@code NA} or {@code NaN}.
   */
  public abstract double number(String column) throws FileFormatException;

  /** A list of texts, such as tokens or the label of each step; only in JSON. */
  public abstract List<String> texts(String column) throws FileFormatException;

  /** A list of whole numbers, such as tokens or the class of each step; only in JSON. */
  public abstract int[] integers(String column) throws FileFormatException;

  /**
   * A sequence, only in JSON: a list of vectors, or of numbers, which are vectors of one. A null in
   * it is NaN.
   *
   * @return [steps][features]; all vectors have the same size
   */
  public abstract float[][] vectors(String column) throws FileFormatException;

  /** A whole number of 32 bits. */
  public int integer(String column) throws FileFormatException {
    double number = number(column);
    if (number != (int) number) {
      throw problem(column, "is no whole number of 32 bits", "Give an integer.");
    }
    return (int) number;
  }

  /**
   * Several numbers as one vector of float32.
   *
   * @param columns at least one
   */
  public float[] numbers(String... columns) throws FileFormatException {
    float[] vector = new float[columns.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = single(columns[i], number(columns[i]));
    }
    return vector;
  }

  float single(String column, double number) throws FileFormatException {
    if (Double.isInfinite((float) number)) {
      throw problem(column, "holds " + number + ", which float32 cannot", "Give it another unit.");
    }
    return (float) number;
  }

  static FileFormatException noColumn(String place, String column, List<String> columns) {
    return new FileFormatException(
        place, "there is no column \"" + column + "\" but " + columns, "Ask for one of these.");
  }
}
