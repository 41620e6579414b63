package io.unroll.cli;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.device.Device;
import io.unroll.device.DeviceCeilings;
import io.unroll.device.DeviceProfiler;
import io.unroll.device.DeviceProfiler.KernelTime;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Times one shape, or a file of them, on one device, or measures what it can do at best. */
@Command(
    name = "bench",
    subcommands = CompareCommand.class,
    synopsisSubcommandLabel = "[compare]",
    description = {
      "Times a recurrent network at one shape.",
      "",
      "Prints the median, the quartiles and GFLOP/s. A run begins with the input on the device and"
          + " ends when the device is idle again; copies are not timed. Mode train is forward, then"
          + " backward from a fixed gradient of the output to the gradients of the input and of"
          + " every weight, without loss and update.",
      "",
      "--profile then runs as often again and prints how long each kernel took by the clock of the"
          + " device, the largest share first. Such a clock may slow a device down, so the times"
          + " above are taken without it.",
      "",
      "GFLOP/s counts the matrix products alone: 2*T*B*(I+H)*G*H for each layer, I = H above the"
          + " first, three times that for train; G is 1 for tanh and relu, 3 for gru, 4 for lstm.",
      "",
      "--ceilings measures instead what the device cuda can do at best, a row for each: copies,"
          + " products, and how long it takes until what one block wrote is at another, within a"
          + " launch and from launch to launch. Whatever is computed or handed over is checked;"
          + " the exit code is 1 if any of it was wrong.",
      "",
      "A line of JSON also says when and under what it was measured; \"unroll bench compare\" tells"
          + " from such lines what became slower."
    },
    footer = {
      "  unroll bench",
      "  unroll bench --cell gru --shape 128,64,512,512 --layers 2",
      "  unroll bench --device opencl --profile",
      "  unroll bench --device cuda --ceilings --json",
      "  unroll bench --device reference --shape 8,2,16,16 --mode forward --json",
      "  unroll bench --device cuda --precision bf16 --grid benchmarks/grid.txt --budget 60"
    })
