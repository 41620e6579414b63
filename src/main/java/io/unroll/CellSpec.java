package io.unroll;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What everything except the arithmetic needs to know about a recurrent cell.
 *
 * <p>The arithmetic of a cell stands in two places: {@code io.unroll.reference.Cells} in float64,
 * to be read beside docs/equations.md, and {@code kernels/cells/NAME.h} in float32, to run.
 *
 * @param name lower case, as in checkpoints and on the command line; names the section in
 *     docs/equations.md
 * @param gates gate names in storage order; their count is G in the shapes [G*H, I] and [G*H, H]
 * @param states state names; the first one is the output h and the only one that meets W_hh
 * @param reserved values per (t, b, j) that forward keeps for backward: the gates in their order,
 *     then what else backward needs; or 0 if it needs no more than the states
 * @param unitWeights names of the weights that each unit has for itself, besides its rows of W_ih
 *     and W_hh; their count is P in the shape [P*H] of the parameter {@code weight_unit_l0}. Most
 *     cells have none
 * @param inputAndRecurrentAdd whether the cell sees its two products only as their sum zx + zh;
 *     then their gradients are equal and are stored once
 */
public record CellSpec(
    String name,
    List<String> gates,
    List<String> states,
    int reserved,
    List<String> unitWeights,
    boolean inputAndRecurrentAdd) {

  /** h = tanh(zx + zh): Elman, "Finding structure in time", 1990; {@code torch.nn.RNN}. */
  public static final CellSpec TANH =
      new CellSpec("tanh", List.of("h"), List.of("h"), 0, List.of(), true);

  /** h = max(0, zx + zh): {@code torch.nn.RNN(nonlinearity="relu")}. */
  public static final CellSpec RELU =
      new CellSpec("relu", List.of("h"), List.of("h"), 0, List.of(), true);

  /**
   * Gated recurrent unit, Cho et al. 2014, in the form of cuDNN and PyTorch: the reset gate acts on
   * the recurrent product after its bias.
   */
  public static final CellSpec GRU =
      new CellSpec("gru", List.of("r", "z", "n"), List.of("h"), 4, List.of(), false);

  /** Long short-term memory with forget gate, Gers et al. 2000; {@code torch.nn.LSTM}. */
  public static final CellSpec LSTM =
      new CellSpec("lstm", List.of("i", "f", "g", "o"), List.of("h", "c"), 4, List.of(), true);

  /**
   * Long short-term memory with peepholes: Gers and Schmidhuber, "Recurrent nets that time and
   * count", 2000, in the form of Graves, "Generating sequences with recurrent neural networks",
   * 2013. Its unit weights lie in the order of the gates that see the cell state; ONNX has i, o, f.
   */
  public static final CellSpec LSTM_PEEPHOLE =
      new CellSpec(
          "lstm_peephole",
          List.of("i", "f", "g", "o"),
          List.of("h", "c"),
          4,
          List.of("i", "f", "o"),
          true);

  /** Every cell; the tests walk this list. */
  public static List<CellSpec> all() {
    return List.of(TANH, RELU, GRU, LSTM, LSTM_PEEPHOLE);
  }

  /**
   * Finds a cell by its {@link #name}.
   *
   * @throws IllegalArgumentException if there is none of that name; the message lists the names
   */
  public static CellSpec of(String name) {
    return all().stream()
        .filter(cell -> cell.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown cell \""
                        + name
                        + "\"; choose one of "
                        + all().stream().map(CellSpec::name).collect(Collectors.joining(", "))));
  }

  /** Copies the lists. */
  public CellSpec {
    gates = List.copyOf(gates);
    states = List.copyOf(states);
    unitWeights = List.copyOf(unitWeights);
  }

  /** G, the number of gates. */
  public int gateCount() {
    return gates.size();
  }

  /** The number of states: 1, or 2 for LSTM. */
  public int stateCount() {
    return states.size();
  }

  /** P, the number of weights that each unit has for itself. */
  public int unitWeightCount() {
    return unitWeights.size();
  }

  @Override
  public String toString() {
    return name;
  }
}
