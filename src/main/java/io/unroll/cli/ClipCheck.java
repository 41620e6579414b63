package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.Precision;
import io.unroll.nn.Initializer;
import io.unroll.nn.Parameters;
import io.unroll.nn.Tape;
import io.unroll.train.GradientClip;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Gradients {@code grad.k}, their global norm, and {@code clipped.k} under a largest norm. */
final class ClipCheck implements GoldenCheck {
  private static final int[] ONE = {1};

  private final boolean float64;
  private final double maxNorm;
  private final double[] norm;
  private final List<int[]> shapes = new ArrayList<>();
  private final List<double[]> gradients = new ArrayList<>();
  private final List<double[]> clipped = new ArrayList<>();

  private ClipCheck(TensorFile file) throws IOException {
    float64 = file.isFloat64();
    String text = file.requireMetadata("max_norm");
    try {
      maxNorm = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw file.wrong(
          "the metadata max_norm must be a number, but is " + text, "Correct the metadata.");
    }
    norm = file.reals("norm", ONE);
    do {
      int k = gradients.size();
      int[] shape = file.shape("grad." + k);
      shapes.add(shape);
      gradients.add(file.reals("grad." + k, shape));
      clipped.add(file.reals("clipped." + k, shape));
    } while (file.has("grad." + gradients.size()));
    file.requireAllRead();
  }

  static GoldenCheck read(TensorFile file) throws IOException {
    return new ClipCheck(file);
  }

  @Override
  public String title() {
    return "clip of the global norm of " + gradients.size() + " gradients to " + maxNorm;
  }

  @Override
  public List<Verdict> run(Backend backend) {
    boolean strict = float64 && backend.precision() == Precision.FP64;
    List<Verdict> verdicts = new ArrayList<>();
    try (Parameters model = new Parameters(backend, 0);
        Tape tape = new Tape(backend)) {
      for (int k = 0; k < shapes.size(); k++) {
        model.add(String.valueOf(k), Initializer.constant(0), shapes.get(k));
      }
      try (GradientClip clip = new GradientClip(model)) {
        OptimizerCheck.setGradients(model, tape, gradients);
        clip.byNorm(maxNorm);
        double[] foundNorm = {clip.latestNorm()};
        verdicts.add(Verdict.ofFewOperations("norm", ONE, norm, strict, foundNorm));
      }
      for (int k = 0; k < shapes.size(); k++) {
        double[] found = model.get(String.valueOf(k)).gradientToDoubles();
        String name = "clipped." + k;
        verdicts.add(Verdict.ofFewOperations(name, shapes.get(k), clipped.get(k), strict, found));
      }
    }
    return verdicts;
  }
}
