package io.unroll.device.opencl;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.BackendUnavailableException;

/** What {@link LoaderTest} lets a process of its own do: look for OpenCL, twice, and open it. */
public final class OpenClProcess {
  private OpenClProcess() {}

  /** Prints what it finds, one line each. */
  public static void main(String[] args) {
    for (int i = 0; i < 2; i++) {
      for (Backend.Availability found : Backend.list()) {
        if (found.name().equals("opencl")) {
          System.out.println((found.available() ? "available: " : "missing: ") + found.detail());
        }
      }
    }
    try (Backend backend = Backend.open("opencl")) {
      System.out.println("opened: " + backend.description());
    } catch (BackendUnavailableException e) {
      System.out.println("refused: " + e.getMessage());
    }
    try (Backend backend = Backend.openBest(BackendOptions.DEFAULT, OpenClProcess::print)) {
      backend.synchronize();
    }
  }

  private static void print(String line) {
    System.out.println(line);
  }
}
