package io.unroll.device.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The cache that a core shares with no other, which the blocks of a matrix product must fit. */
final class SecondLevelCache {
  private SecondLevelCache() {}

  /** Its size in bytes where Linux tells it, else 0. */
  static long bytes() {
    return bytes(Path.of("/sys/devices/system/cpu/cpu0/cache/index2"));
  }

  static long bytes(Path cache) {
    try {
      if (!Files.readString(cache.resolve("level")).strip().equals("2")) {
        return 0;
      }
      String size = Files.readString(cache.resolve("size")).strip();
      return Long.parseLong(size.substring(0, size.length() - 1)) * unit(size);
    } catch (IOException | RuntimeException e) {
      return 0;
    }
  }

  private static long unit(String size) {
    return switch (size.charAt(size.length() - 1)) {
      case 'K' -> 1 << 10;
      case 'M' -> 1 << 20;
      default -> throw new NumberFormatException(size);
    };
  }
}
