// Copies matrices to the order in which the tiles read them.
#pragma once

#include <utility>

#include "simd.h"

namespace unroll {
namespace ISA {

// One round of a transposition: swaps blocks of SIZE lanes across the diagonal.
template <int SIZE, int... LANE>
INLINE void swapBlocks(real (&packs)[LANES], std::integer_sequence<int, LANE...>) {
#pragma GCC unroll 16
  for (int i = 0; i < LANES; i++) {
    if ((i & SIZE) == 0) {
      real a = packs[i], b = packs[i + SIZE];
      packs[i] = __builtin_shufflevector(a, b, ((LANE & SIZE) ? LANES + LANE - SIZE : LANE)...);
      packs[i + SIZE] =
          __builtin_shufflevector(a, b, ((LANE & SIZE) ? LANES + LANE : LANE + SIZE)...);
    }
  }
}

// Transposes LANES packs in place: pack i's lane j becomes pack j's lane i.
INLINE void transpose(real (&packs)[LANES]) {
  constexpr auto lanes = std::make_integer_sequence<int, LANES>{};
  if constexpr (LANES > 8) swapBlocks<8>(packs, lanes);
  if constexpr (LANES > 4) swapBlocks<4>(packs, lanes);
  swapBlocks<2>(packs, lanes);
  swapBlocks<1>(packs, lanes);
}

// Copies count strip elements (rows of A, columns of B) of all depth steps to width floats, zeros from
// count on, every toStep floats. Element (e,k) lies at from[e*elementStep + k*depthStep]; one of the
// steps is 1.
INLINE void packStrip(const float *from, int64_t elementStep, int64_t depthStep, int count, int width,
                      int depth, float *to, int64_t toStep) {
  if (elementStep == 1) {
    // Step by step, because two walks over the same lines are one too many where these lie a page apart.
    int whole = minimum(count, width) / LANES * LANES;
    for (int k = 0; k < depth; k++) {
      const float *at = from + k * depthStep;
      float *out = to + k * toStep;
      for (int e = 0; e < whole; e += LANES) store(out + e, load(at + e));
      for (int e = whole; e < width; e += LANES) {
        store(out + e, loadPart(at + e, minimum(LANES, maximum(0, count - e))), minimum(LANES, width - e));
      }
    }
    return;
  }
  for (int e = 0; e < width; e += LANES) {
    int elements = minimum(LANES, width - e);
    int filled = maximum(0, minimum(elements, count - e));
    int k = 0;
    for (; filled == LANES && k + LANES <= depth; k += LANES) {
      real packs[LANES];
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) {
        prefetchLater(from + (e + i + width) * elementStep + k);
        packs[i] = load(from + (e + i) * elementStep + k);
      }
      transpose(packs);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) store(to + (k + i) * toStep + e, packs[i]);
    }
    for (; k < depth; k += LANES) {
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
        if (i < steps) store(to + (k + i) * toStep + e, packs[i], elements);
      }
    }
  }
}

}  // namespace ISA
}  // namespace unroll
