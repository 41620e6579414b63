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
 * time-major sequences. Its parameters have PyTorch's names, shapes and gate order, besides {@code
 * weight_unit_l0} [P*H] of a cell whose units have weights of their own, which PyTorch has not.
 *
 * <p>It may be called several times in one step, and holds no state of a sequence.
 */
public final class Recurrent {
  /**
   * What a call may have besides its input.
   *
   * @param lengths the number of valid steps of each row, int[B] in [1, T], or null if all are T
   * @param resets 1 at a step of a row that begins anew, else 0: the states before that step count
   *     as zero in it and get no gradient, so several short sequences can be packed in one row;
   *     int[T,B], or null for none. Before a step comes what its direction visits before it, so a
   *     stack of both directions has an int[2,T,B]: first the steps where a sequence begins, then
   *     those where it ends. It means nothing past a row's length. docs/equations.md, "Resets"
   * @param initial first states, each [L*D,B,H]: h, and for LSTM c; gradients flow into them; null
   *     or empty for zeros
   * @param carried states that come from the step before and go to the next, or null
   */
  public record Options(
      Indices lengths, Indices resets, List<Tensor> initial, RecurrentState carried) {
    /** Rows of different length. */
    public static Options lengths(Indices lengths) {
      return new Options(lengths, null, null, null);
    }

    /** Rows of several sequences. */
    public static Options resets(Indices resets) {
      return new Options(null, resets, null, null);
    }

    /** First states that gradients flow into. */
    public static Options initial(Tensor... states) {
      return new Options(null, null, List.of(states), null);
    }

    /** States carried from step to step. */
    public static Options carried(RecurrentState state) {
      return state.options();
    }
  }

  /** What a call returns. */
  public static final class Output {
    private final Recurrent stack;
    private final RecurrentPass[] passes;
    private Tensor y;
    private List<Tensor> finalStates = List.of();

    private Output(Recurrent stack, RecurrentPass[] passes) {
      this.stack = stack;
      this.passes = passes;
    }

    /** h of the top layer at every step, [T,B,D*H]; zero past a row's length. */
    public Tensor y() {
      return y;
    }

    /**
     * The states after each row's last step, each [L*D,B,H]: h, and for LSTM c. They are gathered
     * when first asked for; most models never ask.
     */
    public List<Tensor> finalStates() {
      if (finalStates.isEmpty()) {
        y.value();
        finalStates = stack.gatherFinalStates(y.tape(), passes);
      }
      return finalStates;
    }

    /** The states and gates of every layer at every step. */
    public Activations activations() {
      return new Activations(y, stack.config, passes);
    }

    /** The last h, [L*D,B,H]. */
    public Tensor hN() {
      return finalStates().get(0);
    }

