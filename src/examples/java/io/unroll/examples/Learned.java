package io.unroll.examples;

import java.util.List;

/**
 * What came of an example. The measure is taken on data that the network has not seen, and so is
 * the baseline, on the same data.
 *
 * @param losses of every step, before its update
 * @param measure what is measured, with its unit, as "accuracy on 1000 unseen images"
 * @param reached the measure of the network
 * @param baseline what it is held against, as "nearest mean image"
 * @param baselineReached the measure of the baseline
 * @param higherIsBetter whether more of the measure is better
 * @param shown a few inputs with what the network makes of them, a line each
 */
public record Learned(
    double[] losses,
    String measure,
    double reached,
    String baseline,
    double baselineReached,
    boolean higherIsBetter,
    List<String> shown) {

  /** Whether the network did better than the baseline. */
  public boolean beatsBaseline() {
    return higherIsBetter ? reached > baselineReached : reached < baselineReached;
  }
}
