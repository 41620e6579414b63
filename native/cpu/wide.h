// Sums in float64: half a pack at a time, so that a sum of many floats loses nothing that matters.
#pragma once

#include "simd.h"

namespace unroll {
namespace ISA {

typedef double wide __attribute__((vector_size(4 * LANES)));
typedef long long wide_index __attribute__((vector_size(4 * LANES)));

#if defined(__AVX512F__)

// Masked with all lanes, because GCC 12 takes the others' undefined source for a mistake.
INLINE wide lowHalf(real pack) {
  return (wide)_mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, (__m512)pack, 0));
}

INLINE wide highHalf(real pack) {
  return (wide)_mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, (__m512)pack, 1));
}

#elif defined(__AVX2__)

INLINE wide lowHalf(real pack) { return (wide)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)pack)); }

INLINE wide highHalf(real pack) {
  return (wide)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)pack, 1));
}

#else

typedef float narrow __attribute__((vector_size(2 * LANES)));

INLINE wide lowHalf(real pack) {
  narrow half;
  __builtin_memcpy(&half, &pack, sizeof half);
  return __builtin_convertvector(half, wide);
}

INLINE wide highHalf(real pack) {
  narrow half;
  __builtin_memcpy(&half, reinterpret_cast<const char *>(&pack) + sizeof half, sizeof half);
  return __builtin_convertvector(half, wide);
}

#endif

INLINE wide load(const double *at) {
  wide pack;
  __builtin_memcpy(&pack, at, sizeof pack);
  return pack;
}

INLINE void store(double *at, wide pack) { __builtin_memcpy(at, &pack, sizeof pack); }

// A sum in LANES lanes of float64.
struct WideSum {
  wide low{}, high{};

  INLINE_MEMBER void add(real pack) {
    low += lowHalf(pack);
    high += highHalf(pack);
  }

  // Adds a*b, exact products.
  INLINE_MEMBER void addProduct(real a, real b) {
    low += lowHalf(a) * lowHalf(b);
    high += highHalf(a) * highHalf(b);
  }

  INLINE_MEMBER void add(const WideSum &other) {
    low += other.low;
    high += other.high;
  }

  // The lanes together, in a fixed order: the upper half onto the lower, again and again.
  INLINE_MEMBER double total() const {
    wide sum = low + high;
#pragma GCC unroll 4
    for (int size = LANES / 4; size > 0; size /= 2) {
      wide_index from;
#pragma GCC unroll 16
      for (int i = 0; i < LANES / 2; i++) from[i] = i ^ size;
      sum += __builtin_shuffle(sum, from);
    }
    return sum[0];
  }
};

}  // namespace ISA
}  // namespace unroll
