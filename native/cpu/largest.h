// The largest of a row.
#pragma once

#include "items.h"

namespace unroll {
namespace ISA {

INLINE float largestLane(real pack) {
#pragma GCC unroll 4
  for (int size = LANES / 2; size > 0; size /= 2) {
    integer from = laneNumbers() ^ size;
    real other = __builtin_shuffle(pack, from);
    pack = MAXIMUM(other, pack);
  }
  return pack[0];
}

// The largest of a row, NaN left aside.
INLINE float largestOf(const float *x, int64_t n) {
  real least = broadcast(-__builtin_inff());
  real largest = least;
  packs(0, n, [&](int64_t i, int count) EACH {
    real pack = load(x + i, count);
    largest = MAXIMUM(count == LANES ? pack : laneNumbers() < count ? pack : least, largest);
  });
  return largestLane(largest);
}

}  // namespace ISA
}  // namespace unroll
