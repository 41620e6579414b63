package io.unroll.cli;

import io.unroll.reference.Tolerance;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * How one tensor compares with the file.
 *
 * @param name its name in the file
 * @param shape its shape
 * @param worst its element that is furthest off, in units of the tolerance
 */
record Verdict(String name, int[] shape, Tolerance.Comparison worst) {
  /** Error that passes against float64, relative to max(1, |expected|). */
  static final double FLOAT64_TOLERANCE = 1e-10;

  /**
   * Compares.
   *
   * @param expected what the file holds
   * @param plainErrors by how much plain arithmetic of the precision under test is off for each
   *     element, or null where both the file and the device are float64
   */
  static Verdict of(
      String name, int[] shape, double[] expected, double[] plainErrors, double[] found) {
    if (plainErrors == null) {
      return new Verdict(name, shape, compareFloat64(expected, found));
    }
    double[] plain = new double[expected.length];
    for (int i = 0; i < plain.length; i++) {
      plain[i] = expected[i] + plainErrors[i];
    }
    return new Verdict(name, shape, Tolerance.of(expected, plain).compare(found));
  }

  /**
   * Compares what takes so few operations that the floor of the tolerance suffices.
   *
   * @param strict whether both the file and the device are float64
   */
  static Verdict ofFewOperations(
      String name, int[] shape, double[] expected, boolean strict, double[] found) {
    return of(name, shape, expected, strict ? null : new double[expected.length], found);
  }

  private static Tolerance.Comparison compareFloat64(double[] expected, double[] found) {
    Tolerance.Comparison worst = null;
    for (int i = 0; i < expected.length; i++) {
      double allowed = FLOAT64_TOLERANCE * Math.max(1, Math.abs(expected[i]));
      double times = Math.abs(found[i] - expected[i]) / allowed;
      if (expected[i] == found[i]) {
        times = 0;
      } else if (Double.isNaN(times)) {
        times = Double.POSITIVE_INFINITY;
      }
      if (worst == null || times > worst.times()) {
        worst = new Tolerance.Comparison(i, expected[i], found[i], times);
      }
    }
    return worst;
  }

  boolean passes() {
    return worst.passes();
  }

  /** The absolute error of the worst element. */
  double error() {
    return Math.abs(worst.found() - worst.expected());
  }

  /** The worst element with its place, what was expected and what was found. */
  String explanation() {
    return name
        + place()
        + ": expected "
        + worst.expected()
        + ", found "
        + worst.found()
        + ", "
        + String.format(Locale.ROOT, "%.3g", worst.times())
        + " times the tolerance";
  }

  /** The index of the worst element along each axis. */
  private List<Integer> place() {
    List<Integer> place = new ArrayList<>();
    int rest = worst.index();
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      place.add(rest % shape[axis]);
      rest /= shape[axis];
    }
    Collections.reverse(place);
    return place;
  }
}
