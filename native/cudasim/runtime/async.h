// What kernels/cuda/port.h needs beside language.h: asynchronous copies, matrix fragments, clusters.
#pragma once

#include <cstddef>
#include <cstdint>

#include "language.h"

namespace unroll {
namespace cudasim {

// cp.async of this thread: given bytes from there, the rest of the bytes zero.
void copyAsync(void *to, const void *from, int bytes, int given);
void commitCopies();
// Waits for all groups of this thread but the newest keep.
void waitForCopies(int keep);

// mma.sync, D += A B, with float32 sums.
void multiplyBf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void multiplyTf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

inline uint32_t roundedBf16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return x != x ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
inline uint32_t roundedTf32(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7f800000) == 0x7f800000 ? bits : (bits + 0x1000) & 0xffffe000;
}

// Loads and stores that other threads wait for. A load lets others run, so that a loop around it ends.
template <class T>
T loadAcquire(const T *at) {
  spin();
  T value = __atomic_load_n(at, __ATOMIC_ACQUIRE);
  return value;
}
template <class T>
T loadRelaxed(const T *at) {
  spin();
  return __atomic_load_n(at, __ATOMIC_RELAXED);
}

// Between processes and devices.
inline void storeSystem(unsigned long long *at, unsigned long long value) {
  __atomic_store_n(at, value, __ATOMIC_RELEASE);
}
unsigned long long nanoseconds();

unsigned clusterRank();
unsigned clusterSize();
void arriveAtCluster();
void waitForCluster();
// Where a peer has what this block has at that place of its shared memory.
void *inPeer(const void *place, unsigned rank);

// An mbarrier: a phase ends when so many have arrived and all announced bytes have come.
void initBarrier(unsigned long long *barrier, unsigned arrivals);
void arriveAtBarrier(unsigned long long *barrier, unsigned announcedBytes);
// Whether the phase of that parity has ended.
bool tryBarrier(unsigned long long *barrier, unsigned parity);
// st.async: a store to a peer's shared memory that its mbarrier, in the same peer, learns of.
void storeAsync(void *to, uint64_t value, int bytes, unsigned long long *barrier);

}  // namespace cudasim
}  // namespace unroll
