package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.Precision;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Option;

/** Which device computes, and how. */
final class DeviceOptions {
  private static final String BEST = "best";

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = BEST,
      description =
          "Where to compute: best, or a name that \"unroll doctor\" lists, with a number where"
              + " there are several, such as cuda:1 (default: ${DEFAULT-VALUE}).")
  String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Threads of the device cpu; 0 is one for each physical core (default: ${DEFAULT-VALUE}).")
  int threads;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      description =
          "Arithmetic of the matrix products: ${COMPLETION-CANDIDATES} (default: the device's own,"
              + " float32; float64 on the reference).")
  Precision precision;

  /** What no options give. */
  static DeviceOptions best() {
    DeviceOptions options = new DeviceOptions();
    options.device = BEST;
    return options;
  }

  /** What a command line needs to get the same device, with a space before it, or nothing. */
  String repeated() {
    return device.equals(BEST) ? "" : " --device " + device;
  }

  /** The number of threads, with 0 resolved to the physical cores. */
  int resolvedThreads() {
    return options().resolvedThreads();
  }

  private BackendOptions options() {
    return new BackendOptions(threads, precision);
  }

  /**
   * Opens the device and says which it is, and for best why better ones were refused.
   *
   * @param announce one line goes there, or null for silence
   * @throws InputException if no backend has that name
   */
  Backend open(PrintWriter announce) {
    if (device.equals(BEST)) {
      return Backend.openBest(options(), choice -> say(announce, choice));
    }
    requireKnown();
    Backend backend = Backend.open(device, options());
    say(announce, "using " + backend.description());
    return backend;
  }

  private static void say(PrintWriter announce, String line) {
    if (announce != null) {
      announce.println(line);
      announce.flush();
    }
  }

  private void requireKnown() {
    String name = device.contains(":") ? device.substring(0, device.indexOf(':')) : device;
    List<String> names = Backend.list().stream().map(Backend.Availability::name).toList();
    if (!names.contains(name)) {
      throw new InputException(
          "--device must be best or one of "
              + String.join(", ", names)
              + ", but is \""
              + device
              + "\"; \"unroll doctor\" tells what works here");
    }
  }
}
