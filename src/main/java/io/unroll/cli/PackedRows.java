package io.unroll.cli;

import io.unroll.train.Observation;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.zip.Deflater;

/** Rows of a byte for each character, for a page to unpack: deflated (zlib) and in base64. */
final class PackedRows {
  /** Values of a unit have as many steps up as down, and 0. */
  static final int LEVELS = 15;

  /** Of a unit's absolute values; the few above have the full colour too. */
  private static final double SHARE_BELOW_SCALE = 0.99;

  /** Of a bit, in which the surprise at a character is told. */
  private static final double PARTS_OF_A_BIT = 16;

  private static final int BYTE = 255;

  /**
   * A unit's values in steps.
   *
   * @param scale what {@link #LEVELS} steps are
   * @param levels each from 0 to 2 * LEVELS; LEVELS is 0
   */
  record Scaled(double scale, byte[] levels) {}

  private final Deflater deflater = new Deflater();
  private final ByteArrayOutputStream packed = new ByteArrayOutputStream();
  private final byte[] part = new byte[1 << 16];
  private int rows;

  /** Cuts the values of a unit into steps. */
  static Scaled scaled(float[] values) {
    float[] sizes = values.clone();
    for (int t = 0; t < sizes.length; t++) {
      sizes[t] = Math.abs(sizes[t]);
    }
    Arrays.sort(sizes);
    double scale = sizes[(int) (SHARE_BELOW_SCALE * (sizes.length - 1))];
    byte[] levels = new byte[values.length];
    for (int t = 0; t < values.length; t++) {
      double step = scale == 0 ? 0 : Math.rint(values[t] / scale * LEVELS);
      levels[t] = (byte) (LEVELS + Math.max(-LEVELS, Math.min(LEVELS, step)));
    }
    return new Scaled(scale, levels);
  }

  /**
   * What the model expected: for each rank a row of guesses, two if there are more than 255
   * characters, the lower bytes first, then a row of probabilities in 255ths; at last a row of the
   * surprise at each character in 16ths of a bit, at most 255.
   */
  static PackedRows guesses(Observation seen, int symbols) {
    PackedRows packed = new PackedRows();
    int length = seen.length();
    for (int rank = 0; rank < Observation.GUESSES; rank++) {
      byte[] low = new byte[length];
      byte[] high = new byte[length];
      byte[] chance = new byte[length];
      for (int t = 0; t < length; t++) {
        int guess = Math.max(0, seen.guess(t, rank));
        low[t] = (byte) guess;
        high[t] = (byte) (guess >> Byte.SIZE);
        chance[t] = (byte) Math.round(BYTE * seen.guessProbability(t, rank));
      }
      packed.add(low);
      if (symbols > BYTE) {
        packed.add(high);
      }
      packed.add(chance);
    }
    byte[] surprise = new byte[length];
    for (int t = 1; t < length; t++) {
      double bits = -Math.log(seen.probability(t)) / Math.log(2);
      surprise[t] = (byte) Math.min(BYTE, Math.round(PARTS_OF_A_BIT * bits));
    }
    packed.add(surprise);
    return packed;
  }

  void add(byte[] row) {
    deflater.setInput(row);
    int count;
    do {
      count = deflater.deflate(part, 0, part.length, Deflater.SYNC_FLUSH);
      packed.write(part, 0, count);
    } while (count == part.length);
    rows++;
  }

  int rows() {
    return rows;
  }

  /** The characters that the rows so far take on a page, about. */
  long size() {
    return packed.size() * 4L / 3;
  }

  /** All rows; none can be added after it. */
  String base64() {
    deflater.finish();
    while (!deflater.finished()) {
      packed.write(part, 0, deflater.deflate(part));
    }
    deflater.end();
    return Base64.getEncoder().encodeToString(packed.toByteArray());
  }
}
