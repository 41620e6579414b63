package io.unroll.device.cuda;

import io.unroll.device.PrivateFolder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import jcuda.driver.JCudaDriver;

/**
 * Loads JCuda's native library. JCuda by itself writes it under a fixed name into {@code
 * java.io.tmpdir} and takes what lies there already, whoever wrote it; here it finds a private
 * folder in that place. {@code java.library.path} comes first.
 */
final class DriverLibrary {
  private static final String PREFIX = "unroll-jcuda-";
  private static final String TEMPORARY = "java.io.tmpdir";

  private DriverLibrary() {}

  /**
   * Loads it, and the driver with it.
   *
   * @throws IOException if it cannot be unpacked
   * @throws LinkageError if it, or the driver's own library, cannot be loaded
   */
  static void load() throws IOException {
    try (PrivateFolder folder = PrivateFolder.create(PREFIX)) {
      // Java remembers its own folder for temporary files at the first: that must not be ours.
      Files.delete(File.createTempFile(PREFIX, null, folder.path().toFile()).toPath());
      String before = System.setProperty(TEMPORARY, folder.path().toString());
      try {
        // Initializes the class. Codes are looked at here, so nothing is thrown as well.
        JCudaDriver.setExceptionsEnabled(false);
      } finally {
        System.setProperty(TEMPORARY, before);
      }
    }
  }
}
