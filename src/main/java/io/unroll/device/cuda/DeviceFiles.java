package io.unroll.device.cuda;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * The files by which the driver's library speaks to its kernel module on Linux: {@code nvidiactl},
 * {@code nvidia-uvm} and one for each device. Whoever may not open them finds no device.
 *
 * @param folder where they are
 * @param names those that there are, in alphabetical order
 * @param closed those of them that this process may not read and write, each with who may
 */
record DeviceFiles(Path folder, List<String> names, List<String> closed) {
  private static final String DEVICE = "nvidia[0-9]+";
  private static final String USED = DEVICE + "|nvidiactl|nvidia-uvm";

  /** What the driver opens instead in Windows' Linux. */
  private static final Path WSL = Path.of("/dev/dxg");

  /** Those of this machine; null where the driver needs none of them. */
  static DeviceFiles found() {
    boolean linux = System.getProperty("os.name").equals("Linux");
    return linux && !Files.exists(WSL) ? in(Path.of("/dev")) : null;
  }

  /** Those in a folder; none where there is no such folder. */
  static DeviceFiles in(Path folder) {
    List<String> names = new ArrayList<>();
    List<String> closed = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "nvidia*")) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.matches(USED)) {
          names.add(name);
          if (!Files.isReadable(file) || !Files.isWritable(file)) {
            closed.add(file + permissions(file));
          }
        }
      }
    } catch (IOException e) {
      return new DeviceFiles(folder, List.of(), List.of());
    }
    names.sort(null);
    closed.sort(null);
    return new DeviceFiles(folder, List.copyOf(names), List.copyOf(closed));
  }

  private static String permissions(Path file) {
    try {
      PosixFileAttributes of = Files.readAttributes(file, PosixFileAttributes.class);
      return " (%s, owner %s, group %s)"
          .formatted(
              PosixFilePermissions.toString(of.permissions()),
              of.owner().getName(),
              of.group().getName());
    } catch (IOException | UnsupportedOperationException e) {
      return " (its permissions cannot be read)";
    }
  }

  /** Whether there is one of a device. */
  boolean haveDevice() {
    return names.stream().anyMatch(name -> name.matches(DEVICE));
  }
}
