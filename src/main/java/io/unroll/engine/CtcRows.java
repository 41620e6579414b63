package io.unroll.engine;

import io.unroll.device.Span;

/**
 * What the three kernels of CTC have in common: the frames of a batch, and what each row should
 * read as.
 *
 * @param logits [T,B,C]
 * @param symbols {@code int[B,L+2]}: the blank, the labels of the row, then blanks to the end
 * @param labelLengths {@code int[B]}
 * @param lengths {@code int[B]}, the frames of each row, or null for T everywhere
 * @param classes C
 */
public record CtcRows(Span logits, Span symbols, Span labelLengths, Span lengths, int classes) {
  /** B. */
  public int batch() {
    return Math.toIntExact(labelLengths.length());
  }

  /** T. */
  public int steps() {
    return Math.toIntExact(logits.length() / batch() / classes);
  }

  /** L, the most labels that a row may have. */
  public int longest() {
    return Math.toIntExact(symbols.length() / batch()) - 2;
  }
}
