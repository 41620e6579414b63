package io.unroll.nn;

import io.unroll.CellSpec;
import io.unroll.ShapeException;
import io.unroll.device.Span;
import io.unroll.engine.Kernels;
import io.unroll.engine.RecurrentPass;
import io.unroll.engine.RecurrentWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A stack of recurrent layers, as {@code torch.nn.RNN}, {@code GRU} and {@code LSTM} with
 * time-major sequences. Its parameters have PyTorch's names, shapes and gate order.
 *
 * <p>It may be called several times in one step, and holds no state of a sequence.
 */
public final class Recurrent {
  /**
   * What a call may have besides its input.
   *
   * @param lengths the number of valid steps of each row, int[B] in [1, T], or null if all are T
   * @param initial first states, each [L*D,B,H]: h, and for LSTM c; gradients flow into them; null
   *     or empty for zeros
   * @param carried states that come from the step before and go to the next, or null
   */
  public record Options(Indices lengths, List<Tensor> initial, RecurrentState carried) {
    /** Rows of different length. */
    public static Options lengths(Indices lengths) {
      return new Options(lengths, null, null);
    }

    /** First states that gradients flow into. */
    public static Options initial(Tensor... states) {
      return new Options(null, List.of(states), null);
    }

    /** States carried from step to step. */
    public static Options carried(RecurrentState state) {
      return new Options(null, null, state);
    }
  }

  /**
   * What a call returns.
   *
   * @param y h of the top layer at every step, [T,B,D*H]; zero past a row's length
   * @param finalStates the states after each row's last step, each [L*D,B,H]: h, and for LSTM c
   */
  public record Output(Tensor y, List<Tensor> finalStates) {
    /** The last h, [L*D,B,H]. */
    public Tensor hN() {
      return finalStates.get(0);
    }

    /** The last c of an LSTM, [L*D,B,H]. */
    public Tensor cN() {
      return finalStates.get(1);
    }

    /** The last h of the top layer, [B,D*H]: what a many-to-one model goes on with. */
    public Tensor last() {
      int directions = y.dim(2) / hN().dim(2);
      int top = hN().dim(0) - directions;
      Tensor forward = direction(top);
      return directions == 1 ? forward : Ops.concat(forward, direction(top + 1));
    }

    private Tensor direction(int slot) {
      return Ops.reshape(Ops.slice(hN(), slot, 1), hN().dim(1), hN().dim(2));
    }
  }

  private static final Options NONE = new Options(null, null, null);

  private final Parameters parameters;
  private final String prefix;
  private final RecurrentConfig config;
  private final List<RecurrentPass[]> calls = new ArrayList<>();
  private final RecurrentWeights[] weights;
  private final RecurrentWeights[] gradients;
  private Tape latestTape;
  private int latestStep;
  private int callsThisStep;

  /**
   * Adds {@code weight_ih_l0} [G*H,I], {@code weight_hh_l0} [G*H,H], {@code bias_ih_l0} and {@code
   * bias_hh_l0} [G*H], for each further layer and with {@code _reverse} for the other direction;
   * all uniform within 1/sqrt(H).
   *
   * @param name goes before the names of the parameters, with a dot; empty for none
   */
  public Recurrent(Parameters parameters, String name, RecurrentConfig config) {
    this.parameters = parameters;
    this.prefix = name.isEmpty() ? "" : name + ".";
    this.config = config;
    this.weights = new RecurrentWeights[slots()];
    this.gradients = new RecurrentWeights[slots()];
    int gates = config.cell().gateCount() * config.hiddenSize();
    Initializer uniform = Initializer.uniform(1 / Math.sqrt(config.hiddenSize()));
    for (int slot = 0; slot < slots(); slot++) {
      parameters.add(name("weight_ih", slot), uniform, gates, inputSize(slot));
      parameters.add(name("weight_hh", slot), uniform, gates, config.hiddenSize());
      parameters.add(name("bias_ih", slot), uniform, gates);
      parameters.add(name("bias_hh", slot), uniform, gates);
    }
  }

  /** What it is made of. */
  public RecurrentConfig config() {
    return config;
  }

  /**
   * Zero states for rows that are followed over several steps.
   *
   * @param batch how many rows
   */
  public RecurrentState newState(int batch) {
    int kinds = config.cell().stateCount();
    return new RecurrentState(parameters.device(), kinds, slots(), batch, config.hiddenSize());
  }