    /** The last c of an LSTM, [L*D,B,H]. */
    public Tensor cN() {
      return finalStates().get(1);
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

  private static final Options NONE = new Options(null, null, null, null);

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
   * bias_hh_l0} [G*H], and for a cell with {@link CellSpec#unitWeights} {@code weight_unit_l0}
   * [P*H], weight p of unit j at p*H + j; for each further layer and with {@code _reverse} for the
   * other direction; all uniform within 1/sqrt(H).
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
      parameters.add(name("weight_ih", slot), uniform, gates, config.inputSize(slot));
      parameters.add(name("weight_hh", slot), uniform, gates, config.hiddenSize());
      parameters.add(name("bias_ih", slot), uniform, gates);
      parameters.add(name("bias_hh", slot), uniform, gates);
      if (hasUnitWeights()) {
        int count = config.cell().unitWeightCount() * config.hiddenSize();
        parameters.add(name("weight_unit", slot), uniform, count);
      }
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
   * @param options lengths, resets, first states, carried states
   * @throws ShapeException if x, the lengths, the resets or the states do not fit this stack
   * @throws IllegalArgumentException if a length is below 1 or above T, or a reset is not 0 or 1
   */
  public Output forward(Tensor x, Options options) {
    check(x, options);
    Output output = new Output(this, passesFor(x.tape()));
    output.y = x;
    for (int layer = 0; layer < config.layers(); layer++) {
      Tensor below = layer == 0 ? x : Ops.dropout(output.y, config.dropout());
      output.y = layer(layer, below, options, output);
    }
    return output;
  }

  /** As {@link #forward(Indices, Options)} with zero first states and full rows. */
  public Output forward(Indices x) {
    return forward(x, NONE);
  }

  /**
   * As {@link #forward(Tensor, Options)} with the one-hot vectors of x for input. They are never
   * made: the product of W_ih with one of them is a column of W_ih.
   *
   * @param x [T,B], each in [0,I); {@link Indices#IGNORED} stands for a row of zeros
   * @param options lengths, resets, first states, carried states
   * @throws ShapeException if x is not [T,B], or lengths, resets or states do not fit this stack
   * @throws IllegalArgumentException if an index, a length or a reset is out of range
   */
  public Output forward(Indices x, Options options) {
    int[] shape = x.dims();
    if (shape.length != 2) {
      throw new ShapeException(
          "one-hot x must be [T,B] (time first), but is " + Arrays.toString(shape));
    }
    x.requireRange("one-hot x", 0, config.inputSize() - 1, true);
    return forward(x.tape().rows(null, x, shape[0], shape[1], config.inputSize()), options);
  }

  private List<Tensor> gatherFinalStates(Tape tape, RecurrentPass[] passes) {
    long each = passes[0].stateSize();
    int[] shape = {slots(), Math.toIntExact(each / config.hiddenSize()), config.hiddenSize()};
    Tensor[] finals = new Tensor[config.cell().stateCount()];
    for (int s = 0; s < finals.length; s++) {
      finals[s] = tape.result(true, shape);
      for (int slot = 0; slot < slots(); slot++) {
        RecurrentPass pass = passes[slot];
        Span all = finals[s].value();
        tape.kernels().copy(pass.states(), pass.lastStateAt(s), all, slot * each, each);
      }
    }
    return List.of(finals);
  }

  private Tensor layer(int layer, Tensor x, Options options, Output output) {
    Tape tape = x.tape();
    int steps = x.dim(0);
    int batch = x.dim(1);
    int hidden = config.hiddenSize();
    int width = config.directions() * hidden;
    boolean byTable = readsTable(x);
    Tensor source = byTable ? x.table() : x;
    Span rows = source == null ? null : source.value();
    Span index = byTable ? x.index().value() : null;
    Span lengths = options.lengths() == null ? null : options.lengths().value();
    boolean statesServe = config.directions() == 1 && lengths == null;
    Span out = statesServe ? null : tape.arena().reals((long) steps * batch * width);
    for (int d = 0; d < config.directions(); d++) {
      int slot = layer * config.directions() + d;
      RecurrentPass pass = output.passes[slot];
      Span resets = resets(options, d, (long) steps * batch);
      pass.begin(tape.arena(), steps, batch, lengths, resets, tape.keepsGates());
      firstStates(pass, slot, tape.kernels(), options);
      Span part =
          out == null ? null : out.slice((long) d * hidden, out.length() - (long) d * hidden);
      pass.forward(tape.arena(), rows, index, weights(slot), part, width);
      if (options.carried() != null) {
        carryLastStates(pass, slot, tape.kernels(), options.carried());
      }
    }
    Span value = statesServe ? output.passes[layer].outputStates() : out;
    int[] shape = x.dim(2) == width ? x.dims() : new int[] {steps, batch, width};
    Tensor y = tape.result(value, true, shape);
    tape.record(y, () -> layerGradient(layer, source, y, options, output));
    return y;
  }

  /** Those of one direction [T,B], or null. */
  private static Span resets(Options options, int direction, long size) {
    return options.resets() == null ? null : options.resets().value().slice(direction * size, size);
  }

  /** Whether x is one-hot, or chosen from a table that has fewer rows than x. */
  private static boolean readsTable(Tensor x) {
    return x.index() != null && (x.table() == null || x.table().dim(0) < x.index().size());
  }

  private void firstStates(RecurrentPass pass, int slot, Kernels kernels, Options options) {
    long each = pass.stateSize();
    for (int s = 0; s < config.cell().stateCount(); s++) {
      long at = pass.firstStateAt(s);
      if (options.carried() != null) {
        kernels.copy(options.carried().kind(s), slot * each, pass.states(), at, each);
      } else if (hasInitial(options)) {
        Span all = options.initial().get(s).value();
        kernels.copy(all, slot * each, pass.states(), at, each);
      } else {
        kernels.fill(pass.states(), at, each, 0);
      }
    }
  }

  private void carryLastStates(
      RecurrentPass pass, int slot, Kernels kernels, RecurrentState carried) {
    long each = pass.stateSize();
    for (int s = 0; s < config.cell().stateCount(); s++) {
      kernels.copy(pass.states(), pass.lastStateAt(s), carried.kind(s), slot * each, each);
    }
  }

  /**
   * @param source the input or the table of its rows; null if it is one-hot
   */
  private void layerGradient(int layer, Tensor source, Tensor y, Options options, Output output) {
    boolean reached = y.hasGradient();
    for (int s = 0; s < output.finalStates.size(); s++) {
      reached |= output.finalStates.get(s).hasGradient();
    }
    if (!reached) {
      return;
    }
    Tape tape = y.tape();
    int hidden = config.hiddenSize();
    for (int d = 0; d < config.directions(); d++) {
      int slot = layer * config.directions() + d;
      RecurrentPass pass = output.passes[slot];
      pass.beginBackward(tape.arena());
      lastStateGradients(pass, slot, tape.kernels(), output.finalStates);
      Span dy =
          y.hasGradient()
              ? y.gradient().slice((long) d * hidden, y.size() - (long) d * hidden)
              : null;
      Span dx = source != null && source.needsGradient() ? source.gradient() : null;
      double beta = dx == null ? 0 : source.gradientBeta();
      pass.backward(dy, config.directions() * hidden, gradients(slot), dx, beta);
      firstStateGradients(pass, slot, tape.kernels(), options);
    }
  }

  private void lastStateGradients(
      RecurrentPass pass, int slot, Kernels kernels, List<Tensor> finals) {
    long each = pass.stateSize();
    for (int s = 0; s < config.cell().stateCount(); s++) {
      if (!finals.isEmpty() && finals.get(s).hasGradient()) {
        Span all = finals.get(s).gradient();
        kernels.copy(all, slot * each, pass.stateGradient(), s * each, each);
      } else {
        kernels.fill(pass.stateGradient(), s * each, each, 0);
      }
    }
  }

  private void firstStateGradients(RecurrentPass pass, int slot, Kernels kernels, Options options) {
    long each = pass.stateSize();
    for (int s = 0; hasInitial(options) && s < config.cell().stateCount(); s++) {
      Tensor initial = options.initial().get(s);
      if (initial.needsGradient()) {
        Span part = initial.gradient().slice(slot * each, each);
        kernels.axpby(pass.stateGradient().slice(s * each, each), part, 1, 1);
      }
    }
  }

  private static boolean hasInitial(Options options) {
    return options.initial() != null && !options.initial().isEmpty();
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
      options.lengths().requireNotDrawn("lengths");
      options.lengths().requireRange("lengths", 1, x.dim(0), false);
    }
    if (options.resets() != null) {
      checkResets(options.resets(), x);
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

  private void checkResets(Indices resets, Tensor x) {
    int steps = x.dim(0);
    int batch = x.dim(1);
    boolean both = config.directions() == 2;
    int[] expected = both ? new int[] {2, steps, batch} : new int[] {steps, batch};
    if (!Arrays.equals(resets.dims(), expected)) {
      throw new ShapeException(
          "resets must be "
              + (both
                  ? "[2,T,B], those of the forward and those of the reverse direction,"
                  : "[T,B]")
              + " = "
              + Arrays.toString(expected)
              + ", but are "
              + Arrays.toString(resets.dims()));
    }
    resets.requireNotDrawn("resets");
    resets.requireRange("resets", 0, 1, false);
  }

  private void checkInitial(List<Tensor> initial, Tensor x) {
    CellSpec cell = config.cell();
    int[] expected = {slots(), x.dim(1), config.hiddenSize()};
    if (initial.size() != cell.stateCount()) {
      throw new ShapeException(
          cell + " has the states " + cell.states() + ", but " + initial.size() + " were given");
    }
    for (Tensor state : initial) {
      if (!Arrays.equals(state.dims(), expected)) {
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
    return config.slots();
  }

  private String name(String what, int slot) {
    return prefix + config.parameterName(what, slot);
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
        parameters.within(name("bias_hh", slot), all),
        hasUnitWeights() ? parameters.within(name("weight_unit", slot), all) : null);
  }

  private boolean hasUnitWeights() {
    return !config.cell().unitWeights().isEmpty();
  }
}
