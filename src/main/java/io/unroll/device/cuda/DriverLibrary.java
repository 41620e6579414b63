package io.unroll.device.cuda;

import io.unroll.device.PrivateFolder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import jcuda.driver.JCudaDriver;

/**
 * Loads JCuda's native libraries. JCuda by itself writes them under fixed names into {@code
 * java.io.tmpdir} and takes what lies there already, whoever wrote it; here it finds a private
 * folder in that place. {@code java.library.path} comes first.
 */
final class DriverLibrary {
  private static final String PREFIX = "unroll-jcuda-";
  private static final String TEMPORARY = "java.io.tmpdir";

  /** Initializes a class of JCuda's, which then loads its library. */
  interface Loading {
    /**
     * @param folder where JCuda takes it from, or unpacks it to
     */
    void run(Path folder) throws IOException;
  }

  private DriverLibrary() {}

  /**
   * Loads that of the driver, and the driver with it.
   *
   * @throws IOException if it cannot be unpacked
   * @throws LinkageError if it, or the driver's own library, cannot be loaded
   */
  static void load() throws IOException {
    // Initializes the class. Codes are looked at here, so nothing is thrown as well.
    inPrivateFolder(folder -> JCudaDriver.setExceptionsEnabled(false));
  }

  /**
   * Lets JCuda load a library out of a folder that is deleted then.
   *
   * @throws IOException if there cannot be such a folder, or what the loading throws
   */
  static void inPrivateFolder(Loading loading) throws IOException {
    try (PrivateFolder folder = PrivateFolder.create(PREFIX)) {
      // Java remembers its own folder for temporary files at the first: that must not be ours.
      Files.delete(File.createTempFile(PREFIX, null, folder.path().toFile()).toPath());
      String before = System.setProperty(TEMPORARY, folder.path().toString());
      try {
        loading.run(folder.path());
      } finally {
        System.setProperty(TEMPORARY, before);
      }
    }
  }
}
