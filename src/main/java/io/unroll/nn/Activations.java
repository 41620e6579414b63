package io.unroll.nn;

import io.unroll.CellSpec;
import io.unroll.device.Span;
import io.unroll.engine.RecurrentPass;
import java.util.List;

/**
 * What every unit of a {@link Recurrent} did at every step of a call: to look at, not to learn
 * from, for no gradient flows through it.
 *
 * <pre>
 * tape.begin(Tape.Mode.OBSERVATION);
 * Activations seen = lstm.forward(tape.input(x, steps, batch, size)).activations();
 * float[] forget = seen.gate("f", 1, 0).toFloats(); // of the second layer
 * </pre>
 *
 * <p>Valid until the tape begins its next step. Past a row's length a state is the last one before
 * it, and a gate is undefined.
 */
public final class Activations {
  private final Tensor y;
  private final RecurrentConfig config;
  private final RecurrentPass[] passes;

  Activations(Tensor y, RecurrentConfig config, RecurrentPass[] passes) {
    this.y = y;
    this.config = config;
    this.passes = passes;
  }

  /**
   * A state after each step; on the device it is not copied.
   *
   * @param name one of {@link CellSpec#states}: h, or of an LSTM c
   * @param layer from 0
   * @param direction 0, or 1 for the one that runs from the end
   * @return [T,B,H]; after step t is what that direction knows having read t, so in direction 1 it
   *     has read all from the end down to t
   * @throws IllegalArgumentException if there is no such state, layer or direction
   */
  public Tensor state(String name, int layer, int direction) {
    int s = indexOf("state", config.cell().states(), name);
    return result(pass(layer, direction).statesAfterSteps(s));
  }

  /**
   * A gate, after its logistic function or tanh.
   *
   * @param name one of {@link CellSpec#gates}; the only one of the cells tanh and relu is h itself
   * @param layer from 0
   * @param direction 0, or 1 for the one that runs from the end
   * @return [T,B,H]
   * @throws IllegalArgumentException if there is no such gate, layer or direction
   * @throws IllegalStateException if the step was begun in {@link Tape.Mode#EVALUATION}
   */
  public Tensor gate(String name, int layer, int direction) {
    CellSpec cell = config.cell();
    int gate = indexOf("gate", cell.gates(), name);
    RecurrentPass pass = pass(layer, direction);
    if (cell.reserved() == 0) {
      return result(pass.statesAfterSteps(0));
    }
    if (!y.tape().keepsGates()) {
      throw new IllegalStateException(
          "gate \"" + name + "\" was not kept: begin the step with Tape.Mode.OBSERVATION");
    }
    int hidden = config.hiddenSize();
    int rows = y.dim(0) * y.dim(1);
    Tensor values = y.tape().result(false, y.dim(0), y.dim(1), hidden);
    long at = (long) gate * hidden;
    Span from = pass.kept().slice(at, pass.kept().length() - at);
    y.tape()
        .kernels()
        .copyRows(from, cell.reserved() * hidden, values.value(), hidden, rows, hidden, 0);
    return values;
  }

  private Tensor result(Span span) {
    return y.tape().result(span, false, y.dim(0), y.dim(1), config.hiddenSize());
  }

  private RecurrentPass pass(int layer, int direction) {
    y.value(); // throws if the step is over
    if (layer < 0
        || layer >= config.layers()
        || direction < 0
        || direction >= config.directions()) {
      throw new IllegalArgumentException(
          "there is no layer "
              + layer
              + " in direction "
              + direction
              + ", but layers from 0 to "
              + (config.layers() - 1)
              + " in "
              + config.directions()
              + (config.directions() == 1 ? " direction" : " directions"));
    }
    return passes[layer * config.directions() + direction];
  }

  private int indexOf(String what, List<String> names, String name) {
    int index = names.indexOf(name);
    if (index < 0) {
      throw new IllegalArgumentException(
          config.cell() + " has no " + what + " \"" + name + "\", but " + names);
    }
    return index;
  }
}
