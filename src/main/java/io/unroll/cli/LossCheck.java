package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.Precision;
import io.unroll.nn.Indices;
import io.unroll.nn.Losses;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** A mean loss and its gradient: cross-entropy of logits, or squared error of a prediction. */
final class LossCheck implements GoldenCheck {
  private static final int[] ONE = {1};

  private final boolean float64;
  private final String inputName;
  private final int[] shape;
  private final double[] input;
  private final int[] classes;
  private final double[] target;
  private final double[] loss;
  private final double[] gradient;

  private LossCheck(TensorFile file) throws IOException {
    float64 = file.isFloat64();
    boolean logits = file.has("logits");
    inputName = logits ? "logits" : "prediction";
    shape = file.shape(inputName);
    if (shape.length < 2 && logits) {
      throw file.wrong(
          "tensor \"logits\" must be [..,V], but is " + Arrays.toString(shape),
          "Write one row of logits for each target.");
    }
    input = file.reals(inputName, shape);
    if (logits) {
      int[] rows = Arrays.copyOf(shape, shape.length - 1);
      int last = shape[shape.length - 1] - 1;
      classes = file.integers("targets", 0, last, Indices.IGNORED, rows);
      target = null;
    } else {
      classes = null;
      target = file.reals("target", shape);
    }
    loss = file.reals("loss", ONE);
    gradient = file.reals("grad." + inputName, shape);
    file.requireAllRead();
  }

  static GoldenCheck read(TensorFile file) throws IOException {
    return new LossCheck(file);
  }

  @Override
  public String title() {
    return (classes != null ? "mean cross-entropy" : "mean squared error")
        + " of "
        + Arrays.toString(shape);
  }

  @Override
  public List<Verdict> run(Backend backend) {
    boolean strict = float64 && backend.precision() == Precision.FP64;
    try (Tape tape = new Tape(backend)) {
      tape.begin(Tape.Mode.TRAINING);
      Tensor x = tape.input(input, shape).withGradient();
      Tensor found =
          classes != null
              ? Losses.crossEntropy(x, tape.indices(classes, classes.length))
              : Losses.meanSquaredError(x, tape.input(target, shape));
      tape.backward(found);
      return List.of(
          Verdict.ofFewOperations("loss", ONE, loss, strict, found.toDoubles()),
          Verdict.ofFewOperations(
              "grad." + inputName, shape, gradient, strict, x.gradientToDoubles()));
    }
  }
}
