package io.unroll.device;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Measures what a device can do at best, each thing by itself: copies, products, and what it costs
 * that groups wait for one another. Models of kernels are held against these figures.
 */
public interface DeviceCeilings {
  /**
   * Measures one row after the other. What cannot be measured is a row that says why. Takes memory
   * of the device and gives it back.
   *
   * @param seconds how long each row is measured at least
   * @param wanted whether rows of a name are measured; others are left out
   * @param each gets every row as soon as it is there
   */
  void measure(double seconds, Predicate<String> wanted, Consumer<Row> each);

  /** What a reader of the figures must know, such as that they mean nothing; null for nothing. */
  String caution();

  /** How a row came out. */
  enum Outcome {
    /** It has figures, and what was computed or handed over meanwhile was right. */
    MEASURED,
    /** It is a question, and the answer is yes. */
    PASSED,
    /** Something that was computed or handed over was wrong, or did not come. */
    FAILED,
    /** This device or this build cannot do it. */
    NOT_RUN
  }

  /**
   * A ceiling, or a question to the device.
   *
   * @param name such as {@code grid_sync}
   * @param variant such as {@code 66 blocks}
   * @param unit of the figures, empty where there are none
   * @param figures what was found each time, ascending; empty unless the outcome is MEASURED
   * @param outcome how it came out
   * @param why what was wrong or is missing; null if nothing
   */
  record Row(
      String name, String variant, String unit, List<Double> figures, Outcome outcome, String why) {
    /** Copies the figures. */
    public Row {
      figures = List.copyOf(figures);
    }
  }

  /**
   * What a device answers when asked for its ceilings.
   *
   * @param ceilings the measurement, or null
   * @param refusal why there is none; null if there is one
   */
  record Offer(DeviceCeilings ceilings, String refusal) {
    /** An offer to measure. */
    public static Offer of(DeviceCeilings ceilings) {
      return new Offer(ceilings, null);
    }

    /** A refusal, in words for the user. */
    public static Offer refused(String why) {
      return new Offer(null, why);
    }
  }
}
