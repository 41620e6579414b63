package io.unroll.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.IVersionProvider;

/** The version of this build, from the manifest of its jar, and its commit. */
final class Version implements IVersionProvider {
  /** Such as {@code 0.1.0}, or {@code development} when run from class files. */
  static String text() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /**
   * The commit that was built, as twelve digits, with {@code -dirty} behind them if files differed
   * from it; {@code unknown} if it was not built in a clone of git.
   */
  static String commit() {
    try (InputStream in = Version.class.getResourceAsStream("commit.txt")) {
      return in == null ? "unknown" : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String[] getVersion() {
    return new String[] {"unroll " + text()};
  }
}
