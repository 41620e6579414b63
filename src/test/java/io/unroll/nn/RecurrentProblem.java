package io.unroll.nn;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.Philox;
import io.unroll.engine.Schedule;
import io.unroll.reference.Arithmetic;
import io.unroll.reference.ReferenceNetwork;
import io.unroll.reference.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A recurrent problem with random float32 data, solved by the oracle or by a backend; the results
 * are y, the final states, and the gradients of the input, the first states and every parameter.
 */
record RecurrentProblem(
    CellSpec cell,
    int steps,
    int batch,
    int inputSize,
    int hiddenSize,
    int layers,
    boolean bidirectional,
    boolean ragged,
    boolean packed,
    long seed) {

  private static final double INPUT_RANGE = 1;

  private int directions() {
    return bidirectional ? 2 : 1;
  }

  private int slots() {
    return layers * directions();
  }

  /** Numbers in [-range, range), another stream for every name. */
  private double[] random(String name, int count, double range) {
    long stream = seed * 1_000_003 + name.hashCode();
    return IntStream.range(0, count)
        .mapToDouble(i -> (float) ((2.0 * Philox.uniform(stream, i) - 1) * range))
        .toArray();
  }

  int[] lengths() {
    return ragged
        ? IntStream.range(0, batch)
            .map(b -> b == batch / 2 ? steps : 1 + Math.floorMod(Philox.bits(seed, b), steps))
            .toArray()
        : null;
  }

  /** [D,T,B]: one in five steps, of the first ones and past a row's length as well. */
  int[] resets() {
    return packed
        ? IntStream.range(0, directions() * steps * batch)
            .map(i -> Philox.uniform(seed + 1, i) < 0.2 ? 1 : 0)
            .toArray()
        : null;
  }

  private ReferenceNetwork network(Arithmetic arithmetic) {
    return new ReferenceNetwork(cell, inputSize, hiddenSize, layers, bidirectional, arithmetic);
  }

  private Map<String, double[]> weights() {
    Map<String, double[]> weights = new LinkedHashMap<>();
    double range = 1.5 / Math.sqrt(hiddenSize);
    network(Arithmetic.FLOAT64)
        .parameterSizes()
        .forEach((name, size) -> weights.put(name, random(name, size, range)));
    return weights;
  }

  private double[][] states(String name) {
    return IntStream.range(0, cell.stateCount())
        .mapToObj(s -> random(name + s, slots() * batch * hiddenSize, 1))
        .toArray(double[][]::new);
  }

  private double[] x() {
    return random("x", steps * batch * inputSize, INPUT_RANGE);
  }

  private double[] dy() {
    return random("dy", steps * batch * directions() * hiddenSize, 1);
  }

  /** The oracle's results by name. */
  Map<String, double[]> oracle(Arithmetic arithmetic) {
    ReferenceNetwork network = network(arithmetic);
    Sequence sequence = new Sequence(steps, batch, inputSize, x(), lengths(), resets());
    ReferenceNetwork.Forward forward = network.forward(sequence, states("s0"), weights());
    ReferenceNetwork.Gradients gradients = network.backward(forward, dy(), states("dsN"));
    Map<String, double[]> results = new LinkedHashMap<>();
    results.put("y", forward.output());
    for (int s = 0; s < cell.stateCount(); s++) {
      results.put(cell.states().get(s) + "N", forward.finalStates()[s]);
      results.put("d" + cell.states().get(s) + "0", gradients.dInitialStates()[s]);
    }
    results.put("dx", gradients.dx());
    gradients.dParameters().forEach((name, value) -> results.put("d" + name, value));
    return results;
  }

  /** A backend's results by the same names. */
  Map<String, double[]> solve(Backend backend, Schedule schedule) {
    RecurrentConfig config =
        RecurrentConfig.of(cell, inputSize, hiddenSize)
            .withLayers(layers)
            .withBidirectional(bidirectional)
            .withSchedule(schedule);
    try (Parameters parameters = new Parameters(backend, 0);
        Tape tape = new Tape(backend)) {
      Recurrent recurrent = new Recurrent(parameters, "", config);
      weights().forEach(parameters::set);
      return run(tape, parameters, recurrent);
    }
  }

  /** One step; the results are copied to the host. */
  Map<String, double[]> run(Tape tape, Parameters parameters, Recurrent recurrent) {
    tape.begin(Tape.Mode.TRAINING);
    parameters.zeroGradients();
    Tensor x = tape.input(x(), steps, batch, inputSize).withGradient();
    Tensor[] initial = tensors(tape, "s0");
    for (Tensor state : initial) {
      state.withGradient();
    }
    Indices lengths = ragged ? tape.indices(lengths(), batch) : null;
    int[] shape = bidirectional ? new int[] {2, steps, batch} : new int[] {steps, batch};
    Indices resets = packed ? tape.indices(resets(), shape) : null;
    Recurrent.Output output =
        recurrent.forward(x, new Recurrent.Options(lengths, resets, List.of(initial), null));
    Tensor dy = tape.input(dy(), steps, batch, directions() * hiddenSize);
    Tensor[] dStates = tensors(tape, "dsN");
    List<Tensor> ends = new ArrayList<>(List.of(output.y()));
    ends.addAll(output.finalStates());
    List<Tensor> starts = new ArrayList<>(List.of(dy));
    starts.addAll(List.of(dStates));
    tape.backward(ends, starts);
    Map<String, double[]> results = new LinkedHashMap<>();
    results.put("y", output.y().toDoubles());
    for (int s = 0; s < cell.stateCount(); s++) {
      results.put(cell.states().get(s) + "N", output.finalStates().get(s).toDoubles());
      results.put("d" + cell.states().get(s) + "0", initial[s].gradientToDoubles());
    }
    results.put("dx", x.gradientToDoubles());
    for (String name : parameters.names()) {
      results.put("d" + name, parameters.get(name).gradientToDoubles());
    }
    return results;
  }

  private Tensor[] tensors(Tape tape, String name) {
    return Arrays.stream(states(name))
        .map(values -> tape.input(values, slots(), batch, hiddenSize))
        .toArray(Tensor[]::new);
  }
}
