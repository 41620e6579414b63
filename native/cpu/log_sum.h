// The logarithm of the sum of exponentials of a row.
#pragma once

#include <cmath>

#include "largest.h"
#include "losses.h"
#include "wide.h"

namespace unroll {
namespace ISA {

// largestOf leaves a NaN aside; the sum of the terms brings it back.
INLINE double logSumExp(const float *x, int64_t n) {
  float most = largestOf(x, n);
  real largest = broadcast(most);
  WideSum sum;
  packs(0, n, [&](int64_t i, int count) EACH {
    real term = cross_entropy_term(load(x + i, count), largest);
    sum.add(count == LANES ? term : laneNumbers() < count ? term : real{});
  });
  return most + std::log(sum.total());
}

}  // namespace ISA
}  // namespace unroll
