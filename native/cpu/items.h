// How a kernel reads its arguments and walks over the items it was given.
#pragma once

#include "isa.h"
#include "simd.h"

// A body that is inlined into the walk, so that the length of a whole pack is a constant in it.
#define EACH __attribute__((always_inline))

namespace unroll {
namespace ISA {

INLINE float *reals(const Argument &argument) { return static_cast<float *>(argument.pointer); }

INLINE const int32_t *integers(const Argument &argument) {
  return static_cast<const int32_t *>(argument.pointer);
}

INLINE float number(const Argument &argument) { return static_cast<float>(argument.real); }

INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Calls body(i, count) for every pack of the items [from, to): count items from i on.
template <class Body>
INLINE void packs(int64_t from, int64_t to, const Body &body) {
  int64_t i = from;
  for (; i + LANES <= to; i += LANES) body(i, LANES);
  if (i < to) body(i, static_cast<int>(to - i));
}

// Calls body(row, column, count) for every piece of a row of length n in the items [from, to).
template <class Body>
INLINE void pieces(int64_t from, int64_t to, int64_t n, const Body &body) {
  int64_t row = from / n;
  int64_t column = from - row * n;
  for (int64_t i = from; i < to; row++, column = 0) {
    int64_t count = smaller(n - column, to - i);
    body(row, column, count);
    i += count;
  }
}

// What an output held before, where beta asks for it.
INLINE real before(const float *out, float beta, int count) {
  return beta == 0 ? real{} : load(out, count);
}

INLINE integer laneNumbers() {
  integer numbers;
#pragma GCC unroll 16
  for (int i = 0; i < LANES; i++) numbers[i] = i;
  return numbers;
}

}  // namespace ISA
}  // namespace unroll
