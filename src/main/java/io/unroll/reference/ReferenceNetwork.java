package io.unroll.reference;

import static io.unroll.reference.Sequence.requireLength;

import io.unroll.CellSpec;
import io.unroll.reference.ReferenceRecurrence.Weights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Layers of recurrences in one or both directions, as {@code torch.nn.RNN}, {@code GRU} and {@code
 * LSTM} stack them: the next layer reads the outputs of all directions side by side.
 *
 * <p>With {@code L, D} layers and directions, states lie as [L*D,B,H], the directions of a layer
 * next to each other. Parameters have PyTorch's names: {@code weight_ih_l0 [G*H,I]}, {@code
 * weight_hh_l0 [G*H,H]}, {@code bias_ih_l0}, {@code bias_hh_l0 [G*H]}, and for a cell with weights
 * of each unit's own {@code weight_unit_l0 [P*H]}, then {@code _reverse}, then {@code _l1}, whose
 * input size is D*H.
 */
public final class ReferenceNetwork {
  /**
   * What forward computed and backward needs.
   *
   * @param output [T,B,D*H]
   * @param finalStates [S][L*D*B*H]
   * @param runs the recurrences, layer by layer, forward before reverse
   */
  public record Forward(
      double[] output, double[][] finalStates, List<ReferenceRecurrence.Forward> runs) {}

  /**
   * What backward computed.
   *
   * @param dx [T,B,I]
   * @param dInitialStates [S][L*D*B*H]
   * @param dParameters under the names of the parameters
   */
  public record Gradients(
      double[] dx, double[][] dInitialStates, Map<String, double[]> dParameters) {}

  private final CellSpec cell;
  private final int inputSize;
  private final int hiddenSize;
  private final int layers;
  private final int directions;
  private final Arithmetic arithmetic;

  /**
   * Describes the network; the parameters come with each call.
   *
   * @throws IllegalArgumentException if a size or the number of layers is below 1
   */
  public ReferenceNetwork(
      CellSpec cell,
      int inputSize,
      int hiddenSize,
      int layers,
      boolean bidirectional,
      Arithmetic arithmetic) {
    if (inputSize < 1 || hiddenSize < 1 || layers < 1) {
      throw new IllegalArgumentException(
          "I, H and layers must be at least 1, but are "
              + inputSize
              + ", "
              + hiddenSize
              + ", "
              + layers);
    }
    this.cell = cell;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.layers = layers;
    this.directions = bidirectional ? 2 : 1;
    this.arithmetic = arithmetic;
  }

  /** Name and number of values of every parameter, in PyTorch's order. */
  public Map<String, Integer> parameterSizes() {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    for (int layer = 0; layer < layers; layer++) {
      for (int d = 0; d < directions; d++) {
        Weights shaped = Weights.zeros(cell, inputSize(layer), hiddenSize);
        named(shaped, layer, d).forEach((name, values) -> sizes.put(name, values.length));
      }
    }
    return sizes;
  }

  /**
   * Runs all layers.
   *
   * @param input x [T,B,I] with the lengths of its rows; not changed
   * @param initialStates [S][L*D*B*H], or null for zeros; not changed
   * @param parameters by name; not changed
   * @throws IllegalArgumentException if an array or a name is missing or has the wrong size
   */
  public Forward forward(
      Sequence input, double[][] initialStates, Map<String, double[]> parameters) {
    requireStates("initial states", initialStates, input.batch());
    List<ReferenceRecurrence.Forward> runs = new ArrayList<>();
    Sequence below = input;
    for (int layer = 0; layer < layers; layer++) {
      double[] output = new double[input.steps() * input.batch() * directions * hiddenSize];
      for (int d = 0; d < directions; d++) {
        ReferenceRecurrence.Forward run =
            recurrence(layer, d)
                .forward(
                    below.inDirection(d),
                    slice(initialStates, layer, d, input.batch()),
                    weights(parameters, layer, d));
        runs.add(run);
        for (int row = 0; row < input.steps() * input.batch(); row++) {
          System.arraycopy(
              run.y(), row * hiddenSize, output, (row * directions + d) * hiddenSize, hiddenSize);
        }
      }
      below = below.withFeatures(directions * hiddenSize, output);
    }
    double[][] finalStates =
        joined(runs.stream().map(ReferenceRecurrence.Forward::finalStates).toList());
    return new Forward(below.x(), finalStates, List.copyOf(runs));
  }

