package io.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PhiloxTest {
  @Test
  void knownAnswerOfTheRandom123Distribution() {
    // kat_vectors: philox 4x32 10, counter 0, key 0.
    assertEquals(0x6627e8d5, Philox.bits(0, 0));
    assertEquals(0xe169c58d, Philox.bits(0, 1));
    assertEquals(0xbc57ac4c, Philox.bits(0, 2));
    assertEquals(0x9b00dbd8, Philox.bits(0, 3));
  }

  @Test
  void theSecondImplementationKnowsTheOtherAnswersToo() {
    // kat_vectors with all bits set and with the digits of pi; their counters exceed 64 bits.
    String ones = "ffffffffffffffffffffffffffffffff";
    assertEquals("408f276d 41c83b0e a20bc7c6 6d5451fd", block(ones, ones.substring(16)));
    assertEquals(
        "d16cfe09 94fdcceb 5001e420 24126ea1",
        block("0370734413198a2e85a308d3243f6a88", "299f31d0a4093822"));
  }

  @Test
  void agreesWithTheSecondImplementation() {
    SplittableRandom random = new SplittableRandom(7);
    for (int k = 0; k < 200; k++) {
      long seed = random.nextLong();
      long position = random.nextLong() >>> random.nextInt(1, 64);
      String[] words = block(Long.toHexString(position >>> 2), Long.toHexString(seed)).split(" ");
      assertEquals(
          words[(int) (position % 4)],
          String.format("%08x", Philox.bits(seed, position)),
          "seed " + seed + ", position " + position);
    }
  }

  @Test
  void uniformIsTheUpper24Bits() {
    assertEquals(0x6627e8 / 16777216f, Philox.uniform(0, 0));
    double sum = 0;
    for (int k = 0; k < 10000; k++) {
      float u = Philox.uniform(5, k);
      assertTrue(u >= 0 && u < 1, "u " + u);
      sum += u;
    }
    // The standard deviation of the mean is 0.0029.
    assertEquals(0.5, sum / 10000, 0.012);
  }

  /** Philox 4x32-10 in integers of any size, from Salmon et al. 2011, section 3.3. */
  private static String block(String counter, String key) {
    BigInteger word = BigInteger.ONE.shiftLeft(32);
    BigInteger[] x = new BigInteger[4];
    BigInteger[] k = new BigInteger[2];
    for (int i = 0; i < 4; i++) {
      x[i] = new BigInteger(counter, 16).shiftRight(32 * i).mod(word);
    }
    for (int i = 0; i < 2; i++) {
      k[i] = new BigInteger(key, 16).shiftRight(32 * i).mod(word);
    }
    for (int round = 0; round < 10; round++) {
      BigInteger[] left = x[0].multiply(BigInteger.valueOf(0xD2511F53L)).divideAndRemainder(word);
      BigInteger[] right = x[2].multiply(BigInteger.valueOf(0xCD9E8D57L)).divideAndRemainder(word);
      x =
          new BigInteger[] {
            right[0].xor(x[1]).xor(k[0]), right[1], left[0].xor(x[3]).xor(k[1]), left[1]
          };
      k[0] = k[0].add(BigInteger.valueOf(0x9E3779B9L)).mod(word);
      k[1] = k[1].add(BigInteger.valueOf(0xBB67AE85L)).mod(word);
    }
    return String.format("%08x %08x %08x %08x", x[0], x[1], x[2], x[3]);
  }
}
