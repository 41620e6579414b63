package io.unroll.cli;

import java.io.Console;
import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far a run is: a bar on a terminal, else a line now and then. */
final class ProgressDisplay implements AutoCloseable {
  private static final double SECONDS_BETWEEN_LINES = 10;

  private final PrintWriter out;
  private final ProgressBar bar;
  private final String unit;
  private final long total;
  private double lastLine;

  /**
   * @param total what is to be done in all
   * @param unit of total and of the places given to {@link #show}
   * @param quiet whether to show nothing
   */
  ProgressDisplay(PrintWriter out, long total, String unit, boolean quiet) {
    this.out = quiet ? null : out;
    this.total = total;
    this.unit = unit;
    this.bar = !quiet && isTerminal() ? bar(total, unit) : null;
  }

  private static ProgressBar bar(long total, String unit) {
    return new ProgressBarBuilder()
        .setTaskName("train")
        .setInitialMax(total)
        .setUnit(" " + unit, 1)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(500)
        .build();
  }

  /** Whether a person is looking; from Java 22 on there is a console even where nobody is. */
  @SuppressWarnings("SystemConsoleNull") // asked on Java 17 to 21 as well
  static boolean isTerminal() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException before22) {
      return true;
    }
  }

  /** Shows a place and a message. */
  void show(long place, double seconds, String message) {
    if (bar != null) {
      bar.stepTo(place);
      bar.setExtraMessage(message);
    } else if (out != null && seconds - lastLine >= SECONDS_BETWEEN_LINES) {
      lastLine = seconds;
      double left = place == 0 ? 0 : seconds * (total - place) / place;
      out.printf("%d/%d %s, %s, %.0f s left%n", place, total, unit, message, Math.max(0, left));
      out.flush();
    }
  }

  /** Prints text between two views of the bar. */
  void print(String text) {
    if (out == null) {
      return;
    }
    if (bar != null) {
      bar.pause();
      out.println();
    }
    out.println(text);
    out.flush();
    if (bar != null) {
      bar.resume();
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
