package io.unroll;

/**
 * Philox 4x32-10, a random number generator that is a function of a key and a counter: Salmon et
 * al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Integer arithmetic only, so every
 * device draws the same numbers in whatever order it computes them.
 */
public final class Philox {
  private static final int MULTIPLIER_0 = 0xD2511F53;
  private static final int MULTIPLIER_1 = 0xCD9E8D57;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private Philox() {}

  /**
   * The number at a position of the stream of a seed: word {@code position % 4} of block {@code
   * position / 4}, whose counter is (low half, high half, 0, 0) and whose key is the seed.
   *
   * @param seed names the stream
   * @param position at least 0
   * @return 32 random bits
   */
  public static int bits(long seed, long position) {
    long block = position >>> 2;
    int c0 = (int) block;
    int c1 = (int) (block >>> 32);
    int c2 = 0;
    int c3 = 0;
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = (MULTIPLIER_0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
      long p1 = (MULTIPLIER_1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
      int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c1 = (int) p1;
      c3 = (int) p0;
      c0 = n0;
      c2 = n2;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    return switch ((int) (position & 3)) {
      case 0 -> c0;
      case 1 -> c1;
      case 2 -> c2;
      default -> c3;
    };
  }

  /**
   * The same number as a float in [0, 1): the upper 24 bits times 2^-24, exact in float32.
   *
   * @param seed names the stream
   * @param position at least 0
   */
  public static float uniform(long seed, long position) {
    return (bits(seed, position) >>> 8) * 0x1p-24f;
  }
}
