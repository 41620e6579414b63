package io.unroll.nn;

import io.unroll.Backend;
import io.unroll.ShapeException;
import io.unroll.device.Device;
import io.unroll.device.Span;
import io.unroll.engine.Arena;
import io.unroll.engine.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Records the operations of one step and runs their gradients backwards.
 *
 * <pre>
 * tape.begin(Tape.Mode.TRAINING);
 * Tensor y = layer.forward(tape.input(x, steps, batch, size));
 * Tensor loss = Losses.meanSquaredError(y, tape.input(target, steps, batch, 1));
 * tape.backward(loss);
 * </pre>
 *
 * <p>All memory of a step is taken back when the next one begins, so a step of the same shapes
 * allocates nothing. Used by one thread at a time.
 */
public final class Tape implements AutoCloseable {
  /** What a step is for. */
  public enum Mode {
    /** Records, so that {@link Tape#backward} can run; dropout drops. */
    TRAINING,
    /** Records nothing; dropout does nothing. */
    EVALUATION,
    /** As {@link #EVALUATION}, but gates are kept for {@link Recurrent.Output#activations}. */
    OBSERVATION
  }

  private final Kernels kernels;
  private final Arena arena;
  private final long seed;
  private final List<Tensor> results = new ArrayList<>();
  private final List<Runnable> gradients = new ArrayList<>();
  private Mode mode;
  private int step;
  private long randomPosition;

  /**
   * A tape whose random numbers are those of seed 0.
   *
   * @param backend where its tensors live
   */
  public Tape(Backend backend) {
    this(backend, 0);
  }

  /**
   * @param backend where its tensors live
   * @param seed of the random numbers that dropout draws
   */
  public Tape(Backend backend, long seed) {
    Device device = Device.of(backend);
    this.kernels = new Kernels(device);
    this.arena = new Arena(device, "activations");
    this.seed = seed;
  }

  /** Begins a step: all earlier tensors of this tape become invalid. */
  public void begin(Mode mode) {
    this.mode = mode;
    step++;
    results.clear();
    gradients.clear();
    arena.reset();
  }

  /**
   * Copies an input to the device.
   *
   * @param values row-major; may be longer than the shape needs
   * @param shape sizes of the axes, each at least 1
   * @throws ShapeException if there are too few values or a size is below 1
   */
  public Tensor input(float[] values, int... shape) {
    Span span = arena.reals(checkedSize(values.length, shape));
    device().copyIn(values, 0, span.buffer(), span.at(), (int) span.length());
    return result(span, false, shape);
  }

  /**
   * As {@link #input(float[], int...)}; on the float64 reference nothing is rounded.
   *
   * @param values row-major; may be longer than the shape needs
   * @param shape sizes of the axes, each at least 1
   * @throws ShapeException if there are too few values or a size is below 1
   */
  public Tensor input(double[] values, int... shape) {
    Span span = arena.reals(checkedSize(values.length, shape));
    device().copyIn(values, 0, span.buffer(), span.at(), (int) span.length());
    return result(span, false, shape);
  }

  /**
   * Copies tokens, classes or lengths to the device.
   *
   * @param values row-major; may be longer than the shape needs
   * @param shape sizes of the axes, each at least 1
   * @throws ShapeException if there are too few values or a size is below 1
   */
  public Indices indices(int[] values, int... shape) {
    Span span = arena.ints(checkedSize(values.length, shape));
    device().copyIn(values, 0, span.buffer(), span.at(), (int) span.length());
    return new Indices(this, span, values, shape);
  }

  private long checkedSize(int available, int... shape) {
    if (mode == null) {
      throw new IllegalStateException("no step has begun: call Tape.begin first");
    }
    for (int dim : shape) {
      if (dim < 1) {
        throw new ShapeException("every size must be at least 1, but " + Arrays.toString(shape));
      }
    }
    long size = Tensor.sizeOf(shape);
    if (available < size) {
      throw new ShapeException(
          "a tensor " + Arrays.toString(shape) + " needs " + size + " values, found " + available);
    }
    return size;
  }

  /**
   * Computes the gradient of a loss with respect to every parameter and every tensor it depends on.
   * Gradients of parameters are added to, so {@link Parameters#zeroGradients} belongs before it;
   * those of other tensors are overwritten.
   *
   * @param loss one element, a result of this step
   * @throws IllegalStateException if the step was not begun in {@link Mode#TRAINING}
   */
  public void backward(Tensor loss) {
    if (loss.size() != 1) {
      throw new ShapeException("backward needs a loss of one element, found " + loss);
    }
    beginBackward();
    requireReached(loss);
    loss.gradientBeta();
    kernels.fill(loss.gradient(), 1);
    runBackward();
  }

