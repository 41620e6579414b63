package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.BackendUnavailableException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Shows what Unroll finds on this machine. */
@Command(
    name = "doctor",
    description = {
      "Shows what Unroll finds on this machine.",
      "",
      "Prints Java, cores, memory, and every device with what was found or why it cannot be used"
          + " and what cures that. Ends with 0 if --device best works, else with 1."
    },
    footer = {"  unroll doctor", "  unroll doctor && unroll bench"})
final class DoctorCommand implements Callable<Integer> {
  private static final double GIB = 1 << 30;

  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    row(out, "Unroll", Version.text());
    row(
        out,
        "Java",
        Runtime.version()
            + ", "
            + System.getProperty("java.vm.name")
            + " by "
            + System.getProperty("java.vendor"));
    row(
        out,
        "System",
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + ", "
            + System.getProperty("os.arch"));
    row(out, "Cores", cores());
    double heap = Runtime.getRuntime().maxMemory() / GIB;
    row(
        out,
        "Heap",
        String.format(Locale.ROOT, "at most %.1f GiB; change it with java -Xmx", heap));
    out.println();
    out.println("Devices, best first:");
    for (Backend.Availability found : Backend.list()) {
      String mark = found.available() ? "@|green available|@  " : "@|red unavailable|@";
      String line = String.format("  %-10s ", found.name()) + styled(mark) + "  ";
      out.println(line + found.detail());
    }
    out.println();
    return best(out);
  }

  private static String cores() {
    int processors = Runtime.getRuntime().availableProcessors();
    int cores = DeviceOptions.best().resolvedThreads();
    return cores == processors
        ? String.valueOf(cores)
        : cores + ", with " + processors + " hardware threads";
  }

  private int best(PrintWriter out) {
    try (Backend backend = DeviceOptions.best().open(null)) {
      out.println("--device best opens " + backend.name() + ": " + backend.description());
      return 0;
    } catch (BackendUnavailableException e) {
      out.println("--device best fails: " + e.getMessage());
      return 1;
    }
  }

  private String styled(String markup) {
    return spec.commandLine().getColorScheme().ansi().string(markup);
  }

  private static void row(PrintWriter out, String what, String found) {
    out.printf("%-8s  %s%n", what, found);
  }
}
