package io.unroll.device.cuda;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import jcuda.jcublas.JCublas2;

/**
 * Loads cuBLAS, and JCublas2 with it. JCublas2 wants a libcublas.so.12; version 13 it gets through
 * {@code native/cublas}. Its class is initialized when the loader is known to find one, because
 * Java tries that only once.
 */
final class CublasLoading {
  private static final List<String> MAJORS = List.of("12", "13");
  static final String BRIDGE = "/io/unroll/native/linux-x86_64/libunroll_cublas.so";
  private static final String NOT_THERE = ": cannot open shared object file";

  /**
   * A try to let the loader know a libcublas.so.12.
   *
   * @param what the file's name or path
   */
  private record Try(String what, DriverLibrary.Loading loading) {}

  private CublasLoading() {}

  /**
   * Loads the first that works.
   *
   * @param wanted a file or a folder of it, the only one that is tried, or null
   * @throws IOException if there is none
   * @throws LinkageError if none can be loaded
   */
  static void load(String wanted) throws IOException {
    if (!System.getProperty("os.name").equals("Linux")) {
      if (wanted != null) {
        throw new IOException(
            "-D%s=%s works on Linux only; put the folder of cublas64_12.dll on the path"
                .formatted(CublasLibrary.PROPERTY, wanted));
      }
      DriverLibrary.inPrivateFolder(folder -> JCublas2.initialize());
      return;
    }
    List<Try> tries = wanted == null ? tries() : tries(wanted);
    DriverLibrary.inPrivateFolder(
        folder -> {
          loadFirst(tries, unpackOwn(folder), folder);
          JCublas2.initialize(); // finds that library, which is loaded
        });
  }

  private static void loadFirst(List<Try> tries, Path library, Path folder) {
    List<String> failures = new ArrayList<>();
    for (Try each : tries) {
      try {
        each.loading.run(folder);
        System.load(library.toString());
        return;
      } catch (IOException | UnsatisfiedLinkError e) {
        if (!e.getMessage().contains(each.what + NOT_THERE)) {
          // The loader begins with the path, and so does Java.
          failures.add(each.what + ": " + e.getMessage().replace(each.what + ": ", ""));
        }
      }
    }
    throw new UnsatisfiedLinkError(failures.isEmpty() ? noneFound() : String.join("; ", failures));
  }

  private static String noneFound() {
    return "no libcublas.so.12 or libcublas.so.13 was found; install cuBLAS of NVIDIA's CUDA"
        + " Toolkit, or name its folder by -D%s=DIR".formatted(CublasLibrary.PROPERTY);
  }

  private static List<Try> tries() {
    List<Try> tries = new ArrayList<>();
    tries.add(new Try("libcublas.so.12", folder -> {}));
    tries.add(new Try("libcublas.so.13", CublasLoading::loadBridge));
    for (Path folder : new CublasFolders(System.getenv(), Path.of("/")).list()) {
      tries.addAll(tries(folder));
    }
    return tries;
  }

  private static List<Try> tries(String wanted) throws IOException {
    Path place = Path.of(wanted).toAbsolutePath();
    if (Files.isRegularFile(place)) {
      // A name that does not tell counts as one of version 12.
      return List.of(tryFile(place, place.toString().contains(".so.13") ? "13" : "12"));
    }
    List<Try> tries = tries(place);
    if (tries.isEmpty()) {
      throw new FileNotFoundException(
          "-D%s=%s is no file, and no folder with a libcublas.so.12 or a libcublas.so.13 in it"
              .formatted(CublasLibrary.PROPERTY, wanted));
    }
    return tries;
  }

  private static List<Try> tries(Path folder) {
    List<Try> tries = new ArrayList<>();
    for (String major : MAJORS) {
      Path file = folder.resolve("libcublas.so." + major);
      if (Files.exists(file)) {
        tries.add(tryFile(file, major));
      }
    }
    return tries;
  }

  private static Try tryFile(Path file, String major) {
    return new Try(
        file.toString(),
        folder -> {
          // It asks for this by its name, which the loader knows then.
          Path needed = file.resolveSibling("libcublasLt.so." + major);
          if (Files.exists(needed)) {
            System.load(needed.toString());
          }
          System.load(file.toString());
          if (major.equals("13")) {
            loadBridge(folder);
          }
        });
  }

  private static void loadBridge(Path folder) throws IOException {
    Path bridge = unpack(CublasLoading.class.getResourceAsStream(BRIDGE), folder, "bridge.so");
    if (bridge == null) {
      throw new FileNotFoundException(
          "this build of Unroll was made without a C++ compiler and has no use for version 13;"
              + " build it with one, or install cuBLAS 12");
    }
    System.load(bridge.toString());
  }

  /** Where JCublas2 looks for it, and takes what is there. */
  private static Path unpackOwn(Path folder) throws IOException {
    String name =
        LibUtils.createLibraryFileName(
            LibUtils.createPlatformLibraryName("JCublas2-" + JCudaVersion.get()));
    Path library = unpack(JCublas2.class.getResourceAsStream("/lib/" + name), folder, name);
    if (library == null) {
      throw new FileNotFoundException(
          "JCublas has no library for %s on %s; add org.jcuda:jcublas-natives:linux-x86_64 to the"
                  .formatted(System.getProperty("os.name"), System.getProperty("os.arch"))
              + " class path, where there are any");
    }
    return library;
  }

  /** Null if there is no such content. */
  private static Path unpack(InputStream content, Path folder, String name) throws IOException {
    try (content) {
      Path file = folder.resolve(name);
      if (content != null && !Files.exists(file)) {
        Files.copy(content, file);
      }
      return content == null ? null : file;
    }
  }

  /** What went wrong, and what cures it. */
  static String explain(Throwable thrown) {
    String said = String.valueOf(thrown.getMessage());
    if (thrown instanceof NoClassDefFoundError && said.contains("jcublas")) {
      return "JCublas is not on the class path; add org.jcuda:jcublas and"
          + " org.jcuda:jcublas-natives";
    }
    if (said.contains("dependent libraries")) {
      return "cublas64_12.dll is not on the path; on Windows version 13 is not used";
    }
    return thrown instanceof IOException || thrown instanceof LinkageError
        ? said
        : thrown.toString();
  }
}
