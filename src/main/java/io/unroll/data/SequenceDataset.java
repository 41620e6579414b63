package io.unroll.data;

import io.unroll.Philox;
import io.unroll.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Sequences of real vectors of differing lengths, with or without targets, and how they are grouped
 * into batches. The arrays given to it are not copied: leave them alone. Immutable otherwise.
 */
public final class SequenceDataset {
  /** Sets the shuffles apart from the dropout masks and samples drawn under the same seed. */
  private static final long SHUFFLE_STREAM = 0x53_48_55_46_46_4C_45_00L;

  private final List<float[][]> sequences;
  private final int features;
  private final List<int[]> classes;
  private final List<float[][]> values;
  private final boolean perStep;

  private SequenceDataset(
      List<float[][]> sequences,
      int features,
      List<int[]> classes,
      List<float[][]> values,
      boolean perStep) {
    this.sequences = sequences;
    this.features = features;
    this.classes = classes;
    this.values = values;
    this.perStep = perStep;
  }

  /**
   * Sequences without targets.
   *
   * @param sequences each [steps][features]: at least one step, the same number of features
   *     everywhere, finite numbers
   * @throws ShapeException if one has another shape
   * @throws IllegalArgumentException if there are none, or a number is NaN or infinite
   */
  public static SequenceDataset of(List<float[][]> sequences) {
    if (sequences.isEmpty()) {
      throw new IllegalArgumentException("a dataset needs at least one sequence, but got none");
    }
    for (int i = 0; i < sequences.size(); i++) {
      if (sequences.get(i).length == 0) {
        throw new ShapeException("sequence " + i + " has no steps. Leave it out.");
      }
    }
    int features = requireVectors("sequence", sequences);
    return new SequenceDataset(List.copyOf(sequences), features, null, null, false);
  }

  /**
   * The same sequences with one class each.
   *
   * @param classes one a sequence: from 0 up, or {@link SequenceBatch#IGNORE}
   * @throws ShapeException if there are fewer or more than sequences
   * @throws IllegalArgumentException if a class is another negative number
   */
  public SequenceDataset withClasses(int[] classes) {
    requireCount("classes", classes.length);
    List<int[]> list = new ArrayList<>();
    for (int label : classes) {
      list.add(new int[] {label});
    }
    requireClasses(list);
    return new SequenceDataset(sequences, features, list, null, false);
  }

  /**
   * The same sequences with one class for each step.
   *
   * @param classes one array a sequence, as long as the sequence: from 0 up, or {@link
   *     SequenceBatch#IGNORE}
   * @throws ShapeException if the lengths differ from the sequences'
   * @throws IllegalArgumentException if a class is another negative number
   */
  public SequenceDataset withStepClasses(List<int[]> classes) {
    requireCount("arrays of classes", classes.size());
    for (int i = 0; i < classes.size(); i++) {
      requireSteps("classes", i, classes.get(i).length);
    }
    requireClasses(classes);
    return new SequenceDataset(sequences, features, List.copyOf(classes), null, true);
  }

  /**
   * The same sequences with one target vector each.
   *
   * @param values one a sequence, all of the same size, finite
   * @throws ShapeException if their number or sizes are wrong
   * @throws IllegalArgumentException if a number is NaN or infinite
   */
  public SequenceDataset withValues(List<float[]> values) {
    requireCount("target vectors", values.size());
    List<float[][]> list = new ArrayList<>();
    for (float[] vector : values) {
      list.add(new float[][] {vector});
    }
    requireVectors("target of sequence", list);
    return new SequenceDataset(sequences, features, null, list, false);
  }

  /**
   * The same sequences with one target vector for each step.
   *
   * @param values one [steps][size] a sequence, as long as the sequence, finite
   * @throws ShapeException if their lengths or sizes are wrong
   * @throws IllegalArgumentException if a number is NaN or infinite
   */
  public SequenceDataset withStepValues(List<float[][]> values) {
    requireCount("arrays of target vectors", values.size());
    for (int i = 0; i < values.size(); i++) {
      requireSteps("target vectors", i, values.get(i).length);
    }
    requireVectors("target of sequence", values);
    return new SequenceDataset(sequences, features, null, List.copyOf(values), true);
  }

  /** The number of sequences. */
  public int size() {
    return sequences.size();
  }

  /** The size of an input vector, I. */
  public int features() {
    return features;
  }

  /** The length of a sequence. */
  public int length(int sequence) {
    return sequences.get(sequence).length;
  }

  /**
   * The batches of an epoch: sequences of similar length together, so that little is padding, in a
   * random order of batches. Sequences of equal length are distributed at random. The same seed and
   * epoch give the same batches everywhere.
   *
   * @param batch B, at least 1; the batch with the longest sequences may be smaller
   * @param epoch from 0 up
   * @return the numbers of the sequences of each batch, for {@link #batch}
   */
  public List<int[]> shuffled(int batch, long seed, int epoch) {
    if (epoch < 0) {
      throw new IllegalArgumentException("epoch must be at least 0, but is " + epoch);
    }
    Integer[] order = numbers();
    long position = shuffle(Arrays.asList(order), seed, (long) epoch << 32);
    Arrays.sort(order, Comparator.comparingInt(this::length));
    List<int[]> batches = cut(order, batch);
    shuffle(batches, seed, position);
    return batches;
  }

  /**
   * The batches in the order of the dataset, for evaluation.
   *
   * @param batch B, at least 1; the last batch may be smaller
   * @return the numbers of the sequences of each batch, for {@link #batch}
   */
  public List<int[]> inOrder(int batch) {
    return cut(numbers(), batch);
  }

