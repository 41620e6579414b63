// CUDA C++ for a C++ compiler: what device code may use besides plain C++. Included before any kernel by
// the compiler's command line, where nvcc includes its own. What kernels need of PTX is in
// kernels/cuda/port.h.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __constant__ static const
// A block has an OS thread of its own. What a module shares lies in one section, so that it can be found.
#define __shared__ static thread_local __attribute__((section(CUDASIM_SECTION)))

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};

namespace unroll {
namespace cudasim {

// Lanes of a warp that meet must meet in the same operation.
enum class Meeting : uint8_t { SYNC, SHUFFLE, VOTE, MATRIX };

const int WORDS = 4;
struct Exchange;

dim3 threadIndex();
dim3 blockIndex();
dim3 blockSize();
dim3 gridSize();
unsigned laneNumber();
unsigned char *dynamicMemory();

// What a barrier of the block tells each: how many threads came, and with how many the predicate held.
struct Votes {
  int threads, holding;
};
Votes blockBarrier(bool predicate);
void gridBarrier();
// Lets other threads run: what a loop that waits for another thread must do.
void spin();

// Waits for the lanes of the mask; gives the lanes that came, and with words their words.
unsigned meet(Meeting what, unsigned mask, const uint64_t *words, uint64_t (*all)[WORDS]);
// The word of another lane of the mask, or the own one where that lane is not in it.
uint64_t shuffle(unsigned mask, uint64_t word, int lane);
unsigned ballot(unsigned mask, bool predicate);

// Orders memory as a barrier between warps does not: for ThreadSanitizer, which knows no fences.
void published(const volatile void *at);
void observed(const volatile void *at);

template <class T>
T shuffleValue(unsigned mask, T value, int lane) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
  uint64_t word = 0;
  std::memcpy(&word, &value, sizeof value);
  word = shuffle(mask, word, lane);
  std::memcpy(&value, &word, sizeof value);
  return value;
}

// value = change(value) at once.
template <class T, class Bits, class Change>
T exchangeBits(T *at, Change change) {
  static_assert(sizeof(T) == sizeof(Bits), "bits of a value");
  Bits *place = reinterpret_cast<Bits *>(at);
  Bits before = __atomic_load_n(place, __ATOMIC_RELAXED), after;
  T value, changed;
  do {
    std::memcpy(&value, &before, sizeof value);
    changed = change(value);
    std::memcpy(&after, &changed, sizeof after);
  } while (!__atomic_compare_exchange_n(place, &before, after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return value;
}

}  // namespace cudasim
}  // namespace unroll

#define threadIdx (unroll::cudasim::threadIndex())
#define blockIdx (unroll::cudasim::blockIndex())
#define blockDim (unroll::cudasim::blockSize())
#define gridDim (unroll::cudasim::gridSize())
const int warpSize = 32;

inline void __syncthreads() { unroll::cudasim::blockBarrier(false); }
inline int __syncthreads_count(int predicate) { return unroll::cudasim::blockBarrier(predicate != 0).holding; }
inline int __syncthreads_or(int predicate) { return __syncthreads_count(predicate) != 0; }
inline int __syncthreads_and(int predicate) {
  unroll::cudasim::Votes votes = unroll::cudasim::blockBarrier(predicate != 0);
  return votes.holding == votes.threads;
}

inline void __syncwarp(unsigned mask = ~0u) {
  unroll::cudasim::meet(unroll::cudasim::Meeting::SYNC, mask, nullptr, nullptr);
}
inline unsigned __activemask() { return 1u << unroll::cudasim::laneNumber(); } // none is promised to be near
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return unroll::cudasim::ballot(mask, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }

// Lanes are numbered within groups of width, a power of two; a source outside the group is the lane itself.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  int lane = static_cast<int>(unroll::cudasim::laneNumber());
  return unroll::cudasim::shuffleValue(mask, value, (lane & -width) | (source & (width - 1)));
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = static_cast<int>(unroll::cudasim::laneNumber()), source = lane - static_cast<int>(delta);
  return unroll::cudasim::shuffleValue(mask, value, source < (lane & -width) ? lane : source);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = static_cast<int>(unroll::cudasim::laneNumber()), source = lane + static_cast<int>(delta);
  return unroll::cudasim::shuffleValue(mask, value, source > (lane | (width - 1)) ? lane : source);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  int lane = static_cast<int>(unroll::cudasim::laneNumber()), source = lane ^ bits;
  return unroll::cudasim::shuffleValue(mask, value, source > (lane | (width - 1)) ? lane : source);
}

inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __nanosleep(unsigned) { unroll::cudasim::spin(); }

inline int __float_as_int(float x) {
  int bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline unsigned __float_as_uint(float x) { return static_cast<unsigned>(__float_as_int(x)); }
inline float __int_as_float(int bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
inline float __uint_as_float(unsigned bits) { return __int_as_float(static_cast<int>(bits)); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
template <class T>
T __ldg(const T *at) {
  return *at;
}

// Relaxed, as on the device; a scope changes nothing here.
#define CUDASIM_ATOMIC(name, T, builtin) \
  inline T name(T *at, T value) { return builtin(at, value, __ATOMIC_RELAXED); }
#define CUDASIM_LARGEST(T)                                                                                 \
  inline T atomicMax(T *at, T value) {                                                                     \
    return unroll::cudasim::exchangeBits<T, T>(at, [=](T old) { return old > value ? old : value; });      \
  }                                                                                                        \
  inline T atomicMin(T *at, T value) {                                                                     \
    return unroll::cudasim::exchangeBits<T, T>(at, [=](T old) { return old < value ? old : value; });      \
  }
#define CUDASIM_ATOMICS(T)                            \
  CUDASIM_ATOMIC(atomicAdd, T, __atomic_fetch_add)    \
  CUDASIM_ATOMIC(atomicSub, T, __atomic_fetch_sub)    \
  CUDASIM_ATOMIC(atomicAnd, T, __atomic_fetch_and)    \
  CUDASIM_ATOMIC(atomicOr, T, __atomic_fetch_or)      \
  CUDASIM_ATOMIC(atomicXor, T, __atomic_fetch_xor)    \
  CUDASIM_ATOMIC(atomicExch, T, __atomic_exchange_n)  \
  CUDASIM_LARGEST(T)                                  \
  inline T atomicCAS(T *at, T compare, T value) {     \
    __atomic_compare_exchange_n(at, &compare, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
    return compare;                                   \
  }
CUDASIM_ATOMICS(int)
CUDASIM_ATOMICS(unsigned)
CUDASIM_ATOMICS(unsigned long long)
inline float atomicAdd(float *at, float value) {
  return unroll::cudasim::exchangeBits<float, uint32_t>(at, [=](float old) { return old + value; });
}
inline double atomicAdd(double *at, double value) {
  return unroll::cudasim::exchangeBits<double, uint64_t>(at, [=](double old) { return old + value; });
}
inline float atomicExch(float *at, float value) {
  return unroll::cudasim::exchangeBits<float, uint32_t>(at, [=](float) { return value; });
}
#define CUDASIM_SCOPES(name)                                        \
  template <class... A>                                             \
  auto name##_block(A... arguments)->decltype(name(arguments...)) { \
    return name(arguments...);                                      \
  }                                                                 \
  template <class... A>                                             \
  auto name##_system(A... arguments)->decltype(name(arguments...)) { \
    return name(arguments...);                                      \
  }
CUDASIM_SCOPES(atomicAdd)
CUDASIM_SCOPES(atomicSub)
CUDASIM_SCOPES(atomicAnd)
CUDASIM_SCOPES(atomicOr)
CUDASIM_SCOPES(atomicXor)
CUDASIM_SCOPES(atomicExch)
CUDASIM_SCOPES(atomicMax)
CUDASIM_SCOPES(atomicMin)
CUDASIM_SCOPES(atomicCAS)

#include "async.h"
