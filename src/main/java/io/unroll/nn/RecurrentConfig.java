package io.unroll.nn;

import io.unroll.CellSpec;
import io.unroll.engine.Schedule;

/**
 * What a {@link Recurrent} is made of.
 *
 * @param cell the cell
 * @param inputSize I, at least 1
 * @param hiddenSize H, at least 1
 * @param layers L, at least 1
 * @param bidirectional whether each layer also runs from the end; then D is 2, else 1
 * @param dropout probability of dropping an output between layers, at least 0 and below 1
 * @param schedule how the time loop is run; {@link Schedule#FUSED} wherever the device can
 */
public record RecurrentConfig(
    CellSpec cell,
    int inputSize,
    int hiddenSize,
    int layers,
    boolean bidirectional,
    double dropout,
    Schedule schedule) {

  /** One layer, forward in time, no dropout. */
  public static RecurrentConfig of(CellSpec cell, int inputSize, int hiddenSize) {
    return new RecurrentConfig(cell, inputSize, hiddenSize, 1, false, 0, Schedule.FUSED);
  }

  /** Checks the sizes. */
  public RecurrentConfig {
    requirePositive("inputSize", inputSize);
    requirePositive("hiddenSize", hiddenSize);
    requirePositive("layers", layers);
    Ops.requireProbability(dropout);
  }

  private static void requirePositive(String what, int size) {
    if (size < 1) {
      throw new IllegalArgumentException(what + " must be at least 1, but is " + size);
    }
  }

  /** The same with another number of layers. */
  public RecurrentConfig withLayers(int count) {
    return new RecurrentConfig(
        cell, inputSize, hiddenSize, count, bidirectional, dropout, schedule);
  }

  /** The same in both directions, or in one. */
  public RecurrentConfig withBidirectional(boolean both) {
    return new RecurrentConfig(cell, inputSize, hiddenSize, layers, both, dropout, schedule);
  }

  /** The same with another dropout between layers. */
  public RecurrentConfig withDropout(double p) {
    return new RecurrentConfig(cell, inputSize, hiddenSize, layers, bidirectional, p, schedule);
  }

  /** The same with another schedule. */
  public RecurrentConfig withSchedule(Schedule other) {
    return new RecurrentConfig(cell, inputSize, hiddenSize, layers, bidirectional, dropout, other);
  }

  /** D: 2 if bidirectional, else 1. */
  public int directions() {
    return bidirectional ? 2 : 1;
  }

  /** L*D, the number of slots: one for each direction of each layer. */
  public int slots() {
    return layers * directions();
  }

  /**
   * The width of what a slot reads.
   *
   * @param slot layer*D + direction
   */
  public int inputSize(int slot) {
    return slot < directions() ? inputSize : directions() * hiddenSize;
  }

  /**
   * The name of a slot's parameter, without the layer's own, such as {@code weight_ih_l1_reverse}.
   *
   * @param what weight_ih, weight_hh, bias_ih, bias_hh or weight_unit
   * @param slot layer*D + direction
   */
  public String parameterName(String what, int slot) {
    String direction = slot % directions() == 1 ? "_reverse" : "";
    return what + "_l" + slot / directions() + direction;
  }
}
