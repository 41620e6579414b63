package io.unroll.reference;

import io.unroll.CellSpec;
import io.unroll.reference.ReferenceRecurrence.Weights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * A seeded problem for one layer and direction. Its numbers are float32 values, so that every
 * arithmetic sees the same problem.
 */
record Problem(
    CellSpec cell,
    int hiddenSize,
    boolean reverse,
    Sequence input,
    double[][] initialStates,
    Weights weights,
    double[] dy,
    double[][] dFinalStates) {

  /** Steps, batch, input and hidden size. */
  record Shape(int steps, int batch, int inputSize, int hiddenSize) {
    @Override
    public String toString() {
      return steps + "x" + batch + "x" + inputSize + "x" + hiddenSize;
    }
  }

  static Problem random(CellSpec cell, Shape shape, boolean reverse, int[] lengths, long seed) {
    return random(cell, shape, reverse, lengths, null, seed);
  }

  static Problem random(
      CellSpec cell, Shape shape, boolean reverse, int[] lengths, int[] resets, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int units = shape.batch * shape.hiddenSize;
    int rows = cell.gateCount() * shape.hiddenSize;
    double bound = 1 / Math.sqrt(shape.hiddenSize);
    double[] x = uniform(random, shape.steps * shape.batch * shape.inputSize, 1);
    return new Problem(
        cell,
        shape.hiddenSize,
        reverse,
        new Sequence(shape.steps, shape.batch, shape.inputSize, x, lengths, resets),
        states(random, cell, units),
        new Weights(
            uniform(random, rows * shape.inputSize, bound),
            uniform(random, rows * shape.hiddenSize, bound),
            uniform(random, rows, bound),
            uniform(random, rows, bound),
            uniform(random, cell.unitWeightCount() * shape.hiddenSize, bound)),
        uniform(random, shape.steps * units, 1),
        states(random, cell, units));
  }

  private static double[][] states(SplittableRandom random, CellSpec cell, int units) {
    double[][] states = new double[cell.stateCount()][];
    for (int s = 0; s < states.length; s++) {
      states[s] = uniform(random, units, 1);
    }
    return states;
  }

  static double[] uniform(SplittableRandom random, int count, double bound) {
    double[] values = new double[count];
    for (int k = 0; k < count; k++) {
      values[k] = (float) random.nextDouble(-bound, bound);
    }
    return values;
  }

  ReferenceRecurrence recurrence(Arithmetic arithmetic) {
    return new ReferenceRecurrence(cell, input.features(), hiddenSize, reverse, arithmetic);
  }

  ReferenceRecurrence.Forward forward(Arithmetic arithmetic) {
    return recurrence(arithmetic).forward(input, initialStates, weights);
  }

  ReferenceRecurrence.Gradients backward(Arithmetic arithmetic) {
    return recurrence(arithmetic).backward(forward(arithmetic), dy, dFinalStates);
  }

  Problem with(Sequence input, double[][] initialStates, double[] dy, double[][] dFinalStates) {
    return new Problem(cell, hiddenSize, reverse, input, initialStates, weights, dy, dFinalStates);
  }

  /** The same with units and features in reverse order: another legal order for every sum. */
  Problem turned() {
    int n = hiddenSize;
    int i = input.features();
    return new Problem(
        cell,
        n,
        reverse,
        input.withFeatures(i, turned(input.x(), i)),
        turned(initialStates, n),
        new Weights(
            turned(weights.wIh(), n * i),
            turned(weights.wHh(), n * n),
            turned(weights.bIh(), n),
            turned(weights.bHh(), n),
            turned(weights.unit(), n)),
        turned(dy, n),
        turned(dFinalStates, n));
  }

  /** The results of {@link #turned}, in the order of this problem's. */
  Map<String, double[]> turnedResults(Arithmetic arithmetic) {
    Map<String, double[]> results = turned().results(arithmetic);
    int n = hiddenSize;
    int i = input.features();
    results.replaceAll(
        (name, values) ->
            switch (name) {
              case "dx" -> turned(values, i);
              case "dW_ih" -> turned(values, n * i);
              case "dW_hh" -> turned(values, n * n);
              default -> turned(values, n);
            });
    return results;
  }

  private static double[][] turned(double[][] states, int n) {
    return Stream.of(states).map(state -> turned(state, n)).toArray(double[][]::new);
  }

  /** Every run of n values turned around. */
  private static double[] turned(double[] values, int n) {
    double[] result = new double[values.length];
    for (int k = 0; k < values.length; k++) {
      result[k / n * n + n - 1 - k % n] = values[k];
    }
    return result;
  }

  /** All results by name: y, h_n, c_n, dx, dh0, dc0, and those of {@link #weightGradients}. */
  Map<String, double[]> results(Arithmetic arithmetic) {
    Map<String, double[]> results = new LinkedHashMap<>();
    ReferenceRecurrence.Forward forward = forward(arithmetic);
    ReferenceRecurrence.Gradients backward =
        recurrence(arithmetic).backward(forward, dy, dFinalStates);
    results.put("y", forward.y());
    results.put("dx", backward.dx());
    for (int s = 0; s < cell.stateCount(); s++) {
      results.put(cell.states().get(s) + "_n", forward.finalStates()[s]);
      results.put("d" + cell.states().get(s) + "0", backward.dInitialStates()[s]);
    }
    results.put("dW_ih", backward.dWeights().wIh());
    results.put("dW_hh", backward.dWeights().wHh());
    results.put("db_ih", backward.dWeights().bIh());
    results.put("db_hh", backward.dWeights().bHh());
    if (!cell.unitWeights().isEmpty()) {
      results.put("dUnit", backward.dWeights().unit());
    }
    return results;
  }

  /** The names of the results that are sums over rows and steps. */
  static List<String> weightGradients(CellSpec cell) {
    return cell.unitWeights().isEmpty()
        ? List.of("dW_ih", "dW_hh", "db_ih", "db_hh")
        : List.of("dW_ih", "dW_hh", "db_ih", "db_hh", "dUnit");
  }
}
