// The innermost loop of every matrix product: a tile of ROWS rows and PACKS packs of columns, whose
// sums stay in registers while the depth goes by.
#pragma once

#include "simd.h"

namespace unroll {
namespace ISA {

// Vector registers of the instruction set.
constexpr int REGISTERS = LANES == 8 ? 16 : 32;

// The most rows of a tile of so many packs: all sums, one operand's side and one more stay in registers.
constexpr int maxRows(int packs) {
  int rows = 1;
  while ((rows + 1) * packs + (rows + 1 < packs ? rows + 1 : packs) + 1 <= REGISTERS) rows++;
  return rows;
}

// Sums that are kept side by side for one element, so that a small tile has enough independent
// additions under way to hide their latency.
constexpr int phases(int rows, int packs) {
  return rows * packs >= 8 ? 1 : rows * packs >= 4 ? 2 : rows * packs >= 2 ? 4 : 8;
}

// Depth steps by which the first cache is ahead of the products.
constexpr int STEPS_AHEAD = 12;

// A range of memory that a tile fetches to the second cache, a bit with every depth step.
struct Ahead {
  const float *from;
  int step;

  // Part number index of parts of length floats, over so many depth steps.
  static INLINE_MEMBER Ahead part(const float *from, int64_t length, int parts, int index, int depth) {
    int64_t each = (length + parts - 1) / parts;
    int64_t step = (each + depth - 1) / depth;
    return {from + each * index, static_cast<int>(step < 16 ? step : 16)};
  }

  INLINE_MEMBER void fetch(int k) const {
    __builtin_prefetch(from + static_cast<int64_t>(k) * step, 0, 2);
  }
};

template <int ROWS, int PACKS>
struct Tile {
  // A tile of few rows reads b as fast as it can come: the hardware sees that by itself, and every
  // further load would be one too many.
  static constexpr bool FETCHES = ROWS >= 4;

  real sum[ROWS][PACKS];

  INLINE_MEMBER void clear() {
    for (int r = 0; r < ROWS; r++) {
      for (int p = 0; p < PACKS; p++) sum[r][p] = real{};
    }
  }

  // sum[r][p] += for k in [0, depth): a[r*rowStep + k*depthStep] * b[(k*PACKS + p)*LANES ..].
  // The steps of a are compile-time constants where the caller passes such. Meanwhile the second
  // cache fetches what will be needed next.
  template <class Row, class Depth>
  INLINE_MEMBER void multiply(const float *a, Row rowStep, Depth depthStep, const float *b, int depth,
                              Ahead ahead) {
    constexpr int PHASES = phases(ROWS, PACKS);
    real acc[PHASES][ROWS][PACKS];
#pragma GCC unroll 8
    for (int f = 0; f < PHASES; f++) {
#pragma GCC unroll 32
      for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
        for (int p = 0; p < PACKS; p++) acc[f][r][p] = f == 0 ? sum[r][p] : real{};
      }
    }
    int k = 0;
    for (; k + PHASES <= depth; k += PHASES) {
#pragma GCC unroll 8
      for (int f = 0; f < PHASES; f++) step(acc[f], a, rowStep, depthStep, b, k + f);
      if (FETCHES) ahead.fetch(k);
    }
    for (; k < depth; k++) step(acc[0], a, rowStep, depthStep, b, k);
#pragma GCC unroll 32
    for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
      for (int p = 0; p < PACKS; p++) {
        real total = acc[0][r][p];
#pragma GCC unroll 8
        for (int f = 1; f < PHASES; f++) total += acc[f][r][p];
        sum[r][p] = total;
      }
    }
  }

 private:
  template <class Row, class Depth>
  INLINE void step(real (&acc)[ROWS][PACKS], const float *a, Row rowStep, Depth depthStep,
                   const float *b, int64_t k) {
    real right[PACKS];
#pragma GCC unroll 8
    for (int p = 0; p < PACKS; p++) {
      if (FETCHES) prefetch(b + ((k + STEPS_AHEAD) * PACKS + p) * LANES);
      right[p] = load(b + (k * PACKS + p) * LANES);
    }
#pragma GCC unroll 32
    for (int r = 0; r < ROWS; r++) {
      real left = broadcast(a[r * rowStep + k * depthStep]);
#pragma GCC unroll 8
      for (int p = 0; p < PACKS; p++) acc[r][p] += left * right[p];
    }
  }
};

// A step known when compiling.
template <int VALUE>
struct Constant {
  constexpr operator int64_t() const { return VALUE; }
};

// Calls body.template operator()<ROWS>() with ROWS = rows, in [1, MAX].
template <int MAX, class Body>
INLINE void withRows(int rows, const Body &body) {
  if constexpr (MAX > 1) {
    if (rows < MAX) {
      withRows<MAX - 1>(rows, body);
      return;
    }
  }
  body(Constant<MAX>{});
}

}  // namespace ISA
}  // namespace unroll
