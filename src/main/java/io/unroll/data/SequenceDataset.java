package io.unroll.data;

import io.unroll.Philox;
import io.unroll.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * Sequences of differing lengths, of real vectors or of tokens, with or without targets, and how
 * they are grouped into batches. The arrays given to it are not copied: leave them alone. Immutable
 * otherwise.
 */
public final class SequenceDataset {
  /** Sets the shuffles apart from the dropout masks and samples drawn under the same seed. */
  private static final long SHUFFLE_STREAM = 0x53_48_55_46_46_4C_45_00L;

  /**
   * What is read: vectors or tokens, the other null. With next the last token of each sequence is
   * not read and each token but the first is the class of the step before it.
   */
  private record Source(
      List<float[][]> vectors, List<int[]> tokens, boolean incomplete, boolean next) {
    int length(int sequence) {
      return tokens == null
          ? vectors.get(sequence).length
          : tokens.get(sequence).length - (next ? 1 : 0);
    }
  }

  private final Source source;
  private final List<int[]> classes;
  private final List<float[][]> values;
  private final boolean perStep;

  private SequenceDataset(
      Source source, List<int[]> classes, List<float[][]> values, boolean perStep) {
    this.source = source;
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
    return ofVectors(sequences, false);
  }

  /**
   * As {@link #of}, where NaN, here and in target vectors, is a number that is missing. A {@link
   * Scaling} fills those of the inputs; those of the targets have weight 0 in {@link
   * SequenceBatch#valueWeights}.
   *
   * @throws ShapeException if one has another shape
   * @throws IllegalArgumentException if there are none, or a number is infinite
   */
  public static SequenceDataset ofIncomplete(List<float[][]> sequences) {
    return ofVectors(sequences, true);
  }

  private static SequenceDataset ofVectors(List<float[][]> sequences, boolean incomplete) {
    SequenceChecks.requireSteps(sequences.stream().mapToInt(sequence -> sequence.length));
    SequenceChecks.requireVectors("sequence", sequences, incomplete);
    Source source = new Source(List.copyOf(sequences), null, incomplete, false);
    return new SequenceDataset(source, null, null, false);
  }

  /**
   * Sequences of tokens without targets.
   *
   * @param sequences each with at least one token, from 0 up
   * @throws ShapeException if one is empty
   * @throws IllegalArgumentException if there are none, or a token is negative
   */
  public static SequenceDataset ofTokens(List<int[]> sequences) {
    SequenceChecks.requireSteps(sequences.stream().mapToInt(sequence -> sequence.length));
    return ofTokens(sequences, false);
  }

  /**
   * What a language model learns from: of each sequence all tokens but the last are read, and the
   * token after each is its class.
   *
   * @param sequences each with at least two tokens, from 0 up, such as {@link
   *     TokenVocabulary#encodeSentence} makes them
   * @throws ShapeException if one has fewer
   * @throws IllegalArgumentException if there are none, or a token is negative
   */
  public static SequenceDataset ofNextTokens(List<int[]> sequences) {
    SequenceChecks.requireSteps(
        sequences.stream().mapToInt(sequence -> Math.max(0, sequence.length - 1)));
    return ofTokens(sequences, true);
  }

  private static SequenceDataset ofTokens(List<int[]> sequences, boolean next) {
    SequenceChecks.requireTokens(sequences);
    Source source = new Source(null, List.copyOf(sequences), false, next);
    return new SequenceDataset(source, null, null, next);
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
    SequenceChecks.requireClasses(list);
    return new SequenceDataset(source, list, null, false);
  }

  /**
   * The same sequences with the class of one name each.
   *
   * @param labels one a sequence
   * @param names of the classes, in the order of their numbers
   * @throws ShapeException if there are fewer or more labels than sequences
   * @throws IllegalArgumentException if a label is no name
   */
  public SequenceDataset withLabels(List<String> labels, List<String> names) {
    int[] numbers = new int[labels.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = names.indexOf(labels.get(i));
      if (numbers[i] < 0) {
        throw new IllegalArgumentException(
            "sequence " + i + " has label \"" + labels.get(i) + "\", but there are " + names);
      }
    }
    return withClasses(numbers);
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
    SequenceChecks.requireClasses(classes);
    return new SequenceDataset(source, List.copyOf(classes), null, true);
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
    SequenceChecks.requireVectors("target of sequence", list, source.incomplete());
    return new SequenceDataset(source, null, list, false);
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
    SequenceChecks.requireVectors("target of sequence", values, source.incomplete());
    return new SequenceDataset(source, null, List.copyOf(values), true);
  }

