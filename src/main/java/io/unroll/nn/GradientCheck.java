package io.unroll.nn;

import java.util.function.Function;

/**
 * Compares the gradients of a model with central differences, element by element.
 *
 * <p>Run it on {@code Backend.open("reference")}: in float64 a correct gradient agrees to about
 * 1e-8, and a wrong one does not. Dropout is allowed: every evaluation draws the same numbers.
 */
public final class GradientCheck {
  /**
   * The worst element.
   *
   * @param parameter its parameter
   * @param index its flat index
   * @param analytic the gradient by backpropagation
   * @param numeric the gradient by central differences
   * @param error |analytic-numeric| / max(1e-3, |analytic|+|numeric|)
   * @param checked how many elements were compared
   */
  public record Result(
      String parameter, int index, double analytic, double numeric, double error, int checked) {}

  private GradientCheck() {}

  /**
   * Checks every element of every parameter. The parameters are the same afterwards; their
   * gradients are those of the loss.
   *
   * @param loss builds the loss on the tape, the same one at every call; a step has begun
   * @param epsilon the distance to each side; 1e-5 suits float64
   * @return the element with the largest error
   */
  public static Result run(
      Tape tape, Parameters parameters, Function<Tape, Tensor> loss, double epsilon) {
    long random = tape.randomPosition();
    parameters.zeroGradients();
    tape.begin(Tape.Mode.TRAINING);
    tape.backward(loss.apply(tape));
    Result worst = new Result("", 0, 0, 0, -1, 0);
    for (String name : parameters.names()) {
      double[] analytic = parameters.get(name).gradientToDoubles();
      double[] values = parameters.get(name).toDoubles();
      for (int i = 0; i < values.length; i++) {
        double center = values[i];
        double[] side = new double[2];
        for (int s = 0; s < 2; s++) {
          values[i] = center + (s == 0 ? -epsilon : epsilon);
          parameters.set(name, values);
          tape.randomPosition(random);
          tape.begin(Tape.Mode.TRAINING);
          side[s] = loss.apply(tape).item();
        }
        values[i] = center;
        double numeric = (side[1] - side[0]) / (2 * epsilon);
        double scale = Math.max(1e-3, Math.abs(analytic[i]) + Math.abs(numeric));
        double error = Math.abs(analytic[i] - numeric) / scale;
        boolean worse = !(error <= worst.error());
        worst =
            worse
                ? new Result(name, i, analytic[i], numeric, error, worst.checked() + 1)
                : new Result(
                    worst.parameter(),
                    worst.index(),
                    worst.analytic(),
                    worst.numeric(),
                    worst.error(),
                    worst.checked() + 1);
      }
      parameters.set(name, values);
    }
    return worst;
  }
}
