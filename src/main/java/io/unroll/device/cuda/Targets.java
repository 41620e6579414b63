package io.unroll.device.cuda;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the images of this build run on.
 *
 * @param version of CUDA as the driver counts, 13000 for 13.0; 0 where nothing is known
 * @param names as nvcc writes them: {@code sm_80}, {@code sm_90a}, {@code compute_80}
 */
record Targets(int version, List<String> names) {
  private static final Pattern NAME = Pattern.compile("(sm|compute)_(\\d+)(\\d)(a?)");

  /** The first driver whose version of CUDA is 13. */
  private static final String DRIVER = "580";

  /** Of the words of {@link Images#targets}. */
  static Targets of(List<String> words) {
    if (words.isEmpty()) {
      return new Targets(0, List.of());
    }
    String[] parts = words.get(0).split("[.]", 2);
    int version = 1000 * Integer.parseInt(parts[0]) + 10 * Integer.parseInt(parts[1]);
    return new Targets(version, List.copyOf(words.subList(1, words.size())));
  }

  /**
   * Why a device cannot run the images, or null.
   *
   * @param driver the version of CUDA that its driver has, as 13000
   */
  String refusal(int major, int minor, int driver) {
    // Images of one major version need a driver of that version, whatever the minor.
    if (driver / 1000 < version / 1000) {
      return "its driver has CUDA %s, the kernels are of CUDA %s: install driver %s or newer"
          .formatted(text(driver), text(version), DRIVER);
    }
    if (version > 0 && names.stream().noneMatch(name -> runsOn(name, major, minor))) {
      return "it is sm_%d%d, the kernels are for %s: build with -Dunroll.cuda.targets=all"
          .formatted(major, minor, String.join(", ", names));
    }
    return null;
  }

  private static boolean runsOn(String name, int major, int minor) {
    Matcher parts = NAME.matcher(name);
    if (!parts.matches()) {
      return false;
    }
    int wantedMajor = Integer.parseInt(parts.group(2));
    int wantedMinor = Integer.parseInt(parts.group(3));
    if (!parts.group(4).isEmpty()) {
      return major == wantedMajor && minor == wantedMinor;
    }
    if (parts.group(1).equals("sm")) {
      return major == wantedMajor && minor >= wantedMinor;
    }
    return 10 * major + minor >= 10 * wantedMajor + wantedMinor;
  }

  /** As 13.0 for 13000. */
  static String text(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }
}