  /**
   * Copies sequences and their targets into a padded batch, longest first; those of equal length
   * stay in the order given.
   *
   * @param numbers which sequences, in [0, size()); not changed
   * @throws IndexOutOfBoundsException if there is no such sequence
   * @throws IllegalArgumentException if there are none, or too many for a Java array
   */
  public SequenceBatch batch(int[] numbers) {
    if (numbers.length == 0) {
      throw new IllegalArgumentException("a batch needs at least one sequence, but got none");
    }
    int[] rows =
        Arrays.stream(numbers)
            .boxed()
            .sorted(Comparator.comparingInt(this::length).reversed())
            .mapToInt(Integer::intValue)
            .toArray();
    int[] lengths = Arrays.stream(rows).map(this::length).toArray();
    float[] inputs = padded(sequences, rows, lengths[0], features);
    return new SequenceBatch(inputs, features, lengths, rows, targets(rows, lengths[0]));
  }

  private SequenceBatch.Targets targets(int[] rows, int longest) {
    int steps = perStep ? longest : 1;
    if (classes != null) {
      return new SequenceBatch.Targets(steps, paddedClasses(rows, steps), 0, null);
    }
    if (values != null) {
      int size = values.get(0)[0].length;
      return new SequenceBatch.Targets(steps, null, size, padded(values, rows, steps, size));
    }
    return null;
  }

  private static float[] padded(List<float[][]> source, int[] rows, int steps, int size) {
    float[] out = new float[arrayLength(steps, rows.length, size)];
    for (int b = 0; b < rows.length; b++) {
      float[][] vectors = source.get(rows[b]);
      for (int t = 0; t < vectors.length; t++) {
        System.arraycopy(vectors[t], 0, out, (t * rows.length + b) * size, size);
      }
    }
    return out;
  }

  private int[] paddedClasses(int[] rows, int steps) {
    int[] out = new int[arrayLength(steps, rows.length, 1)];
    Arrays.fill(out, SequenceBatch.IGNORE);
    for (int b = 0; b < rows.length; b++) {
      int[] labels = classes.get(rows[b]);
      for (int t = 0; t < labels.length; t++) {
        out[t * rows.length + b] = labels[t];
      }
    }
    return out;
  }

  private static int arrayLength(int steps, int batch, int size) {
    try {
      return Math.multiplyExact(Math.multiplyExact(steps, batch), size);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "a batch of "
              + steps
              + " x "
              + batch
              + " x "
              + size
              + " numbers exceeds a Java array. Use a smaller batch or shorter sequences.",
          e);
    }
  }

  private Integer[] numbers() {
    Integer[] numbers = new Integer[size()];
    Arrays.setAll(numbers, i -> i);
    return numbers;
  }

  private static List<int[]> cut(Integer[] order, int batch) {
    if (batch < 1) {
      throw new IllegalArgumentException("batch must be at least 1, but is " + batch);
    }
    List<int[]> batches = new ArrayList<>();
    for (int from = 0; from < order.length; from += batch) {
      int to = Math.min(order.length, from + batch);
      batches.add(Arrays.stream(order, from, to).mapToInt(Integer::intValue).toArray());
    }
    return batches;
  }

  /** Fisher and Yates; returns the position of the generator after it. */
  private static <E> long shuffle(List<E> list, long seed, long position) {
    for (int i = list.size() - 1; i > 0; i--) {
      long bits = Philox.bits(seed ^ SHUFFLE_STREAM, position++) & 0xFFFFFFFFL;
      // The high half of the product is uniform in [0, i] but for a bias below i * 2^-32.
      Collections.swap(list, i, (int) ((bits * (i + 1L)) >>> 32));
    }
    return position;
  }

  private void requireCount(String what, int count) {
    if (count != size()) {
      throw new ShapeException(
          "there are " + size() + " sequences, but " + count + " " + what + ". Give one for each.");
    }
  }

  private void requireSteps(String what, int sequence, int steps) {
    if (steps != length(sequence)) {
      throw new ShapeException(
          "sequence "
              + sequence
              + " has "
              + length(sequence)
              + " steps, but "
              + steps
              + " "
              + what
              + ". Give one for each step.");
    }
  }

  private static void requireClasses(List<int[]> classes) {
    for (int i = 0; i < classes.size(); i++) {
      for (int label : classes.get(i)) {
        if (label < 0 && label != SequenceBatch.IGNORE) {
          throw new IllegalArgumentException(
              "sequence "
                  + i
                  + " has class "
                  + label
                  + ", but classes count from 0; only "
                  + SequenceBatch.IGNORE
                  + " is allowed below, for a step without one");
        }
      }
    }
  }

  /** Checks that all vectors have one size and finite numbers; returns the size. */
  private static int requireVectors(String what, List<float[][]> all) {
    int size = all.get(0)[0].length;
    if (size == 0) {
      throw new ShapeException(what + " 0 has vectors of size 0, but needs at least 1");
    }
    for (int i = 0; i < all.size(); i++) {
      float[][] vectors = all.get(i);
      for (int t = 0; t < vectors.length; t++) {
        requireVector(what, i, t, vectors[t], size);
      }
    }
    return size;
  }

  private static void requireVector(String what, int number, int t, float[] vector, int size) {
    if (vector.length != size) {
      throw new ShapeException(
          String.format(
              "%s %d, step %d has %d numbers, but the first vector has %d. Give all the same.",
              what, number, t, vector.length, size));
    }
    for (int i = 0; i < size; i++) {
      if (!Float.isFinite(vector[i])) {
        throw new IllegalArgumentException(
            String.format(
                "%s %d, step %d, number %d is %s. Replace or leave out what is not finite.",
                what, number, t, i, vector[i]));
      }
    }
  }
}
