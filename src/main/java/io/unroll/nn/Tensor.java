package io.unroll.nn;

import io.unroll.ShapeException;
import io.unroll.device.Device;
import io.unroll.device.Span;
import java.util.Arrays;

/**
 * Real numbers on a device: a parameter, an input, or a result of one step of a {@link Tape}.
 *
 * <p>Row-major, time-major for sequences. A result is valid until its tape begins the next step;
 * using it later is an error. A parameter is valid until its {@link Parameters} are closed.
 */
public final class Tensor {
  private final Tape tape;
  private final Parameters parameters;
  private final int step;
  private final int[] shape;
  private final Tensor viewed;
  private Tensor table;
  private Indices index;
  private Span value;
  private boolean needsGradient;
  private boolean gradientAsked;
  private boolean gathersParts;
  private boolean gradientWritten;
  private Span gradient;

  /** A result of the current step. */
  Tensor(Tape tape, Span value, boolean needsGradient, int... shape) {
    this(tape, null, value, needsGradient, null, shape);
  }

  /** A view of count elements of another result. */
  Tensor(Tensor viewed, long at, int... shape) {
    this(
        viewed.tape,
        viewed.parameters,
        viewed.value().slice(at, sizeOf(shape)),
        viewed.needsGradient,
        viewed,
        shape);
    viewed.gatherParts();
  }

  /**
   * The rows of a table that an index chooses, gathered when {@link #value} is first asked for; of
   * the identity if the table is null, and then nobody may ask.
   */
  Tensor(Tape tape, Tensor table, Indices index, int... shape) {
    this(tape, null, null, table != null && tape.training(), null, shape);
    this.table = table;
    this.index = index;
  }

  /** A parameter. */
  Tensor(Parameters parameters, Span value, Span gradient, int... shape) {
    this(null, parameters, value, true, null, shape);
    this.gradient = gradient;
  }

  private Tensor(
      Tape tape,
      Parameters parameters,
      Span value,
      boolean needsGradient,
      Tensor viewed,
      int... shape) {
    this.tape = tape;
    this.parameters = parameters;
    this.step = tape == null ? 0 : tape.step();
    this.value = value;
    this.needsGradient = needsGradient;
    this.viewed = viewed;
    this.shape = shape;
  }

  /** The number of elements of a shape. */
  static long sizeOf(int... shape) {
    long size = 1;
    for (int dim : shape) {
      size = Math.multiplyExact(size, dim);
    }
    return size;
  }

  /** The sizes of its axes, outermost first. */
  public int[] shape() {
    return shape.clone();
  }

  /** The same array every time, for those who leave it alone. */
  int[] dims() {
    return shape;
  }

  /** The number of axes. */
  public int rank() {
    return shape.length;
  }

  /** The size of an axis; negative counts from the end, so {@code dim(-1)} is the last. */
  public int dim(int axis) {
    return shape[axis < 0 ? shape.length + axis : axis];
  }

  /** The number of elements. */
  public long size() {
    return sizeOf(shape);
  }

  /** Waits for the device and copies the values to the host. */
  public float[] toFloats() {
    return floats(value());
  }

  /** Waits for the device and copies the values to the host; exact on the float64 reference. */
  public double[] toDoubles() {
    return doubles(value());
  }

  /**
   * Waits for the device and returns the only element.
   *
   * @throws ShapeException if there are more
   */
  public double item() {
    if (size() != 1) {
      throw new ShapeException(
          "item() needs a tensor of one element, but this one is " + Arrays.toString(shape));
    }
    return toDoubles()[0];
  }

  /**
   * Waits for the device and copies the gradient to the host.
   *
   * @throws IllegalStateException if no backward pass has reached this tensor
   */
  public float[] gradientToFloats() {
    return floats(requireGradientWritten());
  }

  /**
   * As {@link #gradientToFloats}, exact on the float64 reference.
   *
   * @throws IllegalStateException if no backward pass has reached this tensor
   */
  public double[] gradientToDoubles() {
    return doubles(requireGradientWritten());
  }

  /**
   * Asks for the gradient of an input, or of what an {@link Embedding} returned; other results and
   * parameters have one anyway. Call it before the tensor is used.
   *
   * @return this
   */
  public Tensor withGradient() {
    needsGradient = true;
    gradientAsked = true;
    if (viewed != null) {
      viewed.withGradient();
    }
    return this;
  }

  private Span requireGradientWritten() {
    if (!hasGradient() || mayLackParts()) {
      throw new IllegalStateException(
          "there is no gradient: call Tape.backward on a loss that depends on this tensor, and"
              + " withGradient() on an input or the result of an Embedding before using it");
    }
    return gradient();
  }

  /** Whether a reader of rows may have sent their gradient past them to the table. */
  private boolean mayLackParts() {
    return viewed != null ? viewed.mayLackParts() : index() != null;
  }

  private float[] floats(Span span) {
    float[] host = new float[Math.toIntExact(span.length())];
    owner().copyOut(span.buffer(), span.at(), host, 0, host.length);
    return host;
  }

  private double[] doubles(Span span) {
    double[] host = new double[Math.toIntExact(span.length())];
    owner().copyOut(span.buffer(), span.at(), host, 0, host.length);
    return host;
  }

  private Device owner() {
    return tape != null ? tape.device() : parameters.device();
  }

  /** The tape of a result, null for a parameter. */
  Tape tape() {
    return tape;
  }

  /** The values; checks that the step is still running. */
  Span value() {
    if (tape != null && tape.step() != step) {
      throw new IllegalStateException(
          "this tensor "
              + Arrays.toString(shape)
              + " belongs to step "
              + step
              + " of its tape, which is now at step "
              + tape.step()
              + "; copy it with toFloats() before Tape.begin, or carry states with RecurrentState");
    }
    if (value == null) {
      value = tape.arena().reals(size());
      tape.kernels().gatherRows(table.value(), index.value(), value, dim(-1));
    }
    return value;
  }

  /**
   * What chooses the rows of this tensor from {@link #table}, or null if there is no table or its
   * own gradient was asked for.
   */
  Indices index() {
    return gradientAsked ? null : index;
  }

  /** The table of {@link #index}, or null for the identity. */
  Tensor table() {
    return table;
  }

  boolean needsGradient() {
    return needsGradient;
  }

  /** From now on its gradient is the sum of parts, each written by another operation. */
  void gatherParts() {
    gathersParts = true;
    if (viewed != null) {
      viewed.gatherParts();
    }
  }

  /** Prepares for a backward pass: a gradient is overwritten first, one of parts starts at zero. */
  void forgetGradient() {
    gradientWritten = false;
    if (gathersParts && needsGradient && viewed == null) {
      tape.kernels().fill(gradient(), 0);
      gradientWritten = true;
    }
  }

  /** Whether a backward pass has written its gradient. */
  boolean hasGradient() {
    return viewed != null ? viewed.hasGradient() : parameters != null || gradientWritten;
  }

  /** The memory of its gradient. */
  Span gradient() {
    if (gradient == null) {
      gradient =
          viewed != null
              ? viewed.gradient().slice(value.at() - viewed.value.at(), size())
              : tape.arena().reals(size());
    }
    return gradient;
  }

  /** Announces a write to {@link #gradient}: 0 if it must overwrite, 1 if it must add. */
  double gradientBeta() {
    if (hasGradient()) {
      return 1;
    }
    gradientWritten = true;
    return 0;
  }

  @Override
  public String toString() {
    return "Tensor" + Arrays.toString(shape);
  }
}
