package io.unroll.cli;

import io.unroll.Backend;
import java.io.IOException;
import java.util.List;

/** Computes on a device what a file of another program holds, and compares. */
interface GoldenCheck {
  /** What is checked, for the heading. */
  String title();

  /**
   * @param backend computes
   * @return one verdict for each tensor compared, at least one
   */
  List<Verdict> run(Backend backend) throws IOException;

  /**
   * Reads a file and checks its names, shapes and metadata.
   *
   * @throws io.unroll.FileFormatException if it is none that can be checked
   */
  static GoldenCheck of(TensorFile file) throws IOException {
    if (file.has("input_lengths")) {
      return CtcCheck.read(file);
    }
    if (file.metadata("cell").isPresent()) {
      return RecurrentCheck.read(file);
    }
    if (file.metadata("optimizer").isPresent()) {
      return OptimizerCheck.read(file);
    }
    if (file.metadata("max_norm").isPresent()) {
      return ClipCheck.read(file);
    }
    if (file.has("logits") || file.has("prediction")) {
      return LossCheck.read(file);
    }
    throw file.wrong(
        "cannot tell what it is about: its metadata has none of cell, optimizer and max_norm, and"
            + " its tensors "
            + file.names()
            + " are not those of a loss (logits or prediction)",
        "\"unroll verify --help\" shows a program that writes such a file.");
  }
}
