package io.unroll.nn;

import io.unroll.ShapeException;
import io.unroll.device.Span;
import io.unroll.engine.Kernels;

/** y = x W^T + b over the last axis, as {@code torch.nn.Linear}; {@link #withoutBias} has no b. */
public final class Linear {
  private final Parameters parameters;
  private final String weightName;
  private final String biasName;
  private final int inputSize;
  private final int outputSize;

  /**
   * Adds {@code weight} [outputSize, inputSize] and {@code bias} [outputSize], both uniform within
   * 1/sqrt(inputSize).
   *
   * @param name goes before the names of the parameters, with a dot
   */
  public Linear(Parameters parameters, String name, int inputSize, int outputSize) {
    this(parameters, name, inputSize, outputSize, true);
  }

  private Linear(
      Parameters parameters, String name, int inputSize, int outputSize, boolean hasBias) {
    this.parameters = parameters;
    this.weightName = name + ".weight";
    this.biasName = hasBias ? name + ".bias" : null;
    this.inputSize = inputSize;
    this.outputSize = outputSize;
    Initializer uniform = Initializer.uniform(1 / Math.sqrt(inputSize));
    parameters.add(weightName, uniform, outputSize, inputSize);
    if (hasBias) {
      parameters.add(biasName, uniform, outputSize);
    }
  }

  /**
   * As {@link #Linear} without bias: y = x W^T.
   *
   * @param name goes before {@code .weight}
   */
  public static Linear withoutBias(
      Parameters parameters, String name, int inputSize, int outputSize) {
    return new Linear(parameters, name, inputSize, outputSize, false);
  }

  /**
   * @param x [.., inputSize]
   * @return [.., outputSize]
   * @throws ShapeException if the last axis of x is another
   */
  public Tensor forward(Tensor x) {
    if (x.dim(-1) != inputSize) {
      throw new ShapeException(
          "the layer of \"" + weightName + "\" needs [.., " + inputSize + "], but x is " + x);
    }
    Tape tape = x.tape();
    Kernels kernels = tape.kernels();
    Tensor weight = parameters.get(weightName);
    Tensor bias = biasName == null ? null : parameters.get(biasName);
    int rows = Math.toIntExact(x.size() / inputSize);
    int[] shape = x.shape();
    shape[shape.length - 1] = outputSize;
    Tensor y = tape.result(true, shape);
    kernels.gemm(false, true, rows, outputSize, inputSize, x.value(), weight.value(), 0, y.value());
    if (bias != null) {
      kernels.biasAdd(y.value(), bias.value());
    }
    tape.record(
        y,
        () -> {
          if (!y.hasGradient()) {
            return;
          }
          Span dY = y.gradient();
          kernels.gemm(
              true, false, outputSize, inputSize, rows, dY, x.value(), 1, weight.gradient());
          if (bias != null) {
            kernels.columnSum(dY, bias.gradient(), 1);
          }
          if (x.needsGradient()) {
            double beta = x.gradientBeta();
            kernels.gemm(
                false, false, rows, inputSize, outputSize, dY, weight.value(), beta, x.gradient());
          }
        });
    return y;
  }
}
