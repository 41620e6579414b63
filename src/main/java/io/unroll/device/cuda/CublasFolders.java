package io.unroll.device.cuda;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where on Linux cuBLAS may lie unknown to the system's loader: in NVIDIA's toolkit, or in a
 * package of Python.
 *
 * @param environment the variables of the process
 * @param root the folder that {@code usr} is in
 */
record CublasFolders(Map<String, String> environment, Path root) {
  private static final Pattern VERSION = Pattern.compile("(\\d+)(?:[.](\\d+))?$");

  /** Those that exist, in the order in which they are to be tried. */
  List<Path> list() {
    List<Path> folders = new ArrayList<>();
    for (Path toolkit : variable("CUDA_HOME", "")) {
      folders.add(toolkit.resolve("lib64"));
    }
    for (Path toolkit : newestFirst(root.resolve("usr/local"), "cuda*")) {
      folders.add(toolkit.resolve("lib64"));
    }
    List<Path> pythons = new ArrayList<>(variable("VIRTUAL_ENV", ""));
    pythons.addAll(variable("CONDA_PREFIX", ""));
    pythons.addAll(variable("HOME", ".local"));
    pythons.add(root.resolve("usr/local"));
    pythons.add(root.resolve("usr"));
    pythons.forEach(python -> addPackages(python.resolve("lib"), folders));
    folders.addAll(variable("CONDA_PREFIX", "lib"));
    folders.removeIf(folder -> !Files.isDirectory(folder));
    return folders;
  }

  private List<Path> variable(String name, String inside) {
    String value = environment.get(name);
    return value == null || value.isBlank() ? List.of() : List.of(Path.of(value).resolve(inside));
  }

  /** NVIDIA's packages for CUDA 13 and for CUDA 12. */
  private static void addPackages(Path lib, List<Path> folders) {
    for (Path python : newestFirst(lib, "python3*")) {
      for (String packages : List.of("site-packages", "dist-packages")) {
        Path nvidia = python.resolve(packages).resolve("nvidia");
        folders.add(nvidia.resolve("cu13/lib"));
        folders.add(nvidia.resolve("cublas/lib"));
      }
    }
  }

  /** The children with such names. One without a version is what somebody has chosen. */
  private static List<Path> newestFirst(Path parent, String names) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(parent, names)) {
      children.forEach(found::add);
    } catch (IOException e) {
      // A folder that cannot be listed has nothing to load.
    }
    found.sort(Comparator.comparingInt(CublasFolders::version).reversed());
    return found;
  }

  private static int version(Path folder) {
    Matcher version = VERSION.matcher(folder.getFileName().toString());
    if (!version.find()) {
      return Integer.MAX_VALUE;
    }
    String minor = version.group(2);
    return 1000 * Integer.parseInt(version.group(1))
        + (minor == null ? 0 : Integer.parseInt(minor));
  }
}
