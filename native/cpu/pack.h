// Copies matrices to the order in which the tiles read them.
#pragma once

#include "simd.h"

namespace unroll {
namespace ISA {

// Transposes LANES packs in place: pack i's lane j becomes pack j's lane i. In log2(LANES) rounds,
// each of which swaps blocks of half the size across the diagonal.
INLINE void transpose(real (&packs)[LANES]) {
#pragma GCC unroll 4
  for (int size = LANES / 2; size > 0; size /= 2) {
    integer low, high;
#pragma GCC unroll 16
    for (int j = 0; j < LANES; j++) {
      bool upper = (j & size) != 0;
      low[j] = upper ? LANES + j - size : j;
      high[j] = upper ? LANES + j : j + size;
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
      if ((i & size) == 0) {
        real a = packs[i], b = packs[i + size];
        packs[i] = __builtin_shuffle(a, b, low);
        packs[i + size] = __builtin_shuffle(a, b, high);
      }
    }
  }
}

// Copies count strip elements (rows of A, columns of B) of all depth steps to [depth][width], and
// zeros from count to width. Element (e,k) lies at from[e*elementStep + k*depthStep]; one of the
// steps is 1.
INLINE void packStrip(const float *from, int64_t elementStep, int64_t depthStep, int count, int width,
                      int depth, float *to) {
  for (int e = 0; e < width; e += LANES) {
    int elements = minimum(LANES, width - e);
    int filled = maximum(0, minimum(elements, count - e));
    if (elementStep == 1) {
      for (int k = 0; k < depth; k++) {
        store(to + static_cast<int64_t>(k) * width + e,
              filled == LANES ? load(from + e + k * depthStep)
                              : loadPart(from + e + k * depthStep, filled),
              elements);
      }
    } else {
      for (int k = 0; k < depth; k += LANES) {
        // Past filled the packs are zero, so storing all elements writes the zeros as well.
        real packs[LANES];
        int steps = minimum(LANES, depth - k);
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) {
          packs[i] = i < filled ? load(from + (e + i) * elementStep + k, steps) : real{};
        }
        transpose(packs);
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) {
          if (i < steps) store(to + static_cast<int64_t>(k + i) * width + e, packs[i], elements);
        }
      }
    }
  }
}

}  // namespace ISA
}  // namespace unroll
