package io.unroll.nn;

import io.unroll.ShapeException;
import io.unroll.device.Kernel;
import io.unroll.device.Span;
import io.unroll.engine.Kernels;
import java.util.Arrays;

/** Operations on tensors from which users compose models; each records its gradient. */
public final class Ops {
  private Ops() {}

  /** a + b, element by element, same shape. */
  public static Tensor add(Tensor a, Tensor b) {
    Tape tape = sameShape("add", a, b);
    Kernels kernels = tape.kernels();
    Tensor y = tape.result(a.needsGradient() || b.needsGradient(), a.dims());
    kernels.axpby(a.value(), y.value(), 1, 0);
    kernels.axpby(b.value(), y.value(), 1, 1);
    tape.record(
        y,
        () -> {
          if (y.hasGradient()) {
            addScaled(y, a, 1);
            addScaled(y, b, 1);
          }
        });
    return y;
  }

  /** factor * x. */
  public static Tensor scale(Tensor x, double factor) {
    Tape tape = tapeOf(x, x);
    Tensor y = tape.result(x.needsGradient(), x.dims());
    tape.kernels().axpby(x.value(), y.value(), factor, 0);
    tape.record(
        y,
        () -> {
          if (y.hasGradient()) {
            addScaled(y, x, factor);
          }
        });
    return y;
  }

  private static void addScaled(Tensor y, Tensor x, double factor) {
    if (x.needsGradient()) {
      y.tape().kernels().axpby(y.gradient(), x.gradient(), factor, x.gradientBeta());
    }
  }

  /** a * b, element by element, same shape. */
  public static Tensor multiply(Tensor a, Tensor b) {
    Tape tape = sameShape("multiply", a, b);
    Kernels kernels = tape.kernels();
    Tensor y = tape.result(a.needsGradient() || b.needsGradient(), a.dims());
    kernels.multiply(a.value(), b.value(), y.value(), 0);
    tape.record(
        y,
        () -> {
          if (y.hasGradient() && a.needsGradient()) {
            kernels.multiply(y.gradient(), b.value(), a.gradient(), a.gradientBeta());
          }
          if (y.hasGradient() && b.needsGradient()) {
            kernels.multiply(y.gradient(), a.value(), b.gradient(), b.gradientBeta());
          }
        });
    return y;
  }

  /** tanh(x), element by element. */
  public static Tensor tanh(Tensor x) {
    return activation(Kernel.TANH_FORWARD, Kernel.TANH_BACKWARD, x);
  }

  /** 1/(1+exp(-x)), element by element. */
  public static Tensor sigmoid(Tensor x) {
    return activation(Kernel.SIGMOID_FORWARD, Kernel.SIGMOID_BACKWARD, x);
  }

  /** max(0, x), element by element. */
  public static Tensor relu(Tensor x) {
    return activation(Kernel.RELU_FORWARD, Kernel.RELU_BACKWARD, x);
  }

  private static Tensor activation(Kernel forward, Kernel backward, Tensor x) {
    Tape tape = tapeOf(x, x);
    Kernels kernels = tape.kernels();
    Tensor y = tape.result(x.needsGradient(), x.dims());
    kernels.activationForward(forward, x.value(), y.value());
    tape.record(
        y,
        () -> {
          if (y.hasGradient()) {
            Span dX = x.gradient();
            kernels.activationBackward(backward, y.value(), y.gradient(), dX, x.gradientBeta());
          }
        });
    return y;
  }

  /**
   * Joins two tensors along their last axis.
   *
   * @throws ShapeException if another axis differs
   */
  public static Tensor concat(Tensor a, Tensor b) {
    Tape tape = tapeOf(a, b);
    int columnsA = a.dim(-1);
    int columnsB = b.dim(-1);
    int rows = (int) (a.size() / columnsA);
    int[] shape = a.shape();
    int[] shapeB = b.shape();
    shape[shape.length - 1] = shapeB[shapeB.length - 1] = columnsA + columnsB;
    if (!Arrays.equals(shape, shapeB)) {
      throw new ShapeException("concat needs equal axes but the last one, found " + a + ", " + b);
    }
    int columns = columnsA + columnsB;
    Tensor y = tape.result(a.needsGradient() || b.needsGradient(), shape);
    Kernels kernels = tape.kernels();
    Span right = y.value().slice(columnsA, y.size() - columnsA);
    kernels.copyRows(a.value(), columnsA, y.value(), columns, rows, columnsA, 0);
    kernels.copyRows(b.value(), columnsB, right, columns, rows, columnsB, 0);
    tape.record(
        y,
        () -> {
          if (y.hasGradient()) {
            splitGradient(y, 0, a);
            splitGradient(y, columnsA, b);
          }
        });
    return y;
  }