  /** The number of sequences. */
  public int size() {
    return hasTokens() ? source.tokens().size() : source.vectors().size();
  }

  /** Whether the sequences are of tokens; else they are of vectors. */
  public boolean hasTokens() {
    return source.tokens() != null;
  }

  /** The size of an input vector, I; 0 for tokens. */
  public int features() {
    return hasTokens() ? 0 : source.vectors().get(0)[0].length;
  }

  /** The length of a sequence. */
  public int length(int sequence) {
    return source.length(sequence);
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
    return shuffled(seed, epoch, order -> cut(order, batch));
  }

  /**
   * As {@link #shuffled}, but bounded by what a batch costs instead of by its rows: short sequences
   * come in large batches, long ones in small. Every epoch has as many batches.
   *
   * @param paddedSteps at most so many steps, padding included: T*B of any batch; at least the
   *     length of the longest sequence
   * @param epoch from 0 up
   * @return the numbers of the sequences of each batch, for {@link #batch}
   * @throws IllegalArgumentException if a sequence is longer
   */
  public List<int[]> bucketed(int paddedSteps, long seed, int epoch) {
    for (int i = 0; i < size(); i++) {
      if (length(i) > paddedSteps) {
        throw new IllegalArgumentException(
            "sequence "
                + i
                + " has "
                + length(i)
                + " steps, but a batch may have "
                + paddedSteps
                + ". Allow more, or cut the sequence.");
      }
    }
    return shuffled(seed, epoch, order -> cutByCost(order, paddedSteps));
  }

  private List<int[]> shuffled(long seed, int epoch, Function<Integer[], List<int[]>> cutting) {
    if (epoch < 0) {
      throw new IllegalArgumentException("epoch must be at least 0, but is " + epoch);
    }
    Integer[] order = numbers();
    long position = shuffle(Arrays.asList(order), seed, (long) epoch << 32);
    Arrays.sort(order, Comparator.comparingInt(this::length));
    List<int[]> batches = cutting.apply(order);
    shuffle(batches, seed, position);
    return batches;
  }

  /** From the longest down, so that only the batch of the shortest may have room left. */
  private List<int[]> cutByCost(Integer[] order, int paddedSteps) {
    List<int[]> batches = new ArrayList<>();
    for (int to = order.length; to > 0; ) {
      int from = Math.max(0, to - paddedSteps / length(order[to - 1]));
      batches.add(Arrays.stream(order, from, to).mapToInt(Integer::intValue).toArray());
      to = from;
    }
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
    SequenceBatch.Targets targets = targets(rows, lengths[0]);
    if (hasTokens()) {
      int[] tokens = paddedInts(source.tokens(), rows, lengths[0], 0);
      return new SequenceBatch(null, 0, tokens, lengths, rows, targets);
    }
    float[] inputs = padded(source.vectors(), rows, lengths[0], features());
    return new SequenceBatch(inputs, features(), null, lengths, rows, targets);
  }

  private SequenceBatch.Targets targets(int[] rows, int longest) {
    int steps = perStep ? longest : 1;
    if (classes != null) {
      return new SequenceBatch.Targets(steps, paddedInts(classes, rows, steps, 0), 0, null);
    }
    if (values != null) {
      int size = values.get(0)[0].length;
      return new SequenceBatch.Targets(steps, null, size, padded(values, rows, steps, size));
    }
    if (source.next()) {
      return new SequenceBatch.Targets(steps, paddedInts(source.tokens(), rows, steps, 1), 0, null);
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

  /** The numbers of each row from a place on, as many as the row has steps or the target has. */
  private int[] paddedInts(List<int[]> numbers, int[] rows, int steps, int from) {
    int[] out = new int[arrayLength(steps, rows.length, 1)];
    Arrays.fill(out, SequenceBatch.IGNORE);
    for (int b = 0; b < rows.length; b++) {
      int[] row = numbers.get(rows[b]);
      for (int t = 0; t < Math.min(steps, length(rows[b])); t++) {
        out[t * rows.length + b] = row[from + t];
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
}