  /**
   * Computes the gradients of {@code sum(output*dOutput) + sum(finalStates*dFinalStates)}.
   *
   * @param run what {@link #forward} of this network returned; not changed
   * @param dOutput [T,B,D*H], or null for zeros; not read past a row's length; not changed
   * @param dFinalStates [S][L*D*B*H], or null for zeros; not changed
   * @throws IllegalArgumentException if an array does not have its shape
   */
  public Gradients backward(Forward run, double[] dOutput, double[][] dFinalStates) {
    Sequence input = run.runs.get(0).input();
    requireStates("gradient of the final states", dFinalStates, input.batch());
    if (dOutput != null) {
      requireLength("dOutput [T,B,D*H]", dOutput, run.output.length);
    }
    double[][][] dStates = new double[layers * directions][][];
    Map<String, double[]> dParameters = new LinkedHashMap<>();
    double[] dAbove = dOutput;
    for (int layer = layers - 1; layer >= 0; layer--) {
      double[] dBelow = new double[input.steps() * input.batch() * inputSize(layer)];
      for (int d = 0; d < directions; d++) {
        ReferenceRecurrence.Gradients gradients =
            recurrence(layer, d)
                .backward(
                    run.runs.get(layer * directions + d),
                    direction(dAbove, d),
                    slice(dFinalStates, layer, d, input.batch()));
        dStates[layer * directions + d] = gradients.dInitialStates();
        dParameters.putAll(named(gradients.dWeights(), layer, d));
        for (int k = 0; k < dBelow.length; k++) {
          dBelow[k] = arithmetic.add(dBelow[k], gradients.dx()[k]);
        }
      }
      dAbove = dBelow;
    }
    return new Gradients(dAbove, joined(List.of(dStates)), dParameters);
  }

  private ReferenceRecurrence recurrence(int layer, int d) {
    return new ReferenceRecurrence(cell, inputSize(layer), hiddenSize, d == 1, arithmetic);
  }

  private int inputSize(int layer) {
    return layer == 0 ? inputSize : directions * hiddenSize;
  }

  private static Map<String, double[]> named(Weights weights, int layer, int d) {
    String suffix = suffix(layer, d);
    Map<String, double[]> named = new LinkedHashMap<>();
    named.put("weight_ih" + suffix, weights.wIh());
    named.put("weight_hh" + suffix, weights.wHh());
    named.put("bias_ih" + suffix, weights.bIh());
    named.put("bias_hh" + suffix, weights.bHh());
    if (weights.unit().length > 0) {
      named.put("weight_unit" + suffix, weights.unit());
    }
    return named;
  }

  private Weights weights(Map<String, double[]> parameters, int layer, int d) {
    String suffix = suffix(layer, d);
    return new Weights(
        parameter(parameters, "weight_ih" + suffix),
        parameter(parameters, "weight_hh" + suffix),
        parameter(parameters, "bias_ih" + suffix),
        parameter(parameters, "bias_hh" + suffix),
        cell.unitWeights().isEmpty()
            ? new double[0]
            : parameter(parameters, "weight_unit" + suffix));
  }

  private static double[] parameter(Map<String, double[]> parameters, String name) {
    double[] values = parameters.get(name);
    if (values == null) {
      throw new IllegalArgumentException(
          "parameter " + name + " is missing; there are " + parameters.keySet());
    }
    return values;
  }

  private static String suffix(int layer, int d) {
    return "_l" + layer + (d == 1 ? "_reverse" : "");
  }

  /** The states of one layer and direction [S][B*H], or null. */
  private double[][] slice(double[][] states, int layer, int d, int batch) {
    if (states == null) {
      return null;
    }
    double[][] part = new double[states.length][batch * hiddenSize];
    for (int s = 0; s < part.length; s++) {
      System.arraycopy(
          states[s], (layer * directions + d) * part[s].length, part[s], 0, part[s].length);
    }
    return part;
  }

  /** States of every layer and direction [L*D][S][B*H] as [S][L*D*B*H]. */
  private double[][] joined(List<double[][]> parts) {
    int size = parts.get(0)[0].length;
    double[][] whole = new double[cell.stateCount()][parts.size() * size];
    for (int k = 0; k < parts.size(); k++) {
      for (int s = 0; s < whole.length; s++) {
        System.arraycopy(parts.get(k)[s], 0, whole[s], k * size, size);
      }
    }
    return whole;
  }

  /** The part of [T,B,D*H] that belongs to one direction [T,B,H], or null. */
  private double[] direction(double[] values, int d) {
    if (values == null) {
      return null;
    }
    double[] part = new double[values.length / directions];
    for (int row = 0; row < part.length / hiddenSize; row++) {
      System.arraycopy(
          values, (row * directions + d) * hiddenSize, part, row * hiddenSize, hiddenSize);
    }
    return part;
  }

  private void requireStates(String what, double[][] states, int batch) {
    if (states == null) {
      return;
    }
    if (states.length != cell.stateCount()) {
      throw new IllegalArgumentException(
          what + " must hold the states " + cell.states() + ", but holds " + states.length);
    }
    for (int s = 0; s < states.length; s++) {
      requireLength(
          what + " " + cell.states().get(s) + " [L*D,B,H]",
          states[s],
          layers * directions * batch * hiddenSize);
    }
  }
}
