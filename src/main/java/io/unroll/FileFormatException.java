package io.unroll;

import java.io.IOException;

/** A file can be read but does not hold what its format demands. Nothing of it was used. */
public final class FileFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  /** The path or name of the file. */
  private final String file;

  /**
   * @param file the file's path or name; where lines count, with :LINE:COLUMN behind it
   * @param problem what is wrong, what was found, what is allowed; without a full stop
   * @param cure what to do about it, in whole sentences
   */
  public FileFormatException(String file, String problem, String cure) {
    this(file, problem, cure, null);
  }

  /**
   * @param file the file's path or name; where lines count, with :LINE:COLUMN behind it
   * @param problem what is wrong, what was found, what is allowed; without a full stop
   * @param cure what to do about it, in whole sentences
   * @param cause what the reader ran into, or null
   */
  public FileFormatException(String file, String problem, String cure, Throwable cause) {
    super(file + ": " + problem + ". " + cure, cause);
    this.file = file;
  }

  /** The path or name of the file that was refused, as it was given here. */
  public String file() {
    return file;
  }
}
