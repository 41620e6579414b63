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
    prefetchLater(from + static_cast<int64_t>(k) * step);
  }
};

// Depth steps between two calls of a tile's fetchRows: as many as hide how long memory takes.
constexpr int STEPS_OF_FETCH = 64;

// The left operand, one depth step after the other: packed, the rows of a step side by side.
template <int ROWS>
struct PackedRows {
  const float *at;

  INLINE_MEMBER float row(int r) const { return at[r]; }
  INLINE_MEMBER void next() { at += ROWS; }
};

// The same where it lies, rows so many floats apart. Every third row has a pointer of its own: so the
// addresses of many rows fit in the registers, which the compiler does not see by itself.
template <int ROWS>
struct RowsInPlace {
  static constexpr int GROUPS = (ROWS + 2) / 3;

  const float *group[GROUPS];
  int64_t step;

  INLINE_MEMBER RowsInPlace(const float *at, int64_t step) : step(step) {
#pragma GCC unroll 16
    for (int g = 0; g < GROUPS; g++) group[g] = at + 3 * g * step;
  }

  INLINE_MEMBER float row(int r) const { return group[r / 3][r % 3 * step]; }

  INLINE_MEMBER void next() {
#pragma GCC unroll 16
    for (int g = 0; g < GROUPS; g++) {
      group[g]++;
      asm("" : "+r"(group[g]));
    }
  }
};

template <int ROWS, int PACKS>
struct Tile {
  // A tile of few rows reads b as fast as it can come: the hardware sees that by itself, and every
  // further load would be one too many.
  static constexpr bool FETCHES = ROWS >= 4 && phases(ROWS, PACKS) == 1;

  real sum[ROWS][PACKS];

  INLINE_MEMBER void clear() {
    for (int r = 0; r < ROWS; r++) {
      for (int p = 0; p < PACKS; p++) sum[r][p] = real{};
    }
  }

  // sum[r][p] += for k in [0, depth): left's row r at k * b[(k*PACKS + p)*LANES ..]. Meanwhile the
  // second cache fetches what comes ahead, and fetchRows(first, end) is called for ranges of rows that
  // cover the tile, so that it can have fetched what will be done with their sums. One range after
  // the other, for all together would keep the operands waiting.
  template <class Left, class FetchRows>
  INLINE_MEMBER void multiply(Left left, const float *b, int depth, Ahead ahead,
                              const FetchRows &fetchRows) {
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
    if constexpr (FETCHES) {
      int ranges = minimum(ROWS, 1 + depth / STEPS_OF_FETCH);
      for (int i = 0; i < ranges; i++) {
        fetchRows(partBegin(ROWS, ranges, i), partBegin(ROWS, ranges, i + 1));
        for (int end = partBegin(depth, ranges, i + 1); k < end; k++) {
          ahead.fetch(k);
          step(acc[0], left, b, k);
        }
      }
    }
    for (; k + PHASES <= depth; k += PHASES) {
#pragma GCC unroll 8
      for (int f = 0; f < PHASES; f++) step(acc[f], left, b, k + f);
    }
    for (; k < depth; k++) step(acc[0], left, b, k);
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
  template <class Left>
  INLINE void step(real (&acc)[ROWS][PACKS], Left &left, const float *b, int64_t k) {
    real right[PACKS];
#pragma GCC unroll 8
    for (int p = 0; p < PACKS; p++) {
      if (FETCHES) prefetch(b + ((k + STEPS_AHEAD) * PACKS + p) * LANES);
      right[p] = load(b + (k * PACKS + p) * LANES);
    }
#pragma GCC unroll 32
    for (int r = 0; r < ROWS; r++) {
      real factor = broadcast(left.row(r));
#pragma GCC unroll 8
      for (int p = 0; p < PACKS; p++) acc[r][p] += factor * right[p];
    }
    left.next();
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