  /**
   * As {@link #backward(Tensor)}, begun from given gradients of several results, as {@code
   * torch.autograd.backward}: the gradients of sum(result * gradient) over all pairs.
   *
   * @param results of this step, each once
   * @param startingGradients for each result one of the same number of elements, such as inputs
   * @throws ShapeException if the lists or the sizes of a pair differ
   * @throws IllegalStateException if the step was not begun in {@link Mode#TRAINING}
   */
  public void backward(List<Tensor> results, List<Tensor> startingGradients) {
    if (results.isEmpty() || results.size() != startingGradients.size()) {
      throw new ShapeException(
          "backward needs a gradient for each result, found "
              + startingGradients.size()
              + " for "
              + results.size());
    }
    for (int i = 0; i < results.size(); i++) {
      if (results.get(i).size() != startingGradients.get(i).size()) {
        throw new ShapeException(
            "backward needs gradients of the results' sizes, found "
                + startingGradients.get(i)
                + " for "
                + results.get(i));
      }
    }
    beginBackward();
    results.forEach(this::requireReached);
    for (int i = 0; i < results.size(); i++) {
      Tensor result = results.get(i);
      Span start = owned(startingGradients.get(i)).value();
      double beta = result.gradientBeta();
      kernels.axpby(start, result.gradient(), 1, beta);
    }
    runBackward();
  }

  private void beginBackward() {
    if (mode != Mode.TRAINING) {
      throw new IllegalStateException(
          "backward needs a step that was recorded: begin it with Tape.Mode.TRAINING");
    }
    results.forEach(Tensor::forgetGradient);
  }

  private void requireReached(Tensor result) {
    owned(result).value();
    if (!result.needsGradient()) {
      throw new IllegalStateException(
          "the loss depends on no parameter and on no input withGradient()");
    }
  }

  private void runBackward() {
    for (int i = gradients.size() - 1; i >= 0; i--) {
      gradients.get(i).run();
    }
  }

  /** What the current step is for, or null before the first. */
  public Mode mode() {
    return mode;
  }

  /** How many random numbers have been drawn; part of a checkpoint. */
  public long randomPosition() {
    return randomPosition;
  }

  /** Continues the random numbers from a position of {@link #randomPosition}. */
  public void randomPosition(long position) {
    randomPosition = position;
  }

  /** Frees the memory of the steps. */
  @Override
  public void close() {
    arena.close();
    step++;
    mode = null;
  }

  Device device() {
    return kernels.device();
  }

  Kernels kernels() {
    return kernels;
  }

  Arena arena() {
    return arena;
  }

  int step() {
    return step;
  }

  long seed() {
    return seed;
  }

  boolean training() {
    return mode == Mode.TRAINING;
  }

  /** Whether what a cell computed within a step is kept beyond it. */
  boolean keepsGates() {
    return mode != Mode.EVALUATION;
  }

  /** Takes count random numbers; returns the position of the first. */
  long drawRandom(long count) {
    long first = randomPosition;
    randomPosition += count;
    return first;
  }

  /** A result in memory of the arena. */
  Tensor result(boolean needsGradient, int... shape) {
    return result(arena.reals(Tensor.sizeOf(shape)), needsGradient, shape);
  }

  /** A result in given memory. */
  Tensor result(Span value, boolean needsGradient, int... shape) {
    Tensor tensor = new Tensor(this, value, needsGradient && training(), shape);
    results.add(tensor);
    return tensor;
  }

  /** Rows of a table, or of the identity if that is null; gathered when their value is used. */
  Tensor rows(Tensor table, Indices index, int... shape) {
    Tensor tensor = new Tensor(this, table, index, shape);
    results.add(tensor);
    return tensor;
  }

  /** Records how gradients flow back through an operation. */
  void record(Tensor result, Runnable gradient) {
    if (result.needsGradient()) {
      gradients.add(gradient);
    }
  }

  /** Throws unless a tensor is a parameter or of this tape. */
  Tensor owned(Tensor tensor) {
    if (tensor.tape() != null && tensor.tape() != this) {
      throw new IllegalArgumentException(
          tensor + " belongs to another tape; an operation takes tensors of one tape");
    }
    return tensor;
  }
}
