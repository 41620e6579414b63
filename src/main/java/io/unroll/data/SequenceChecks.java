package io.unroll.data;

import io.unroll.ShapeException;
import java.util.List;
import java.util.stream.IntStream;

/** What sequences and their targets must be, before a {@link SequenceDataset} takes them. */
final class SequenceChecks {
  private SequenceChecks() {}

  static void requireSteps(IntStream lengths) {
    int[] all = lengths.toArray();
    if (all.length == 0) {
      throw new IllegalArgumentException("a dataset needs at least one sequence, but got none");
    }
    for (int i = 0; i < all.length; i++) {
      if (all[i] == 0) {
        throw new ShapeException("sequence " + i + " has no steps. Leave it out.");
      }
    }
  }

  static void requireTokens(List<int[]> sequences) {
    for (int i = 0; i < sequences.size(); i++) {
      for (int token : sequences.get(i)) {
        if (token < 0) {
          throw new IllegalArgumentException(
              "sequence " + i + " has token " + token + ", but tokens count from 0");
        }
      }
    }
  }

  static void requireClasses(List<int[]> classes) {
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

  /** Checks that all vectors have one size, and finite numbers or, where allowed, NaN. */
  static void requireVectors(String what, List<float[][]> all, boolean incomplete) {
    int size = all.get(0)[0].length;
    if (size == 0) {
      throw new ShapeException(what + " 0 has vectors of size 0, but needs at least 1");
    }
    for (int i = 0; i < all.size(); i++) {
      float[][] vectors = all.get(i);
      for (int t = 0; t < vectors.length; t++) {
        requireSize(what, i, t, vectors[t], size);
        requireNumbers(what, i, t, vectors[t], incomplete);
      }
    }
  }

  private static void requireSize(String what, int number, int t, float[] vector, int size) {
    if (vector.length != size) {
      throw new ShapeException(
          String.format(
              "%s %d, step %d has %d numbers, but the first vector has %d. Give all the same.",
              what, number, t, vector.length, size));
    }
  }

  private static void requireNumbers(
      String what, int number, int t, float[] vector, boolean incomplete) {
    for (int i = 0; i < vector.length; i++) {
      if (!Float.isFinite(vector[i]) && !(incomplete && Float.isNaN(vector[i]))) {
        throw new IllegalArgumentException(
            String.format(
                "%s %d, step %d, number %d is %s. Replace or leave out what is not finite%s.",
                what, number, t, i, vector[i], incomplete ? "" : ", or take ofIncomplete"));
      }
    }
  }
}
