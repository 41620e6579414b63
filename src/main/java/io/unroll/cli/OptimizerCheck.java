package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.FileFormatException;
import io.unroll.Precision;
import io.unroll.nn.Initializer;
import io.unroll.nn.Ops;
import io.unroll.nn.Parameters;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.Optimizer;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.OptimizerConfig.Method;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Steps of an optimizer on one parameter: {@code param.0}, then {@code grad.k} to {@code param.k}.
 */
final class OptimizerCheck implements GoldenCheck {
  /** What Unroll's optimizers do not have, with the one value that they compute with. */
  private static final Map<String, String> FIXED =
      Map.of(
          "nesterov", "False",
          "maximize", "False",
          "amsgrad", "False",
          "centered", "False",
          "dampening", "0",
          "lr_decay", "0",
          "initial_accumulator_value", "0");

  private final boolean float64;
  private final OptimizerConfig config;
  private final int[] shape;
  private final List<double[]> parameters = new ArrayList<>();
  private final List<double[]> gradients = new ArrayList<>();

  private OptimizerCheck(TensorFile file) throws IOException {
    float64 = file.isFloat64();
    config = configOf(file);
    shape = file.shape("param.0");
    parameters.add(file.reals("param.0", shape));
    do {
      int step = parameters.size();
      gradients.add(file.reals("grad." + step, shape));
      parameters.add(file.reals("param." + step, shape));
    } while (file.has("grad." + parameters.size()));
    file.requireAllRead();
  }

  static GoldenCheck read(TensorFile file) throws IOException {
    return new OptimizerCheck(file);
  }

  private static OptimizerConfig configOf(TensorFile file) throws FileFormatException {
    String name = file.requireMetadata("optimizer");
    String defaults = file.requireMetadata("defaults");
    for (Map.Entry<String, String> fixed : FIXED.entrySet()) {
      String found = value(defaults, fixed.getKey());
      if (found != null && !found.equals(fixed.getValue())) {
        throw file.wrong(
            fixed.getKey() + " is " + found + ", but Unroll computes with " + fixed.getValue(),
            "Train without it.");
      }
    }
    Method method = methodOf(file, name);
    OptimizerConfig config = OptimizerConfig.of(method, number(file, defaults, "lr"));
    double first = config.beta1();
    double second = config.beta2();
    switch (method) {
      case MOMENTUM -> first = number(file, defaults, "momentum");
      case RMSPROP -> second = number(file, defaults, "alpha");
      case ADAM, ADAMW -> {
        first = number(file, defaults, "betas");
        second = number(file, defaults, "betas", 1);
      }
      default -> {}
    }
    if (method != Method.SGD && method != Method.MOMENTUM) {
      config = config.withEpsilon(number(file, defaults, "eps"));
    }
    return config.withBetas(first, second).withWeightDecay(number(file, defaults, "weight_decay"));
  }

  private static Method methodOf(TensorFile file, String name) throws FileFormatException {
    for (Method method : Method.values()) {
      if (method.name().toLowerCase(Locale.ROOT).equals(name)) {
        return method;
      }
    }
    throw file.wrong(
        "the metadata says optimizer = "
            + name
            + ", but must be one of "
            + Arrays.toString(Method.values()).toLowerCase(Locale.ROOT),
        "Correct the metadata.");
  }

  /** The text behind a key of a Python dictionary, up to a comma or the end; null if not there. */
  private static String value(String defaults, String key) {
    Matcher found = Pattern.compile("'" + key + "': (\\([^)]*\\)|[^,}]*)").matcher(defaults);
    return found.find() ? found.group(1) : null;
  }

  private static double number(TensorFile file, String defaults, String key)
      throws FileFormatException {
    return number(file, defaults, key, 0);
  }

  /** A number, or the one at an index of a tuple. */
  private static double number(TensorFile file, String defaults, String key, int index)
      throws FileFormatException {
    String found = value(defaults, key);
    try {
      return Double.parseDouble(found.replaceAll("[() ]", "").split(",")[index]);
    } catch (NullPointerException | NumberFormatException | IndexOutOfBoundsException e) {
      throw file.wrong(
          "the metadata \"defaults\" must hold a number for " + key + ", but holds " + found,
          "Write str(optimizer.defaults) there.");
    }
  }

  @Override
  public String title() {
    return gradients.size() + " steps of " + config.method().name().toLowerCase(Locale.ROOT);
  }

  @Override
  public List<Verdict> run(Backend backend) {
    boolean strict = float64 && backend.precision() == Precision.FP64;
    List<Verdict> verdicts = new ArrayList<>();
    try (Parameters model = new Parameters(backend, 0);
        Tape tape = new Tape(backend)) {
      model.add("param", Initializer.constant(0), shape);
      model.set("param", parameters.get(0));
      try (Optimizer optimizer = new Optimizer(model, config)) {
        for (int step = 1; step < parameters.size(); step++) {
          setGradients(model, tape, List.of(gradients.get(step - 1)));
          optimizer.step();
          verdicts.add(
              Verdict.ofFewOperations(
                  "param." + step,
                  shape,
                  parameters.get(step),
                  strict,
                  model.get("param").toDoubles()));
        }
      }
    }
    return verdicts;
  }

  /** Gives parameters these gradients, in the order of their names: those of sum(1 * p * g). */
  static void setGradients(Parameters model, Tape tape, List<double[]> gradients) {
    tape.begin(Tape.Mode.TRAINING);
    model.zeroGradients();
    List<Tensor> results = new ArrayList<>();
    List<Tensor> starts = new ArrayList<>();
    for (String name : model.names()) {
      Tensor parameter = model.get(name);
      double[] ones = new double[Math.toIntExact(parameter.size())];
      Arrays.fill(ones, 1);
      results.add(Ops.multiply(parameter, tape.input(ones, parameter.shape())));
      starts.add(tape.input(gradients.get(starts.size()), parameter.shape()));
    }
    tape.backward(results, starts);
  }
}
