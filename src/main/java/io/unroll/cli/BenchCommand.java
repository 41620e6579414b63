package io.unroll.cli;

import com.google.gson.Gson;
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
      "A device with a clock of its own, cuda, also tells how long its commands took by that: with"
          + " warm caches, after caches were emptied, without graphs, and without graphs of so many"
          + " networks in turn that caches hold none of them, for a quarter of the time each."
          + " The last is left out if more than 64 networks or a quarter of the free memory would"
          + " be needed.",
      "",
      "--profile then runs as often again and prints how long each kernel took by the clock of the"
          + " device, the largest share first. Such a clock may slow a device down, so the times"
          + " above are taken without it.",
      "",
      "GFLOP/s counts the matrix products alone: 2*T*B*(I+H)*G*H for each layer and direction, with"
          + " I = H above the first, or 2*H in both directions, three times that for train; G is 1"
          + " for tanh and relu, 3 for gru, 4 for lstm. GB/s counts what memory must move at least:"
          + " inputs, weights and outputs once, for train their gradients as well.",
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
      "  unroll bench --device cuda --cell tanh --shape 64,32,512,512 --against ceilings.jsonl",
      "  unroll bench --mode step --shape 50,50,65,128 --layers 2",
      "  unroll bench --device reference --shape 8,2,16,16 --mode forward --json",
      "  unroll bench --device cuda --precision bf16 --grid benchmarks/grid.txt --budget 60"
    })
final class BenchCommand implements Callable<Integer> {
  private static final double TENTHS = 10;

  /** What {@code --direction} takes. */
  enum Direction {
    ONE,
    BOTH
  }

  /** What {@code --lengths} takes. */
  enum Lengths {
    FULL,
    RAGGED
  }

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
      description =
          "forward, train, or step: a whole training step of a char-rnn with a vocabulary of I"
              + " (default: ${DEFAULT-VALUE}).")
  BenchCase.Mode mode;

  @Option(
      names = "--direction",
      paramLabel = "D",
      defaultValue = "one",
      description = "one or both: each layer also from the end (default: ${DEFAULT-VALUE}).")
  Direction direction;

  @Option(
      names = "--lengths",
      paramLabel = "L",
      defaultValue = "full",
      description =
          "full or ragged: rows of T down to about T/2 steps (default: ${DEFAULT-VALUE}).")
  Lengths lengths;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "2",
      description = {
        "Time at least this long after a warm-up of half as long, and at least "
            + Stopwatch.MIN_RUNS
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
      names = "--rows",
      paramLabel = "A,B",
      split = ",",
      description = "With --ceilings, only rows of these names, such as gemm (default: all rows).")
  List<String> rows;

  @Option(
      names = "--json",
      description = "Print one line of JSON, with --ceilings one for each row, and nothing else.")
  boolean json;

  @Option(
      names = "--grid",
      paramLabel = "FILE",
      description = {
        "Time every case of a file and print a line of JSON for each as it comes. Ends with 1 if"
            + " one failed. benchmarks/grid.txt is such a file, and says how one is written"
            + " (default: none)."
      })
  Path grid;

  @Option(
      names = "--sets",
      paramLabel = "A,B",
      split = ",",
      description = "With --grid, only lines that are in one of these sets (default: all lines).")
  List<String> sets;

  @Option(
      names = "--against",
      paramLabel = "FILE",
      description = {
        "What --ceilings --json printed for the same device: adds how long a case takes at least by"
            + " a model, what bounds it, and which share of the time that is (default: none)."
      })
  Path against;

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
    if (rows != null) {
      throw new InputException("--rows chooses ceilings; give --ceilings as well");
    }
    if (sets != null) {
      throw new InputException("--sets chooses lines of a grid; give --grid as well");
    }
    BenchCase what;
    try {
      what =
          new BenchCase(
              cell, shape, layers, direction == Direction.BOTH, lengths == Lengths.RAGGED, mode);
    } catch (IllegalArgumentException e) {
      throw new InputException(e.getMessage());
    }
    try (Backend backend = device.open(json ? null : out)) {
      runOne(backend, what, out);
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
      CeilingsTable table = new CeilingsTable(provenance(backend), offer.ceilings(), out, json);
      int failed = table.print(each, name -> rows == null || rows.contains(name));
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
    for (String other :
        List.of(
            "--cell", "--shape", "--layers", "--direction", "--lengths", "--mode", "--profile")) {
      if (spec.commandLine().getParseResult().hasMatchedOption(other)) {
        throw new InputException(why + "; leave out " + other);
      }
    }
  }

  private int runGrid(PrintWriter out) throws IOException {
    refuseShape("--grid names what is timed");
    GridFile file = GridFile.read(grid);
    List<GridFile.Entry> chosen = file.entries(sets == null ? List.of() : sets);
    try (Backend backend = device.open(null)) {
      List<BenchCase> cases =
          chosen.stream()
              .filter(entry -> entry.isFor(backend.precision()))
              .map(GridFile.Entry::what)
              .toList();
      BenchGrid all = new BenchGrid(cases, provenance(backend), bound(backend));
      return all.run(seconds, budget, out) == 0 ? 0 : 1;
    }
  }

  private static void requireFrom0(String name, double seconds) {
    if (!(seconds >= 0 && seconds <= 3600)) {
      throw new InputException(name + " must be from 0 to 3600, but is " + seconds);
    }
  }

  private void runOne(Backend backend, BenchCase what, PrintWriter out) throws IOException {
    DeviceProfiler profiler = profile ? profiler(backend) : null;
    Bound bound = bound(backend);
    BenchTimes times;
    List<KernelTime> kernels = null;
    try (Stopwatch watch = new Stopwatch(backend);
        Workload work = BenchGrid.workload(backend, what)) {
      times = watch.measure(work, () -> BenchGrid.workload(backend, what), seconds);
      if (profiler != null) {
        kernels = watch.profile(work, profiler, times.host().runs());
      }
    }
    Bound.Estimate least = bound == null ? null : bound.of(what, backend);
    if (json) {
      JsonObject line = what.describe(provenance(backend));
      times.addTo(line, what);
      if (least != null) {
        least.addTo(line, times);
      }
      if (kernels != null) {
        line.add("profile", BenchReport.asJson(kernels));
      }
      out.println(new Gson().toJson(line));
      return;
    }
    BenchReport report = new BenchReport(out);
    report.print(what, times, least, provenance(backend).caution());
    if (kernels != null) {
      report.print(kernels, times.host().runs());
    }
  }

  /** What to hold cases against, or null. */
  private Bound bound(Backend backend) throws IOException {
    if (against == null) {
      return null;
    }
    Bound bound = new Bound(MeasuredCeilings.read(against));
    bound.requireSame(backend);
    return bound;
  }

  private static DeviceProfiler profiler(Backend backend) {
    DeviceProfiler.Offer offer = Device.of(backend).profiler();
    if (offer.profiler() == null) {
      throw new WorkFailedException("--profile is not possible here: " + offer.refusal());
    }
    return offer.profiler();
  }
}
