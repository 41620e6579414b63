package io.unroll.reference;

import io.unroll.CellSpec;
import io.unroll.reference.Problem.Shape;
import io.unroll.reference.ReferenceRecurrence.Weights;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Prints the figures of docs/numerics.md: how much of the tolerance another order of summation uses
 * in each precision, and how far planted faults exceed it.
 */
final class ToleranceFigures {
  private static final int SEEDS = 12;
  private static final List<Shape> SHAPES =
      List.of(
          new Shape(1, 1, 1, 1),
          new Shape(3, 2, 5, 7),
          new Shape(17, 3, 33, 65),
          new Shape(4, 16, 64, 128),
          new Shape(200, 2, 8, 16));

  private ToleranceFigures() {}

  public static void main(String[] arguments) {
    for (Arithmetic arithmetic : List.of(Arithmetic.FLOAT32, Arithmetic.TF32, Arithmetic.BF16)) {
      List<Double> used = new ArrayList<>();
      List<Double> faults = new ArrayList<>();
      for (CellSpec cell : CellSpec.all()) {
        for (Shape shape : SHAPES) {
          for (int seed = 0; seed < SEEDS; seed++) {
            measure(Problem.random(cell, shape, false, null, seed), arithmetic, used, faults);
          }
        }
      }
      Collections.sort(used);
      System.out.printf(
          "%s: %d arrays, used at most %.3g of the tolerance, in the median %.3g, %d above it;"
              + " planted faults exceed it at least %.3g-fold%n",
          arithmetic,
          used.size(),
          used.get(used.size() - 1),
          used.get(used.size() / 2),
          used.stream().filter(each -> each > 1).count(),
          Collections.min(faults));
    }
  }

  private static void measure(
      Problem p, Arithmetic arithmetic, List<Double> used, List<Double> faults) {
    Map<String, double[]> exact = p.results(Arithmetic.FLOAT64);
    Map<String, double[]> plain = p.results(arithmetic);
    p.turnedResults(arithmetic)
        .forEach((name, values) -> used.add(tolerance(name, exact, plain).compare(values).times()));
    if (p.input().steps() > 1) {
      Weights w = p.weights();
      int n = p.hiddenSize();
      int features = p.input().features();
      double[] x = rotated(p.input().x(), p.input().x().length - p.input().batch() * features);
      Weights noBias = new Weights(w.wIh(), w.wHh(), w.bIh(), new double[w.bHh().length], w.unit());
      Weights shifted = new Weights(w.wIh(), rotated(w.wHh(), n), w.bIh(), w.bHh(), w.unit());
      Tolerance y = tolerance("y", exact, plain);
      faults.add(fault(y, p, arithmetic, p.input(), noBias));
      faults.add(fault(y, p, arithmetic, p.input().withFeatures(features, x), w));
      faults.add(fault(y, p, arithmetic, p.input(), shifted));
    }
  }

  private static Tolerance tolerance(
      String name, Map<String, double[]> exact, Map<String, double[]> plain) {
    return Tolerance.of(exact.get(name), plain.get(name));
  }

  private static double fault(
      Tolerance y, Problem p, Arithmetic arithmetic, Sequence input, Weights weights) {
    double[] found = p.recurrence(arithmetic).forward(input, p.initialStates(), weights).y();
    return y.compare(found).times();
  }

  private static double[] rotated(double[] values, int by) {
    double[] turned = new double[values.length];
    for (int k = 0; k < values.length; k++) {
      turned[k] = values[(k + by) % values.length];
    }
    return turned;
  }
}
