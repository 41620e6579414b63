package io.unroll.device.cpu;

/** The rule by which work is cut: from its size and the number of parts alone. */
final class Parts {
  private Parts() {}

  /** Where a part of size items begins; that of part {@code parts} is the end. */
  static int from(int size, int parts, int part) {
    return (int) ((long) size * part / parts);
  }
}
