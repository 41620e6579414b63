package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.Precision;
import io.unroll.nn.CtcOptions;
import io.unroll.nn.Losses;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** Connectionist temporal classification of logits, summed over the rows, and its gradient. */
final class CtcCheck implements GoldenCheck {
  private static final int[] ONE = {1};

  private final boolean float64;
  private final int[] shape;
  private final double[] logits;
  private final int[] lengths;
  private final int[][] labels;
  private final CtcOptions options;
  private final double[] loss;
  private final double[] gradient;

  private CtcCheck(TensorFile file) throws IOException {
    float64 = file.isFloat64();
    shape = file.shape("logits", 3, "[T,B,C]");
    logits = file.reals("logits", shape);
    lengths = file.integers("input_lengths", 0, shape[0], 0, shape[1]);
    int blank = blank(file, shape[2]);
    options = new CtcOptions(blank, reduction(file), false);
    labels = labels(file, shape[1], shape[2], blank);
    loss = file.reals("loss", ONE);
    gradient = file.reals("grad.logits", shape);
    file.requireAllRead();
  }

  static GoldenCheck read(TensorFile file) throws IOException {
    return new CtcCheck(file);
  }

  private static int blank(TensorFile file, int classes) throws IOException {
    String stated = file.metadata("blank").orElse("0");
    if (!stated.matches("[0-9]{1,9}") || Integer.parseInt(stated) >= classes) {
      throw file.wrong(
          "the metadata's blank must be a class from 0 to "
              + (classes - 1)
              + ", but is \""
              + stated
              + "\"",
          "Correct the program that wrote the file.");
    }
    return Integer.parseInt(stated);
  }

  private static CtcOptions.Reduction reduction(TensorFile file) throws IOException {
    String stated = file.metadata("reduction").orElse("mean");
    return switch (stated) {
      case "sum" -> CtcOptions.Reduction.SUM;
      case "mean" -> CtcOptions.Reduction.MEAN;
      default ->
          throw file.wrong(
              "the metadata's reduction must be sum or mean, but is \"" + stated + "\"",
              "Write the loss with one of them.");
    };
  }

  /** Of each row of targets [B,S] as many as its target length says; the rest is padding. */
  private static int[][] labels(TensorFile file, int batch, int classes, int blank)
      throws IOException {
    int longest = file.shape("targets", 2, "[B,S]")[1];
    int[] targets = file.integers("targets", 0, classes - 1, 0, batch, longest);
    int[] counts = file.integers("target_lengths", 0, longest, 0, batch);
    int[][] labels = new int[batch][];
    for (int b = 0; b < batch; b++) {
      labels[b] = Arrays.copyOfRange(targets, b * longest, b * longest + counts[b]);
      if (Arrays.stream(labels[b]).anyMatch(label -> label == blank)) {
        throw file.wrong(
            "row " + b + " of tensor \"targets\" has the blank, " + blank + ", among its labels",
            "Correct the program that wrote the file.");
      }
    }
    return labels;
  }

  @Override
  public String title() {
    return "CTC of " + Arrays.toString(shape) + ", blank " + options.blank();
  }

  @Override
  public List<Verdict> run(Backend backend) {
    boolean strict = float64 && backend.precision() == Precision.FP64;
    try (Tape tape = new Tape(backend)) {
      tape.begin(Tape.Mode.TRAINING);
      Tensor x = tape.input(logits, shape).withGradient();
      Tensor found = Losses.ctc(x, tape.indices(lengths, lengths.length), labels, options);
      tape.backward(found);
      return List.of(
          Verdict.ofFewOperations("loss", ONE, loss, strict, found.toDoubles()),
          Verdict.ofFewOperations("grad.logits", shape, gradient, strict, x.gradientToDoubles()));
    }
  }
}
