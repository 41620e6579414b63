package io.unroll.device;

import io.unroll.BackendUnavailableException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which of the devices that a backend found a user means.
 *
 * @param backend the backend's name, such as {@code opencl}
 * @param devices in the order of their numbers
 * @param refusal why there is none, and what cures it; null if there is one
 */
public record GpuSelection(
    String backend, List<? extends GpuSelection.Found> devices, String refusal) {
  /** What is known of a device before it is opened. */
  public interface Found {
    /** Why Unroll cannot use it, or null. */
    String refusal();

    /** Whether a name that a user gave, in any case of letters, is part of one of its own. */
    boolean isCalled(String part);

    /** One line about it for people. */
    String describe();
  }

  /** Whether there is any device that Unroll can use. */
  public boolean isUsable() {
    return devices.stream().anyMatch(device -> device.refusal() == null);
  }

  /** Every device with its number, one after the other, or why there is none. */
  public String describe() {
    return refusal != null
        ? refusal
        : IntStream.range(0, devices.size())
            .mapToObj(i -> backend + ":" + i + " " + devices.get(i).describe())
            .collect(Collectors.joining("; "));
  }

  /**
   * The number of the device that a user means.
   *
   * @param selector the backend's name, or with a number or a part of a name behind a colon
   * @throws BackendUnavailableException if that is none or several, or one that cannot be used
   */
  public int select(String selector) {
    if (refusal != null) {
      throw unavailable(selector, refusal);
    }
    int colon = selector.indexOf(':');
    String wanted = colon < 0 ? "" : selector.substring(colon + 1).strip();
    if (colon >= 0 && wanted.isEmpty()) {
      throw unavailable(selector, "nothing stands behind the colon. There are " + describe());
    }
    List<Integer> fitting = colon < 0 ? List.of(first()) : fitting(wanted);
    if (fitting.size() != 1) {
      throw unavailable(
          selector,
          (fitting.isEmpty() ? "no device goes by \"" : "several devices go by \"")
              + wanted
              + "\". There are "
              + describe());
    }
    int number = fitting.get(0);
    if (devices.get(number).refusal() != null) {
      throw unavailable(selector, devices.get(number).describe());
    }
    return number;
  }

  private int first() {
    return IntStream.range(0, devices.size())
        .filter(i -> devices.get(i).refusal() == null)
        .findFirst()
        .orElse(0);
  }

  private List<Integer> fitting(String wanted) {
    boolean isNumber = wanted.chars().allMatch(c -> c >= '0' && c <= '9');
    return IntStream.range(0, devices.size())
        .filter(i -> isNumber ? wanted.equals("" + i) : devices.get(i).isCalled(wanted))
        .boxed()
        .toList();
  }

  /** The exception for a selector that cannot be opened. */
  public static BackendUnavailableException unavailable(String selector, String why) {
    return new BackendUnavailableException(
        "backend \"%s\" is unavailable: %s".formatted(selector, why));
  }
}