  /** As {@link #forward(Tensor, Options)} with zero first states and full rows. */
  public Output forward(Tensor x) {
    return forward(x, NONE);
  }

  /**
   * Runs all layers over a whole sequence.
   *
   * @param x [T,B,I]
   * @param options lengths, first states, carried states
   * @throws ShapeException if x, the lengths or the states do not fit this stack
   * @throws IllegalArgumentException if a length is below 1 or above T
   */
  public Output forward(Tensor x, Options options) {
    check(x, options);
    Tape tape = x.tape();
    int batch = x.dim(1);
    RecurrentPass[] passes = passesFor(tape);
    Tensor[] finals = new Tensor[config.cell().stateCount()];
    for (int s = 0; s < finals.length; s++) {
      finals[s] = tape.result(true, slots(), batch, config.hiddenSize());
    }
    Tensor y = x;
    for (int layer = 0; layer < config.layers(); layer++) {
      y = layer(layer, layer == 0 ? x : Ops.dropout(y, config.dropout()), options, finals, passes);
    }
    if (options.carried() != null) {
      for (int s = 0; s < finals.length; s++) {
        tape.kernels().axpby(finals[s].value(), options.carried().kind(s), 1, 0);
      }
    }
    return new Output(y, List.of(finals));
  }

  private Tensor layer(
      int layer, Tensor x, Options options, Tensor[] finals, RecurrentPass[] passes) {
    Tape tape = x.tape();
    int steps = x.dim(0);
    int batch = x.dim(1);
    int hidden = config.hiddenSize();
    int width = config.directions() * hidden;
    Span lengths = options.lengths() == null ? null : options.lengths().value();
    boolean statesServe = config.directions() == 1 && lengths == null;
    Span out = statesServe ? null : tape.arena().reals((long) steps * batch * width);
    for (int d = 0; d < config.directions(); d++) {
      int slot = layer * config.directions() + d;
      RecurrentPass pass = passes[slot];
      pass.begin(tape.arena(), steps, batch, lengths, tape.training());
      firstStates(pass, slot, tape.kernels(), options);
      Span part =
          out == null ? null : out.slice((long) d * hidden, out.length() - (long) d * hidden);
      pass.forward(tape.arena(), x.value(), weights(slot), part, width);
      for (int s = 0; s < finals.length; s++) {
        tape.kernels().axpby(pass.lastState(s), slotOf(finals[s].value(), slot), 1, 0);
      }
    }
    Span output = statesServe ? passes[layer].outputStates() : out;
    Tensor y = tape.result(output, true, steps, batch, width);
    tape.record(y, () -> layerGradient(layer, x, y, options, finals, passes));
    return y;
  }

  private void firstStates(RecurrentPass pass, int slot, Kernels kernels, Options options) {
    for (int s = 0; s < config.cell().stateCount(); s++) {
      Span first = pass.firstState(s);
      if (options.carried() != null) {
        kernels.axpby(slotOf(options.carried().kind(s), slot), first, 1, 0);
      } else if (hasInitial(options)) {
        kernels.axpby(slotOf(options.initial().get(s).value(), slot), first, 1, 0);
      } else {
        kernels.fill(first, 0);
      }
    }
  }

  private void layerGradient(
      int layer, Tensor x, Tensor y, Options options, Tensor[] finals, RecurrentPass[] passes) {
    boolean reached = y.hasGradient();
    for (Tensor state : finals) {
      reached |= state.hasGradient();
    }
    if (!reached) {
      return;
    }
    Tape tape = x.tape();
    int hidden = config.hiddenSize();
    for (int d = 0; d < config.directions(); d++) {
      int slot = layer * config.directions() + d;
      RecurrentPass pass = passes[slot];
      pass.beginBackward(tape.arena());
      lastStateGradients(pass, slot, tape.kernels(), finals);
      Span dy =
          y.hasGradient()
              ? y.gradient().slice((long) d * hidden, y.size() - (long) d * hidden)
              : null;
      Span dx = x.needsGradient() ? x.gradient() : null;
      double beta = dx == null ? 0 : x.gradientBeta();
      pass.backward(dy, config.directions() * hidden, gradients(slot), dx, beta);
      firstStateGradients(pass, slot, tape.kernels(), options);
    }
  }

  private void lastStateGradients(RecurrentPass pass, int slot, Kernels kernels, Tensor[] finals) {
    for (int s = 0; s < finals.length; s++) {
      Span part = stateOf(pass.stateGradient(), s);
      if (finals[s].hasGradient()) {
        kernels.axpby(slotOf(finals[s].gradient(), slot), part, 1, 0);
      } else {
        kernels.fill(part, 0);
      }
    }
  }

