package io.unroll.cli;

import com.google.gson.JsonObject;
import io.unroll.CellSpec;
import java.util.Locale;

/** What {@link RecurrentBench} times: one network at one shape. */
record BenchCase(CellSpec cell, Shape shape, int layers, RecurrentBench.Mode mode) {
  /**
   * Floating-point operations of the matrix products of one run: 2*T*B*(I+H)*G*H for each layer,
   * with I = H above the first, and three times that for {@link RecurrentBench.Mode#TRAIN}.
   */
  double operations() {
    double hidden = shape.hiddenSize();
    double inputs = shape.inputSize() + (layers - 1) * hidden + layers * hidden;
    double forward = 2.0 * shape.steps() * shape.batch() * inputs * cell.gateCount() * hidden;
    return mode == RecurrentBench.Mode.TRAIN ? 3 * forward : forward;
  }

  /** 1e9 operations in a second. */
  double gigaflops(double[] times) {
    return operations() / RecurrentBench.quantile(times, 0.5) / 1e6;
  }

  String modeName() {
    return mode.name().toLowerCase(Locale.ROOT);
  }

  /** What it is and where it runs, without times. */
  JsonObject describe(Provenance provenance) {
    JsonObject line = new JsonObject();
    line.addProperty("cell", cell.name());
    line.addProperty("T", shape.steps());
    line.addProperty("B", shape.batch());
    line.addProperty("I", shape.inputSize());
    line.addProperty("H", shape.hiddenSize());
    line.addProperty("layers", layers);
    line.addProperty("mode", modeName());
    provenance.addTo(line);
    return line;
  }

  /**
   * Adds what was measured.
   *
   * @param times milliseconds of each run, ascending
   */
  void addTimes(JsonObject line, double[] times) {
    line.addProperty("ms", RecurrentBench.quantile(times, 0.5));
    line.addProperty("p25", RecurrentBench.quantile(times, 0.25));
    line.addProperty("p75", RecurrentBench.quantile(times, 0.75));
    line.addProperty("runs", times.length);
    line.addProperty("gflops", gigaflops(times));
  }

  @Override
  public String toString() {
    return String.format(
        "%s, T=%d B=%d I=%d H=%d, layers %d, %s",
        cell,
        shape.steps(),
        shape.batch(),
        shape.inputSize(),
        shape.hiddenSize(),
        layers,
        modeName());
  }
}
