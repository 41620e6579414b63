package io.unroll.cli;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.unroll.Backend;
import io.unroll.CellSpec;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Times one shape on one device. */
@Command(
    name = "bench",
    description = {
      "Times a recurrent network at one shape.",
      "",
      "Prints the median, the quartiles and GFLOP/s. A run begins with the input on the device and"
          + " ends when the device is idle again; copies are not timed. Mode train is forward, then"
          + " backward from a fixed gradient of the output to the gradients of the input and of"
          + " every weight, without loss and update.",
      "",
      "GFLOP/s counts the matrix products alone: 2*T*B*(I+H)*G*H for each layer, I = H above the"
          + " first, three times that for train; G is 1 for tanh and relu, 3 for gru, 4 for lstm."
    },
    footer = {
      "  unroll bench",
      "  unroll bench --cell gru --shape 128,64,512,512 --layers 2",
      "  unroll bench --device reference --shape 8,2,16,16 --mode forward --json"
    })
final class BenchCommand implements Callable<Integer> {
  @Mixin DeviceOptions device;

  @Option(
      names = "--cell",
      paramLabel = "NAME",
      defaultValue = "lstm",
      converter = CellConverter.class,
      completionCandidates = CellConverter.Names.class,
      description = "The cell: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  CellSpec cell;

  @Option(
      names = "--shape",
      paramLabel = "T,B,I,H",
      defaultValue = "64,32,128,128",
      converter = Shape.Converter.class,
      description =
          "Time steps, sequences in a batch, input size, hidden size (default: ${DEFAULT-VALUE}).")
  Shape shape;

  @Option(
      names = "--layers",
      paramLabel = "N",
      defaultValue = "1",
      description = "Layers on top of each other (default: ${DEFAULT-VALUE}).")
  int layers;

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      defaultValue = "train",
      description = "forward or train (default: ${DEFAULT-VALUE}).")
  RecurrentBench.Mode mode;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "2",
      description = {
        "Time at least this long after a warm-up of half as long, and at least "
            + RecurrentBench.MIN_RUNS
            + " runs (default: ${DEFAULT-VALUE})."
      })
  double seconds;

  @Option(names = "--json", description = "Print one line of JSON and nothing else.")
  boolean json;

  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    if (!(seconds >= 0 && seconds <= 3600)) {
      throw new InputException("--seconds must be from 0 to 3600, but is " + seconds);
    }
    PrintWriter out = spec.commandLine().getOut();
    try (Backend backend = device.open(json ? null : out)) {
      double[] times;
      try (RecurrentBench bench = new RecurrentBench(backend, cell, shape, layers, mode)) {
        times = bench.measure(seconds);
      }
      if (json) {
        out.println(new Gson().toJson(asJson(backend, times)));
      } else {
        print(out, times);
      }
      return 0;
    }
  }

  private double gigaflops(double[] times) {
    double milliseconds = RecurrentBench.quantile(times, 0.5);
    return RecurrentBench.operations(cell, shape, layers, mode) / milliseconds / 1e6;
  }

  private JsonObject asJson(Backend backend, double[] times) {
    JsonObject line = new JsonObject();
    line.addProperty("device", backend.name());
    line.addProperty("cell", cell.name());
    line.addProperty("T", shape.steps());
    line.addProperty("B", shape.batch());
    line.addProperty("I", shape.inputSize());
    line.addProperty("H", shape.hiddenSize());
    line.addProperty("layers", layers);
    line.addProperty("mode", name(mode));
    line.addProperty("precision", backend.precision().name());
    line.addProperty("threads", device.resolvedThreads());
    line.addProperty("ms", RecurrentBench.quantile(times, 0.5));
    line.addProperty("p25", RecurrentBench.quantile(times, 0.25));
    line.addProperty("p75", RecurrentBench.quantile(times, 0.75));
    line.addProperty("runs", times.length);
    line.addProperty("gflops", gigaflops(times));
    line.addProperty("description", backend.description());
    line.addProperty("jdk", Runtime.version().toString());
    line.addProperty("unroll", Version.text());
    return line;
  }

  private void print(PrintWriter out, double[] times) {
    out.printf(
        Locale.ROOT,
        "%s, T=%d B=%d I=%d H=%d, layers %d, %s%n",
        cell,
        shape.steps(),
        shape.batch(),
        shape.inputSize(),
        shape.hiddenSize(),
        layers,
        name(mode));
    out.printf(
        Locale.ROOT,
        "median %.3f ms, half of the %d runs between %.3f and %.3f ms%n",
        RecurrentBench.quantile(times, 0.5),
        times.length,
        RecurrentBench.quantile(times, 0.25),
        RecurrentBench.quantile(times, 0.75));
    out.printf(Locale.ROOT, "%.2f GFLOP/s%n", gigaflops(times));
  }

  private static String name(RecurrentBench.Mode mode) {
    return mode.name().toLowerCase(Locale.ROOT);
  }
}
