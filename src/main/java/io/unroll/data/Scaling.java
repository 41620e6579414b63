package io.unroll.data;

import io.unroll.ShapeException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What is done to measured numbers before a network sees them: each feature is shifted and scaled
 * to mean 0 and standard deviation 1, and missing numbers, which are NaN, are filled. Immutable.
 *
 * <p>It belongs to a model as its weights do: fit it on the training data only, and let {@code
 * Model} keep it.
 *
 * @param names of the features, for messages and to find columns by
 * @param means of the known numbers of each feature
 * @param deviations above 0, of each feature; 1 for one that never changes
 * @param missing what to do about NaN
 * @param marked whether the network also sees which numbers were missing
 */
public record Scaling(
    List<String> names, double[] means, double[] deviations, Missing missing, boolean marked) {
  /** What becomes of a missing number. */
  public enum Missing {
    /** It is an error. */
    REFUSED,
    /** It is taken to be the feature's mean. */
    MEAN,
    /** It is taken to be the last known number of its sequence; before that, the mean. */
    LAST
  }

  /**
   * Checks that the parts fit.
   *
   * @throws ShapeException if the lengths differ or are 0
   * @throws IllegalArgumentException if a mean is not finite, or a deviation not above 0
   */
  public Scaling {
    names = List.copyOf(names);
    means = means.clone();
    deviations = deviations.clone();
    if (names.isEmpty() || means.length != names.size() || deviations.length != names.size()) {
      throw new ShapeException(
          "a scaling needs a name, a mean and a deviation for each feature, but has "
              + names.size()
              + ", "
              + means.length
              + " and "
              + deviations.length);
    }
    for (int i = 0; i < means.length; i++) {
      if (!Double.isFinite(means[i]) || !(deviations[i] > 0) || deviations[i] > Double.MAX_VALUE) {
        throw new IllegalArgumentException(
            "feature \""
                + names.get(i)
                + "\" needs a finite mean and a deviation above 0, but has "
                + means[i]
                + " and "
                + deviations[i]);
      }
    }
  }

  /**
   * Leaves numbers as they are.
   *
   * @param names of the features
   */
  public static Scaling none(String... names) {
    double[] ones = new double[names.length];
    Arrays.fill(ones, 1);
    return new Scaling(List.of(names), new double[names.length], ones, Missing.REFUSED, false);
  }

  /**
   * The scaling that gives the known numbers of these sequences mean 0 and deviation 1.
   *
   * @param sequences each [steps][features]; NaN is missing
   * @param names of the features; none to number them
   * @throws ShapeException if vectors have other sizes than names
   * @throws IllegalArgumentException if a number is infinite, or a feature is missing everywhere
   */
  public static Scaling fit(List<float[][]> sequences, String... names) {
    List<String> all = List.of(names);
    if (all.isEmpty() && !sequences.isEmpty() && sequences.get(0).length > 0) {
      int features = sequences.get(0)[0].length;
      all = IntStream.range(0, features).mapToObj(Integer::toString).toList();
    }
    Moments[] moments = new Moments[all.size()];
    Arrays.setAll(moments, i -> new Moments());
    for (float[][] sequence : sequences) {
      for (float[] vector : sequence) {
        if (vector.length != moments.length) {
          throw new ShapeException(
              "each vector must hold the features "
                  + all
                  + ", "
                  + moments.length
                  + " numbers, but one holds "
                  + vector.length);
        }
        for (int i = 0; i < vector.length; i++) {
          moments[i].add(all.get(i), vector[i]);
        }
      }
    }
    for (int i = 0; i < moments.length; i++) {
      if (moments[i].count == 0) {
        throw new IllegalArgumentException(
            "feature \"" + all.get(i) + "\" has no known number. Leave it out.");
      }
    }
    return new Scaling(
        all,
        Arrays.stream(moments).mapToDouble(m -> m.mean).toArray(),
        Arrays.stream(moments).mapToDouble(Moments::deviation).toArray(),
        Missing.REFUSED,
        false);
  }

  /** The same with missing numbers filled. */
  public Scaling withMissing(Missing filled) {
    return new Scaling(names, means, deviations, filled, marked);
  }

  /**
   * The same with as many numbers again behind the features: 1 where the feature was missing, else
   * 0. Only inputs can be marked.
   */
  public Scaling withMarks() {
    return new Scaling(names, means, deviations, missing, true);
  }

  /** The number of features. */
  public int features() {
    return names.size();
  }

  /** Numbers that the network sees at each step: the features, and their marks if there are any. */
  public int inputSize() {
    return marked ? 2 * features() : features();
  }

  /**
   * Scales a batch of sequences.
   *
   * @param values [T, B, features], time-major, as {@link SequenceBatch} has them; not changed
   * @param lengths valid steps of each row [B]
   * @param scaled receives [T, B, inputSize()]; zeros past a row's length; may be longer
   * @throws IllegalArgumentException if a number is missing and that is refused
   * @throws ShapeException if an array is too short
   */
  public void apply(float[] values, int[] lengths, float[] scaled) {
    int batch = lengths.length;
    int steps = values.length / (batch * features());
    int size = inputSize();
    if (values.length != steps * batch * features() || scaled.length < steps * batch * size) {
      throw new ShapeException(
          "values must be [T,B,features] = [T,"
              + batch
              + ","
              + features()
              + "] and scaled hold [T,B,"
              + size
              + "], but hold "
              + values.length
              + " and "
              + scaled.length
              + " numbers");
    }
    Arrays.fill(scaled, 0, steps * batch * size, 0);
    for (int b = 0; b < batch; b++) {
      for (int i = 0; i < features(); i++) {
        float last = 0;
        for (int t = 0; t < lengths[b]; t++) {
          float value = values[(t * batch + b) * features() + i];
          int at = (t * batch + b) * size + i;
          if (Float.isNaN(value)) {
            requireFilled(b, t, i);
            scaled[at] = missing == Missing.LAST ? last : 0;
            if (marked) {
              scaled[at + features()] = 1;
            }
          } else {
            scaled[at] = last = scale(value, i);
          }
        }
      }
    }
  }

  private void requireFilled(int row, int step, int feature) {
    if (missing == Missing.REFUSED) {
      throw new IllegalArgumentException(
          "feature \""
              + names.get(feature)
              + "\" is missing in row "
              + row
              + " at step "
              + step
              + ". Fill it with Scaling.withMissing, or leave that sequence out.");
    }
  }

  /**
   * A number of a feature as the network sees it.
   *
   * @param feature in [0, features())
   */
  public float scale(float value, int feature) {
    return (float) ((value - means[feature]) / deviations[feature]);
  }

  /**
   * What a scaled number was: the inverse of {@link #scale}.
   *
   * @param feature in [0, features())
   */
  public float unscale(float value, int feature) {
    return (float) (value * deviations[feature] + means[feature]);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Scaling that
        && names.equals(that.names)
        && Arrays.equals(means, that.means)
        && Arrays.equals(deviations, that.deviations)
        && missing == that.missing
        && marked == that.marked;
  }

  @Override
  public int hashCode() {
    return 31 * names.hashCode() + Arrays.hashCode(means);
  }

  /** Mean and deviation in one pass: Welford, Technometrics 4(3), 1962. */
  private static final class Moments {
    private long count;
    private double mean;
    private double squares;

    void add(String name, float value) {
      if (Float.isNaN(value)) {
        return;
      }
      if (Float.isInfinite(value)) {
        throw new IllegalArgumentException(
            "feature \"" + name + "\" holds " + value + ". Give NaN for what is missing.");
      }
      count++;
      double before = value - mean;
      mean += before / count;
      squares += before * (value - mean);
    }

    double deviation() {
      double deviation = Math.sqrt(squares / count);
      return deviation > 0 ? deviation : 1;
    }
  }
}