final class BenchCommand implements Callable<Integer> {
  private static final double TENTHS = 10;

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
            + " runs; with --ceilings a tenth of it for each row (default: ${DEFAULT-VALUE})."
      })
  double seconds;

  @Option(
      names = "--profile",
      description = "Also print the time of each kernel, on devices that tell it: opencl.")
  boolean profile;

  @Option(
      names = "--ceilings",
      description = "Measure what the device can do at best, instead of a network: cuda.")
  boolean ceilings;

  @Option(
      names = "--json",
      description = "Print one line of JSON, with --ceilings one for each row, and nothing else.")
  boolean json;

  @Option(
      names = "--grid",
      paramLabel = "FILE",
      description = {
        "Time every cell and shape of a file, forward and train, and print a line of JSON for each"
            + " as it comes. Ends with 1 if one failed. benchmarks/grid.txt is such a file"
            + " (default: none)."
      })
  Path grid;

  @Option(
      names = "--budget",
      paramLabel = "S",
      defaultValue = "600",
      description =
          "With --grid, seconds for all; each is timed for less than --seconds where they are"
              + " short (default: ${DEFAULT-VALUE}).")
  double budget;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    requireFrom0("--seconds", seconds);
    requireFrom0("--budget", budget);
    PrintWriter out = spec.commandLine().getOut();
    if (ceilings) {
      return ceilings(out);
    }
    if (grid != null) {
      return runGrid(out);
    }
    try (Backend backend = device.open(json ? null : out)) {
      runOne(backend, new BenchCase(cell, shape, layers, mode), out);
      return 0;
    }
  }

  private int ceilings(PrintWriter out) {
    refuseShape("--ceilings measures no network");
    if (grid != null) {
      throw new InputException("--ceilings measures no network; leave out --grid");
    }
    try (Backend backend = device.open(json ? null : out)) {
      DeviceCeilings.Offer offer = Device.of(backend).ceilings();
      if (offer.ceilings() == null) {
        throw new WorkFailedException("--ceilings is not possible here: " + offer.refusal());
      }
      double each = seconds / TENTHS;
      int failed = new CeilingsTable(provenance(backend), offer.ceilings(), out, json).print(each);
      if (failed > 0) {
        throw new WorkFailedException(
            failed + " of the rows were wrong on " + backend.description());
      }
      return 0;
    }
  }

  private Provenance provenance(Backend backend) {
    List<String> words = spec.commandLine().getParseResult().originalArgs();
    List<String> flags = words.subList(words.indexOf(spec.name()) + 1, words.size());
    return new Provenance(backend, device.resolvedThreads(), flags);
  }

  private void refuseShape(String why) {
    for (String other : List.of("--cell", "--shape", "--layers", "--mode", "--profile")) {
      if (spec.commandLine().getParseResult().hasMatchedOption(other)) {
        throw new InputException(why + "; leave out " + other);
      }
    }
  }

  private int runGrid(PrintWriter out) throws IOException {
    refuseShape("--grid names what is timed");
    BenchGrid cases = BenchGrid.read(grid);
    try (Backend backend = device.open(null)) {
      return cases.run(provenance(backend), seconds, budget, out) == 0 ? 0 : 1;
    }
  }

  private static void requireFrom0(String name, double seconds) {
    if (!(seconds >= 0 && seconds <= 3600)) {
      throw new InputException(name + " must be from 0 to 3600, but is " + seconds);
    }
  }

  private void runOne(Backend backend, BenchCase what, PrintWriter out) {
    DeviceProfiler profiler = profile ? profiler(backend) : null;
    double[] times;
    List<KernelTime> kernels = null;
    try (RecurrentBench bench = new RecurrentBench(backend, what)) {
      times = bench.measure(seconds);
      if (profiler != null) {
        kernels = bench.profile(profiler, times.length);
      }
    }
    if (json) {
      out.println(new Gson().toJson(asJson(backend, what, times, kernels)));
    } else {
      print(out, what, times);
      if (kernels != null) {
        print(out, kernels, times.length);
      }
    }
  }

  private static DeviceProfiler profiler(Backend backend) {
    DeviceProfiler.Offer offer = Device.of(backend).profiler();
    if (offer.profiler() == null) {
      throw new WorkFailedException("--profile is not possible here: " + offer.refusal());
    }
    return offer.profiler();
  }

  private JsonObject asJson(
      Backend backend, BenchCase what, double[] times, List<KernelTime> kernels) {
    JsonObject line = what.describe(provenance(backend));
    what.addTimes(line, times);
    if (kernels != null) {
      line.add("profile", asJson(kernels));
    }
    return line;
  }

  private static JsonArray asJson(List<KernelTime> kernels) {
    JsonArray lines = new JsonArray();
    for (KernelTime kernel : kernels) {
      JsonObject line = new JsonObject();
      line.addProperty("kernel", kernel.name());
      line.addProperty("launches", kernel.launches());
      line.addProperty("total_ms", kernel.totalNanos() / 1e6);
      line.addProperty("median_us", kernel.medianNanos() / 1e3);
      line.addProperty("share", share(kernel, kernels));
      lines.add(line);
    }
    return lines;
  }

  /** Of the time of all kernels, from 0 to 1. */
  private static double share(KernelTime kernel, List<KernelTime> kernels) {
    long all = kernels.stream().mapToLong(KernelTime::totalNanos).sum();
    return all == 0 ? 0 : (double) kernel.totalNanos() / all;
  }

  private static void print(PrintWriter out, List<KernelTime> kernels, int runs) {
    out.printf("%nOn the device, over %d runs:%n", runs);
    out.println("  share    total ms   launches   median us  kernel");
    for (KernelTime kernel : kernels) {
      out.printf(
          Locale.ROOT,
          "%6.1f%% %11.3f %10d %11.1f  %s%n",
          100 * share(kernel, kernels),
          kernel.totalNanos() / 1e6,
          kernel.launches(),
          kernel.medianNanos() / 1e3,
          kernel.name());
    }
  }

  private static void print(PrintWriter out, BenchCase what, double[] times) {
    out.println(what);
    out.printf(
        Locale.ROOT,
        "median %.3f ms, half of the %d runs between %.3f and %.3f ms%n",
        RecurrentBench.quantile(times, 0.5),
        times.length,
        RecurrentBench.quantile(times, 0.25),
        RecurrentBench.quantile(times, 0.75));
    out.printf(Locale.ROOT, "%.2f GFLOP/s%n", what.gigaflops(times));
  }
}
