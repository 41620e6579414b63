/* Philox 4x32-10 and dropout. The numbers are those of io.unroll.Philox, bit by bit:
 * docs/numerics.md. */
#ifndef UNROLL_PHILOX_H
#define UNROLL_PHILOX_H
#include "dialect.h"

/* The four words of a block: the numbers at positions 4*block to 4*block + 3 of the stream of a
 * seed. */
DEVICE_FN void philox(natural block_low, natural block_high, natural seed_low, natural seed_high,
                      natural *words) {
  natural first = NATURAL(0xd2511f53u), second = NATURAL(0xcd9e8d57u);
  natural c0 = block_low, c1 = block_high, c2 = NATURAL(0u), c3 = NATURAL(0u);
  for (int round = 0; round < 10; round++) {
    natural hi0, lo0, hi2, lo2;
    MULTIPLY(c0, first, hi0, lo0);
    MULTIPLY(c2, second, hi2, lo2);
    c0 = hi2 ^ c1 ^ seed_low;
    c1 = lo2;
    c2 = hi0 ^ c3 ^ seed_high;
    c3 = lo0;
    seed_low += 0x9e3779b9u;
    seed_high += 0xbb67ae85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/* 32 random bits as a real in [0, 1), a multiple of 2^-24. */
DEVICE_FN real uniform(natural bits) {
  return TO_REAL((integer)(bits >> 8)) * 5.9604644775390625e-8f;
}

/* x * scale with probability 1 - p, else 0; scale is 1 / (1 - p). */
DEVICE_FN real drop(real x, natural bits, real p, real scale) {
  return uniform(bits) >= p ? x * scale : REAL(0.0f);
}

#endif
