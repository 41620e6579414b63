// Reads and writes packs of LANES floats, whole or in part. The part of a pack that lies past the end
// of an array is never touched; it reads as zero.
#pragma once

#include <cstdint>

#include "math.h"

#define INLINE static inline __attribute__((always_inline))
#define INLINE_MEMBER inline __attribute__((always_inline))

namespace unroll {
namespace ISA {

// A pack wherever floats may lie. A store of one, unlike a copy of bytes, can change nothing but floats.
typedef float unaligned __attribute__((vector_size(4 * LANES), aligned(4)));

INLINE real load(const float *at) { return *reinterpret_cast<const unaligned *>(at); }

INLINE void store(float *at, real pack) { *reinterpret_cast<unaligned *>(at) = pack; }

INLINE real broadcast(float value) { return REAL(value); }

#if defined(__AVX512F__)

INLINE __mmask16 firstLanes(int count) { return static_cast<__mmask16>((1u << (count < 0 ? 0 : count)) - 1); }

INLINE real loadPart(const float *at, int count) {
  return (real)_mm512_maskz_loadu_ps(firstLanes(count), at);
}

INLINE void storePart(float *at, real pack, int count) {
  _mm512_mask_storeu_ps(at, firstLanes(count), (__m512)pack);
}

#elif defined(__AVX2__)

INLINE __m256i firstLanes(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE real loadPart(const float *at, int count) {
  return (real)_mm256_maskload_ps(at, firstLanes(count));
}

INLINE void storePart(float *at, real pack, int count) {
  _mm256_maskstore_ps(at, firstLanes(count), (__m256)pack);
}

#else

INLINE real loadPart(const float *at, int count) {
  real pack{};
  for (int i = 0; i < LANES; i++) {
    if (i < count) pack[i] = at[i];
  }
  return pack;
}

INLINE void storePart(float *at, real pack, int count) {
  for (int i = 0; i < LANES; i++) {
    if (i < count) at[i] = pack[i];
  }
}

#endif

// The first count of LANES; count may be larger.
INLINE real load(const float *at, int count) {
  return count >= LANES ? load(at) : loadPart(at, count);
}

INLINE void store(float *at, real pack, int count) {
  if (count >= LANES) {
    store(at, pack);
  } else {
    storePart(at, pack, count);
  }
}

INLINE int minimum(int a, int b) { return a < b ? a : b; }
INLINE int maximum(int a, int b) { return a > b ? a : b; }

// Where part number index of parts begins when a range of length is cut as evenly as possible.
INLINE int partBegin(int length, int parts, int index) {
  return static_cast<int>(static_cast<int64_t>(length) * index / parts);
}

INLINE void prefetch(const float *at) { __builtin_prefetch(at, 0, 3); }
INLINE void prefetchLater(const float *at) { __builtin_prefetch(at, 0, 2); }  // to the second cache
INLINE void prefetchToWrite(const float *at) { __builtin_prefetch(at, 1, 3); }

}  // namespace ISA
}  // namespace unroll
