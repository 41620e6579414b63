package io.unroll;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A device opened for training or running recurrent networks: a CPU, a GPU, or the float64
 * reference.
 *
 * <p>Backends are found by {@link ServiceLoader} through {@link Provider}. A backend is used by one
 * thread at a time. Close layers, tapes and parameters before their backend.
 */
public interface Backend extends AutoCloseable {

  /**
   * Opens the backend of that name with {@link BackendOptions#DEFAULT}.
   *
   * @param selector a provider's name, such as {@code cpu} or {@code reference}, and where a
   *     provider has several devices its number behind a colon, such as {@code cuda:1}
   * @throws BackendUnavailableException if it cannot be opened here; the message names the cure
   */
  static Backend open(String selector) {
    return open(selector, BackendOptions.DEFAULT);
  }

  /**
   * Opens the backend of that name.
   *
   * @param selector as in {@link #open(String)}
   * @param options threads and precision
   * @throws BackendUnavailableException if it cannot be opened here; the message names the cure
   */
  static Backend open(String selector, BackendOptions options) {
    String name = selector.contains(":") ? selector.substring(0, selector.indexOf(':')) : selector;
    List<Provider> all = providers();
    for (Provider provider : all) {
      if (provider.name().equals(name)) {
        return provider.open(selector, options);
      }
    }
    throw new BackendUnavailableException(
        "there is no backend \""
            + name
            + "\" in this build of Unroll; it has "
            + all.stream().map(Provider::name).collect(Collectors.joining(", ")));
  }

  /**
   * Opens the first backend that works here, best first, and logs once which it is and why each
   * better one was refused. The reference is never chosen: it is there to judge, not to run.
   *
   * @throws BackendUnavailableException if none works; the message has every refusal
   */
  static Backend openBest() {
    return openBest(BackendOptions.DEFAULT);
  }

  /**
   * As {@link #openBest()}, with options.
   *
   * @param options threads and precision
   */
  static Backend openBest(BackendOptions options) {
    System.Logger logger = System.getLogger(Backend.class.getName());
    return openBest(options, choice -> logger.log(System.Logger.Level.INFO, choice));
  }

  /**
   * As {@link #openBest()}, with options and another place for the line that it logs.
   *
   * @param options threads and precision
   * @param announce receives which backend was opened and why each better one was refused
   */
  static Backend openBest(BackendOptions options, Consumer<String> announce) {
    List<String> refusals = new ArrayList<>();
    for (Provider provider : providers()) {
      if (!provider.automatic()) {
        continue;
      }
      try {
        Backend backend = provider.openBest(options);
        String refused = refusals.isEmpty() ? "" : "; refused: " + String.join("; ", refusals);
        announce.accept("using " + backend.description() + refused);
        return backend;
      } catch (BackendUnavailableException e) {
        refusals.add(e.getMessage());
      }
    }
    throw new BackendUnavailableException(
        refusals.isEmpty()
            ? "no backend found: META-INF/services of the Unroll jar is missing from the class path"
            : "no backend works here: " + String.join("; ", refusals));
  }

  /** Every backend of this build, best first, each with what it found here or why it cannot run. */
  static List<Availability> list() {
    return providers().stream().map(Provider::probe).toList();
  }

  private static List<Provider> providers() {
    List<Provider> found = new ArrayList<>();
    try {
      ServiceLoader.load(Provider.class, Backend.class.getClassLoader()).forEach(found::add);
    } catch (ServiceConfigurationError | LinkageError e) {
      throw new BackendUnavailableException(
          "a backend on the class path cannot be loaded: " + e.getMessage(), e);
    }
    found.sort(Comparator.comparingInt(Provider::rank));
    return found;
  }

  /** The name it was opened by, such as {@code cpu} or {@code cuda:0}. */
  String name();

  /** One line for people: the device, its arithmetic, its threads. */
  String description();

  /** The arithmetic of its matrix products. */
  Precision precision();

  /**
   * Bytes that the device can hold in all, whoever holds them: the memory of a GPU; for the CPU
   * that of the machine or of its container, in plain Java and for the reference that of the Java
   * heap. Long.MAX_VALUE where it is not known.
   */
  long memoryBytes();

  /** Bytes held on the device now. */
  long liveBytes();

  /** The most bytes held at once since it was opened. */
  long peakBytes();

  /** Waits until all queued work is done. Call it before reading a clock. */
  void synchronize();

  /**
   * Frees the device.
   *
   * @throws IllegalStateException if buffers are still live; the message lists them. The device is
   *     freed all the same.
   */
  @Override
  void close();

  /**
   * What a probe of one backend found, without opening it.
   *
   * @param name the provider's name
   * @param available whether {@link Backend#open} is expected to succeed
   * @param detail the device found, or why there is none and what cures it
   */
  record Availability(String name, boolean available, String detail) {}

  /** Finds and opens the devices of one kind; registered in META-INF/services. */
  interface Provider {
    /** The name by which users open it. */
    String name();

    /** Its place in the order of preference: smaller is better. */
    int rank();

    /** Whether {@link Backend#openBest} may choose it. */
    boolean automatic();

    /** Looks for its devices. Never throws. */
    Availability probe();

    /**
     * Opens a device.
     *
     * @param selector the name, or the name and a number behind a colon
     * @param options threads and precision
     * @throws BackendUnavailableException if it cannot be opened here; the message names the cure
     */
    Backend open(String selector, BackendOptions options);

    /**
     * Opens its best device for {@link Backend#openBest}, which may demand more of it than one that
     * was asked for by name.
     *
     * @param options threads and precision
     * @throws BackendUnavailableException if it has none that serves
     */
    default Backend openBest(BackendOptions options) {
      return open(name(), options);
    }
  }
}
