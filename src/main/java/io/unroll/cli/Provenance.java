package io.unroll.cli;

import com.google.gson.JsonObject;
import io.unroll.Backend;
import io.unroll.device.Device;
import io.unroll.device.DeviceCeilings;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where figures come from: the fields that every line of JSON of {@code bench} ends with, and that
 * {@link BenchFiles} reads again.
 */
final class Provenance {
  /** What two sides must share if they are to differ by the program alone. */
  static final List<String> SURROUNDINGS =
      List.of("description", "driver", "cpu", "os", "jdk", "jvm");

  private final Backend backend;
  private final int threads;
  private final String flags;

  /**
   * Notes what is the same in every line.
   *
   * @param threads of the device cpu
   * @param flags the command line behind {@code bench}
   */
  Provenance(Backend backend, int threads, List<String> flags) {
    this.backend = backend;
    this.threads = threads;
    this.flags = String.join(" ", flags);
  }

  Backend backend() {
    return backend;
  }

  /** What a reader of the figures must know, such as that they mean nothing; null for nothing. */
  String caution() {
    DeviceCeilings ceilings = Device.of(backend).ceilings().ceilings();
    return ceilings == null ? null : ceilings.caution();
  }

  /** Adds the fields; the date is now, in UTC. */
  void addTo(JsonObject line) {
    if (caution() != null) {
      line.addProperty("caution", caution());
    }
    line.addProperty("device", backend.name());
    line.addProperty("precision", backend.precision().name());
    line.addProperty("threads", threads);
    line.addProperty("description", backend.description());
    line.addProperty("driver", Device.of(backend).driver());
    line.addProperty("cpu", cpu(Path.of("/proc/cpuinfo")));
    line.addProperty("os", join("os.name", "os.version", "os.arch"));
    line.addProperty("jdk", Runtime.version() + ", " + join("java.vm.name"));
    line.addProperty(
        "jvm", String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()));
    line.addProperty("software", "Unroll");
    line.addProperty("unroll", Version.text());
    line.addProperty("commit", Version.commit());
    line.addProperty("flags", flags);
    line.addProperty("date", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
  }

  private static String join(String... properties) {
    return String.join(" ", Stream.of(properties).map(System::getProperty).toList());
  }

  /**
   * The processor and how many hardware threads of it this process may use.
   *
   * @param info as Linux has it; where it has no name, the system's own word for it serves
   */
  static String cpu(Path info) {
    String name = System.getenv("PROCESSOR_IDENTIFIER");
    try (Stream<String> lines = Files.lines(info)) {
      name =
          lines
              .filter(line -> line.startsWith("model name"))
              .map(line -> line.substring(line.indexOf(':') + 1).strip())
              .findFirst()
              .orElse(name);
    } catch (IOException e) {
      // Only Linux has this file.
    }
    int processors = Runtime.getRuntime().availableProcessors();
    return (name == null ? System.getProperty("os.arch") : name) + " x " + processors;
  }
}
