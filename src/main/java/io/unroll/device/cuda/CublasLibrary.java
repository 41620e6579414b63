package io.unroll.device.cuda;

import io.unroll.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasStatus;
import jcuda.libraryPropertyType;

/**
 * What of cuBLAS is installed on this machine: looked for once a process, when the first device
 * wants it.
 *
 * @param version as 12.6.4, or null
 * @param place the file that was loaded
 * @param refusal why there is none, and what cures it; null if there is one
 */
record CublasLibrary(String version, String place, String refusal) {
  /** {@code =false} leaves it alone; a file or a folder is taken in the place of what is there. */
  static final String PROPERTY = "unroll.cuda.cublas";

  static final int SUCCESS = cublasStatus.CUBLAS_STATUS_SUCCESS;

  /** Initialized by the first question. */
  private static final class Attempt {
    static final CublasLibrary RESULT = attempt();
  }

  /** What was found. Never throws. */
  static CublasLibrary found() {
    return Attempt.RESULT;
  }

  /** Whether there is one. */
  boolean isThere() {
    return refusal == null;
  }

  /** By what matrix products are done: cuBLAS, which and where, or why not. */
  String describe() {
    return isThere()
        ? "matrix products by cuBLAS %s (%s)".formatted(version, place)
        : "matrix products by Unroll's own kernels, without cuBLAS: " + refusal;
  }

  /** As {@code CUBLAS_STATUS_NOT_SUPPORTED (15)}. */
  static String name(int code) {
    return cublasStatus.stringFor(code) + " (" + code + ")";
  }

  private static CublasLibrary attempt() {
    String wanted = System.getProperty(PROPERTY);
    if ("false".equals(wanted)) {
      return missing("it is switched off by -D" + PROPERTY + "=false");
    }
    try {
      CublasLoading.load(wanted);
      // Codes are looked at here, so nothing is thrown as well.
      JCublas2.setExceptionsEnabled(false);
      return new CublasLibrary(askVersion(), loadedFrom(), null);
    } catch (IOException | LinkageError | RuntimeException e) {
      return missing(CublasLoading.explain(e));
    }
  }

  private static CublasLibrary missing(String why) {
    return new CublasLibrary(null, null, why);
  }

  private static String askVersion() {
    int[] parts = {
      libraryPropertyType.MAJOR_VERSION,
      libraryPropertyType.MINOR_VERSION,
      libraryPropertyType.PATCH_LEVEL
    };
    int[] value = new int[1];
    for (int i = 0; i < parts.length; i++) {
      require(JCublas2.cublasGetProperty(parts[i], value), "cublasGetProperty");
      parts[i] = value[0];
    }
    return "%d.%d.%d".formatted(parts[0], parts[1], parts[2]);
  }

  /**
   * For calls whose failure leaves the device as it was.
   *
   * @throws DeviceException if the code is not CUBLAS_STATUS_SUCCESS
   */
  static void require(int code, String call) {
    if (code != SUCCESS) {
      throw new DeviceException(call + " returned " + name(code));
    }
  }

  /** As the system tells, whoever has found it. */
  private static String loadedFrom() {
    try (Stream<String> mapped = Files.lines(Path.of("/proc/self/maps"))) {
      return mapped
          .filter(line -> line.contains("/libcublas.so."))
          .map(line -> line.substring(line.indexOf('/')))
          .findFirst()
          .orElse("found by the system");
    } catch (IOException e) {
      return "found by the system";
    }
  }
}
