package io.unroll;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How many cores this process may use, with the hardware threads of one core counted once: they
 * share its arithmetic units, which one thread of a matrix product keeps busy.
 */
final class PhysicalCores {
  private static final String ALLOWED = "Cpus_allowed_list:";

  private PhysicalCores() {}

  /** Linux knows; elsewhere, or where it does not tell, every processor counts as a core. */
  static int count() {
    return Counted.CORES;
  }

  private static final class Counted {
    static final int CORES =
        count(
            Path.of("/sys/devices/system/cpu"),
            Path.of("/proc/self/status"),
            Runtime.getRuntime().availableProcessors());
  }

  /**
   * As {@link #count()}.
   *
   * @param processors a folder for each processor, with what shares a core with it
   * @param status of this process, with the processors that it may use
   * @param available the most that may be returned: a container can have less than all
   */
  static int count(Path processors, Path status, int available) {
    try {
      Set<String> cores = new HashSet<>();
      for (int processor : allowed(status)) {
        Path siblings = processors.resolve("cpu" + processor + "/topology/thread_siblings_list");
        cores.add(Files.readString(siblings));
      }
      return cores.isEmpty() ? available : Math.min(available, cores.size());
    } catch (IOException | RuntimeException e) {
      return available;
    }
  }

  private static List<Integer> allowed(Path status) throws IOException {
    List<Integer> processors = new ArrayList<>();
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith(ALLOWED)) {
        for (String range : line.substring(ALLOWED.length()).strip().split(",")) {
          String[] ends = range.split("-");
          int last = Integer.parseInt(ends[ends.length - 1]);
          for (int i = Integer.parseInt(ends[0]); i <= last; i++) {
            processors.add(i);
          }
        }
      }
    }
    return processors;
  }
}
