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

// Depth steps that a pass of the inner loop does: a loop's own instructions take turns with the products.
// A large tile has no registers left for the addresses of several steps.
constexpr int stepsOfPass(int rows, int packs) {
  return rows * packs > 24 ? 1 : phases(rows, packs) > 4 ? phases(rows, packs) : 4;
}

// The same pack, which from here on stays in a register. Otherwise the compiler may load it anew for each
// row of a tile, and tiles of few rows then take nearly twice as long.
INLINE real inRegister(real pack) {
#if defined(__x86_64__)
  asm("" : "+v"(pack));
#elif defined(__aarch64__)
  asm("" : "+w"(pack));
#endif
  return pack;
}

constexpr int FLOATS_OF_LINE = 16;  // of a cache

// A range of memory that a tile fetches to the second cache, a bit with every depth step.
struct Ahead {
  const float *from;
  int64_t step;

  // Part number index of parts of length floats, over so many depth steps.
  static INLINE_MEMBER Ahead part(const float *from, int64_t length, int parts, int index, int depth) {
    int64_t each = (length + parts - 1) / parts;
    int64_t step = (each + depth - 1) / depth;
    return {from + each * index, step < FLOATS_OF_LINE ? step : FLOATS_OF_LINE};
  }

  INLINE_MEMBER void fetch(int k) const {
    prefetchLater(from + k * step);
  }
};

// In the place of an Ahead where nothing is to be fetched.
struct Nothing {
  INLINE_MEMBER void fetch(int) const {}
};

// The left operand, one depth step after the other: packed, the rows of a step side by side.
template <int ROWS>
struct PackedRows {
  const float *at;

  // Row r, so many depth steps on.
  INLINE_MEMBER float row(int r, int steps) const { return at[steps * ROWS + r]; }
  INLINE_MEMBER void next(int steps) { at += steps * ROWS; }
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

  INLINE_MEMBER float row(int r, int steps) const { return group[r / 3][r % 3 * step + steps]; }

  INLINE_MEMBER void next(int steps) {
#pragma GCC unroll 16
    for (int g = 0; g < GROUPS; g++) {
      group[g] += steps;
      asm("" : "+r"(group[g]));
    }
  }
};

// A number known when compiling.
template <int NUMBER>
struct Constant {
  static constexpr int value = NUMBER;
};

template <int ROWS, int PACKS>
struct Tile {
  real sum[ROWS][PACKS];

  INLINE_MEMBER void clear() {
    for (int r = 0; r < ROWS; r++) {
      for (int p = 0; p < PACKS; p++) sum[r][p] = real{};
    }
  }

  // sum[r][p] += for k in [0, depth): left's row r at k * b[(k*PACKS + p)*LANES ..]. Meanwhile the
  // second cache fetches what comes ahead, and the first one, unless c is null, what the sums will be
  // added to: as many packs of rows from c on, so many floats apart.
  template <class Left, class Ahead>
  INLINE_MEMBER void multiply(Left left, const float *b, int depth, Ahead ahead, const float *c = nullptr,
                              int64_t rowStep = 0) {
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
    constexpr int PASS = stepsOfPass(ROWS, PACKS);
    int k = 0;
    auto pass = [&](auto steps) __attribute__((always_inline)) {
#pragma GCC unroll 8
      for (int i = 0; i < decltype(steps)::value; i++) {
        ahead.fetch(k + i);
        step(acc[i % PHASES], left, b + i * PACKS * LANES, i);
      }
      left.next(decltype(steps)::value);
      b += decltype(steps)::value * PACKS * LANES;
      k += decltype(steps)::value;
    };
    if (PHASES == 1 && c != nullptr && depth >= ROWS * PACKS) {  // one at a time: the operands come the same way
      for (int r = 0; r < ROWS; r++, c += rowStep) {
        for (int p = 0; p < PACKS; p++) {
          prefetchToWrite(c + p * LANES);
          pass(Constant<1>{});
        }
      }
    }
    while (k + PASS <= depth) pass(Constant<PASS>{});
    while (k < depth) pass(Constant<1>{});
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
  // acc += the depth step that lies so many behind left's, b being that step's.
  template <class Left>
  INLINE void step(real (&acc)[ROWS][PACKS], const Left &left, const float *b, int steps) {
    real right[PACKS];
#pragma GCC unroll 8
    for (int p = 0; p < PACKS; p++) right[p] = ROWS > 1 ? inRegister(load(b + p * LANES)) : load(b + p * LANES);
#pragma GCC unroll 32
    for (int r = 0; r < ROWS; r++) {
      real factor = broadcast(left.row(r, steps));
#pragma GCC unroll 8
      for (int p = 0; p < PACKS; p++) acc[r][p] += factor * right[p];
    }
  }
};

// Calls body(Constant<rows>), with rows in [1, MAX].
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
