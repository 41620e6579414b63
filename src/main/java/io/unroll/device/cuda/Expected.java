package io.unroll.device.cuda;

import java.util.stream.IntStream;

/** What the kernels of {@link Ceilings} must leave, computed on the host. Integers wrap. */
final class Expected {
  private Expected() {}

  /** 0, 1, 2 and so on. */
  static int[] counting(int length) {
    return IntStream.range(0, length).toArray();
  }

  /** Whole numbers from -4 to 4, which every precision holds and whose sums are exact. */
  static float[] factors(int length, int stride) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (int) ((long) i * i * stride + i) % 9 - 4;
    }
    return values;
  }

  /** What lanes have added up that read so many vectors of 0, 1, 2 and so on: see read_kernel. */
  static int[] read(int groups, int group, int vector, int vectors, int rounds) {
    int[] lanes = new int[group];
    for (int i = 0; i < vector * vectors; i++) {
      lanes[i / vector % group] += rounds * i;
    }
    return IntStream.range(0, groups * group).map(i -> lanes[i % group]).toArray();
  }

  /** A sum of products, of elements so far apart. */
  static float dot(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += (double) a[aAt + i * aStride] * b[bAt + i * bStride];
    }
    return (float) sum;
  }

  /**
   * What is left in rings of so many where everybody takes the next one's word in each step and
   * adds 1; they begin with their numbers.
   */
  static int[] ring(int rings, int length, long steps) {
    int[] values = new int[rings * length];
    for (int i = 0; i < values.length; i++) {
      int next = (int) ((i % length + steps) % length);
      values[i] = i / length * length + next + (int) steps;
    }
    return values;
  }

  /**
   * What every lane has added up where each group publishes words to all: see {@code words_kernel}.
   */
  static int[] published(int groups, int group, int published, int steps) {
    int count = published * groups;
    int[] words = counting(count);
    int[] sums = new int[group];
    for (int step = 0; step < steps; step++) {
      int[] taken = new int[group];
      for (int i = 0; i < count; i++) {
        taken[i % group] += words[i];
      }
      for (int lane = 0; lane < group; lane++) {
        sums[lane] = 3 * sums[lane] + taken[lane];
      }
      for (int i = 0; i < count; i++) {
        words[i] = taken[i % published] + 1;
      }
    }
    return IntStream.range(0, groups * group).map(i -> sums[i % group]).toArray();
  }

  /** What lanes of a cluster have handed to one another: see {@code clusters.h}. */
  static int[] exchanged(int cluster, int group, int steps) {
    int share = group / cluster;
    int[] values = counting(cluster * group);
    for (int step = 0; step < steps; step++) {
      int[] next = new int[values.length];
      for (int i = 0; i < values.length; i++) {
        int rank = i / group;
        int lane = i % group;
        next[i] = values[lane / share * group + rank + cluster * (lane % share)] + 1;
      }
      values = next;
    }
    return values;
  }

  /** What lies in the memory of each group, or was added up, after vectors were moved. */
  static int[] moved(int cluster, int groups, int group, int vectors, boolean loads, int steps) {
    int[] sums = new int[groups * group];
    for (int i = 0; i < sums.length; i++) {
      int of = i / group;
      int other = of / cluster * cluster + (of + (loads ? 1 : cluster - 1)) % cluster;
      for (int v = 0; v < vectors; v++) {
        int mixed = 3 * other + 5 * (i % group) + 7 * v;
        sums[i] += loads ? steps * mixed : steps - 1 + mixed;
      }
    }
    return sums;
  }
}