  private static void splitGradient(Tensor y, int from, Tensor part) {
    if (!part.needsGradient()) {
      return;
    }
    int columns = part.dim(-1);
    int rows = (int) (part.size() / columns);
    Span dY = y.gradient().slice(from, y.size() - from);
    double beta = part.gradientBeta();
    y.tape().kernels().copyRows(dY, y.dim(-1), part.gradient(), columns, rows, columns, beta);
  }

  /**
   * The same elements with other axes; shares the memory.
   *
   * @throws ShapeException if the number of elements differs
   */
  public static Tensor reshape(Tensor x, int... shape) {
    if (Tensor.sizeOf(shape) != x.size()) {
      throw new ShapeException("cannot reshape " + x + " to " + Arrays.toString(shape));
    }
    tapeOf(x, x);
    return new Tensor(x, 0, shape);
  }

  /**
   * A range along the first axis, such as time steps of [T,B,H]; shares the memory.
   *
   * @param from the first index, at least 0
   * @param count how many, at least 1
   */
  public static Tensor slice(Tensor x, int from, int count) {
    if (from < 0 || count < 1 || from + count > x.dim(0)) {
      throw new ShapeException(
          "slice from " + from + " of " + count + " does not lie within the first axis of " + x);
    }
    tapeOf(x, x);
    int[] shape = x.shape();
    shape[0] = count;
    return new Tensor(x, x.size() / x.dim(0) * from, shape);
  }

  /**
   * Chooses entries along the first axis: {@code y[i] = x[index[i]]}, such as the states of those
   * hypotheses of a search that go on.
   *
   * @param x [N,..]
   * @param index any shape, each in [0,N); {@link Indices#IGNORED} gives zeros
   * @return the shape of index, then the further axes of x
   * @throws IllegalArgumentException if an index is out of range
   */
  public static Tensor gather(Tensor x, Indices index) {
    index.requireRange("the indices of gather", 0, x.dim(0) - 1, true);
    Tape tape = index.tape();
    tape.owned(x);
    int[] chosen = index.dims();
    int[] shape = Arrays.copyOf(chosen, chosen.length + x.rank() - 1);
    System.arraycopy(x.dims(), 1, shape, chosen.length, x.rank() - 1);
    int each = Math.toIntExact(x.size() / x.dim(0));
    if (x.needsGradient() && x.tape() != null) {
      x.gatherParts();
    }
    Tensor y = tape.result(x.needsGradient(), shape);
    tape.kernels().gatherRows(x.value(), index.value(), y.value(), each);
    tape.record(
        y,
        () -> {
          if (y.hasGradient()) {
            tape.kernels().scatterAddRows(y.gradient(), index.value(), x.gradient(), each);
          }
        });
    return y;
  }

  /**
   * Sets each element to zero with probability p and divides the others by 1-p, in a step of {@link
   * Tape.Mode#TRAINING}; elsewhere returns x: Srivastava et al., "Dropout", JMLR 2014.
   *
   * @param p at least 0 and below 1
   */
  public static Tensor dropout(Tensor x, double p) {
    requireProbability(p);
    Tape tape = tapeOf(x, x);
    if (p == 0 || !tape.training()) {
      return x;
    }
    Kernels kernels = tape.kernels();
    long first = tape.drawRandom(x.size());
    Tensor y = tape.result(x.needsGradient(), x.dims());
    kernels.dropout(x.value(), y.value(), p, tape.seed(), first, 0);
    tape.record(
        y,
        () -> {
          if (y.hasGradient()) {
            Span dX = x.gradient();
            kernels.dropout(y.gradient(), dX, p, tape.seed(), first, x.gradientBeta());
          }
        });
    return y;
  }

  static void requireProbability(double p) {
    if (!(p >= 0 && p < 1)) {
      throw new IllegalArgumentException("dropout must be at least 0 and below 1, but is " + p);
    }
  }

  /** The tape of a result among a and b; both must be of it. */
  private static Tape tapeOf(Tensor a, Tensor b) {
    Tape tape = a.tape() != null ? a.tape() : b.tape();
    if (tape == null) {
      throw new IllegalArgumentException(
          "an operation needs at least one tensor of a tape, but " + a + " is a parameter");
    }
    tape.owned(a);
    tape.owned(b);
    return tape;
  }

  private static Tape sameShape(String what, Tensor a, Tensor b) {
    if (!Arrays.equals(a.dims(), b.dims())) {
      throw new ShapeException(what + " needs two equal shapes, found " + a + " and " + b);
    }
    return tapeOf(a, b);
  }
}
