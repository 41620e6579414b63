package io.unroll.device.cpu;

import io.unroll.BackendUnavailableException;
import java.nio.file.Path;

/** Loads the native library, once a process, and remembers why if it cannot. */
final class NativeLibrary {
  private static final String FILE = "unroll.cpu.library";

  private NativeLibrary() {}

  /** Initialized, and the library with it, by the first question. */
  private static final class Attempt {
    static final String REFUSAL = attempt();
  }

  /** Null if the native library can be used here, else why not and what cures it. */
  static String refusal() {
    return Attempt.REFUSAL;
  }

  /**
   * Makes the methods of {@link Native} callable.
   *
   * @throws BackendUnavailableException if {@link #refusal} is not null
   */
  static void load() {
    if (refusal() != null) {
      throw new BackendUnavailableException(
          "the native library of backend \"cpu\" is unavailable: " + refusal());
    }
  }

  private static String attempt() {
    String file = System.getProperty(FILE);
    if (file == null) {
      return "no file is named with -D" + FILE;
    }
    try {
      System.load(Path.of(file).toAbsolutePath().toString());
      return Native.bestIsa() == null ? Native.missing() : null;
    } catch (LinkageError e) {
      return e.getMessage();
    }
  }
}