  private void firstStateGradients(RecurrentPass pass, int slot, Kernels kernels, Options options) {
    for (int s = 0; hasInitial(options) && s < config.cell().stateCount(); s++) {
      Tensor initial = options.initial().get(s);
      if (initial.needsGradient()) {
        kernels.axpby(stateOf(pass.stateGradient(), s), slotOf(initial.gradient(), slot), 1, 1);
      }
    }
  }

  private static boolean hasInitial(Options options) {
    return options.initial() != null && !options.initial().isEmpty();
  }

  private Span slotOf(Span all, int slot) {
    long each = all.length() / slots();
    return all.slice(slot * each, each);
  }

  private Span stateOf(Span all, int s) {
    long each = all.length() / config.cell().stateCount();
    return all.slice(s * each, each);
  }

  private RecurrentPass[] passesFor(Tape tape) {
    if (tape != latestTape || tape.step() != latestStep) {
      if (tape != latestTape) {
        calls.clear();
      }
      latestTape = tape;
      latestStep = tape.step();
      callsThisStep = 0;
    }
    if (callsThisStep == calls.size()) {
      RecurrentPass[] passes = new RecurrentPass[slots()];
      for (int slot = 0; slot < passes.length; slot++) {
        boolean reverse = slot % config.directions() == 1;
        passes[slot] =
            new RecurrentPass(
                tape.kernels(), config.cell(), config.hiddenSize(), reverse, config.schedule());
      }
      calls.add(passes);
    }
    return calls.get(callsThisStep++);
  }

  private void check(Tensor x, Options options) {
    if (x.tape() == null || x.tape().mode() == null) {
      throw new IllegalArgumentException("x must be a tensor of a tape, but is a parameter");
    }
    if (x.rank() != 3 || x.dim(2) != config.inputSize()) {
      throw new ShapeException(
          "x must be [T,B," + config.inputSize() + "] (time first), but is " + x);
    }
    if (options.lengths() != null) {
      if (options.lengths().size() != x.dim(1)) {
        throw new ShapeException(
            "lengths must have one entry for each of the "
                + x.dim(1)
                + " rows, but has "
                + options.lengths().size());
      }
      options.lengths().requireRange("lengths", 1, x.dim(0), false);
    }
    if (options.carried() != null && hasInitial(options)) {
      throw new IllegalArgumentException("give either initial states or carried ones, not both");
    }
    if (options.carried() != null && options.carried().batch() != x.dim(1)) {
      throw new ShapeException(
          "the carried states have " + options.carried().batch() + " rows, but x is " + x);
    }
    if (hasInitial(options)) {
      checkInitial(options.initial(), x);
    }
  }

  private void checkInitial(List<Tensor> initial, Tensor x) {
    CellSpec cell = config.cell();
    int[] expected = {slots(), x.dim(1), config.hiddenSize()};
    if (initial.size() != cell.stateCount()) {
      throw new ShapeException(
          cell + " has the states " + cell.states() + ", but " + initial.size() + " were given");
    }
    for (Tensor state : initial) {
      if (!Arrays.equals(state.shape(), expected)) {
        throw new ShapeException(
            "an initial state must be [L*D,B,H] = "
                + Arrays.toString(expected)
                + ", but is "
                + state);
      }
      x.tape().owned(state).gatherParts();
    }
  }

  private int slots() {
    return config.layers() * config.directions();
  }

  private int inputSize(int slot) {
    return slot < config.directions()
        ? config.inputSize()
        : config.directions() * config.hiddenSize();
  }

  private String name(String what, int slot) {
    String direction = slot % config.directions() == 1 ? "_reverse" : "";
    return prefix + what + "_l" + slot / config.directions() + direction;
  }

  private RecurrentWeights weights(int slot) {
    if (weights[slot] == null) {
      weights[slot] = spans(slot, parameters.values());
      gradients[slot] = spans(slot, parameters.gradients());
    }
    return weights[slot];
  }

  private RecurrentWeights gradients(int slot) {
    return gradients[slot];
  }

  private RecurrentWeights spans(int slot, Span all) {
    return new RecurrentWeights(
        parameters.within(name("weight_ih", slot), all),
        parameters.within(name("weight_hh", slot), all),
        parameters.within(name("bias_ih", slot), all),
        parameters.within(name("bias_hh", slot), all));
  }
}
