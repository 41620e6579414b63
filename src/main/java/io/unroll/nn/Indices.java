package io.unroll.nn;

import io.unroll.device.Span;
import java.util.Arrays;

/**
 * Integers on a device: tokens, classes, or the lengths of rows, from {@link Tape#indices} or drawn
 * by a {@link Sampler}. Valid until its tape begins the next step.
 */
public final class Indices {
  /**
   * Marks a position that does not count: its embedding is zero and it adds nothing to a loss. The
   * value is PyTorch's default {@code ignore_index}.
   */
  public static final int IGNORED = -100;

  private final Tape tape;
  private final int step;
  private final Span value;
  private final int[] shape;
  private final int smallest;
  private final int largest;
  private final boolean someIgnored;
  private final boolean drawn;

  Indices(Tape tape, Span value, int[] host, int... shape) {
    this.tape = tape;
    this.step = tape.step();
    this.value = value;
    this.shape = shape;
    int low = Integer.MAX_VALUE;
    int high = Integer.MIN_VALUE;
    boolean ignored = false;
    for (int i = 0; i < value.length(); i++) {
      if (host[i] != IGNORED) {
        low = Math.min(low, host[i]);
        high = Math.max(high, host[i]);
      } else {
        ignored = true;
      }
    }
    someIgnored = ignored;
    drawn = false;
    smallest = low;
    largest = high;
  }

  /** Those that a device drew: each in [0, classes), or -1, which reads as a row of zeros. */
  Indices(Tape tape, Span value, int classes, int... shape) {
    this.tape = tape;
    this.step = tape.step();
    this.value = value;
    this.shape = shape;
    this.drawn = true;
    someIgnored = false;
    smallest = 0;
    largest = classes - 1;
  }

  /** The sizes of its axes, outermost first. */
  public int[] shape() {
    return shape.clone();
  }

  /** The number of elements. */
  public long size() {
    return value.length();
  }

  Tape tape() {
    return tape;
  }

  /** The values; checks that the step is still running. */
  Span value() {
    if (tape.step() != step) {
      throw new IllegalStateException(
          "these indices "
              + Arrays.toString(shape)
              + " belong to an earlier step of their tape; make them again after Tape.begin");
    }
    return value;
  }

  /** Throws if the values were drawn on a device, where they may be -1. */
  void requireNotDrawn(String what) {
    if (drawn) {
      throw new IllegalArgumentException(
          what
              + " must come from Tape.indices, but were drawn by a Sampler; copy them with"
              + " Sampler.toInts()");
    }
  }

  /** Throws unless all values lie in [low, high] or, if that is allowed, are {@link #IGNORED}. */
  void requireRange(String what, int low, int high, boolean ignoredAllowed) {
    boolean outside = smallest <= largest && (smallest < low || largest > high);
    if (outside || (someIgnored && !ignoredAllowed)) {
      int found = !outside ? IGNORED : smallest < low ? smallest : largest;
      throw new IllegalArgumentException(
          what
              + " must lie between "
              + low
              + " and "
              + high
              + (ignoredAllowed ? " (or be Indices.IGNORED = -100)" : "")
              + ", but "
              + found
              + " was found");
    }
  }

  int[] dims() {
    return shape;
  }
}
