package io.unroll.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Steps, batch, input size and hidden size of one benchmark. */
record Shape(int steps, int batch, int inputSize, int hiddenSize) {
  @Override
  public String toString() {
    return steps + "," + batch + "," + inputSize + "," + hiddenSize;
  }

  /** Reads {@code T,B,I,H}. */
  static final class Converter implements ITypeConverter<Shape> {
    @Override
    public Shape convert(String text) {
      String[] parts = text.split(",", -1);
      int[] sizes = new int[4];
      boolean good = parts.length == sizes.length;
      for (int i = 0; good && i < sizes.length; i++) {
        good = parts[i].matches("[1-9][0-9]{0,8}");
        sizes[i] = good ? Integer.parseInt(parts[i]) : 0;
      }
      if (!good) {
        throw new TypeConversionException(
            "must be four integers from 1 up, T,B,I,H, such as 128,32,256,256, but is \""
                + text
                + "\"");
      }
      return new Shape(sizes[0], sizes[1], sizes[2], sizes[3]);
    }
  }
}
