/* What kernels in kernels/cuda need beyond ../dialect.h: the parts of PTX that CUDA C++ has no words for, and what
 * its simulation on the CPU (native/cudasim) calls otherwise. One text for both; the only file of kernels/cuda
 * that knows which compiler is reading.
 *
 *   UNROLLED                    before a loop that must be unrolled, so that what it indexes lies in registers
 *   ROLLED                      before a loop that must not be unrolled
 *   RESIDENT(groups) name(...)  an entry like KERNEL that leaves room for so many groups on a processor
 *   GROUP_MEMORY(type, x)       declares x, the memory of the group whose size the launch gives
 *   GRID_BARRIER()              waits for all groups of a cooperative launch
 *   copy_async                  16 bytes into the group's memory; seen by this lane after copy_async_wait, by
 *                               the others after a barrier besides. Before sm_80 it is done at once
 *   multiply_bf16, multiply_tf32  D += A B of a warp, float32 sums. Lane 4*g + t holds of D [16,8] the rows g, g+8
 *                               and columns 2*t, 2*t+1, in this order; of A [16,K] the same rows, of B [K,8] the
 *                               column g: from K=2*t two values a word in bf16 (low half first, K+8 in the later
 *                               words), in tf32 K=t and then K=t+4. From sm_80 on
 *   load_acquire, store_release what this lane did before the store, that lane finds done after the load; of any
 *                               group. Loops that wait for another group use these loads and no other: in the
 *                               simulation they let it run
 *   nanoseconds()               of a clock that all groups read
 *   store_system, load_system   words that the host reads and writes while a kernel runs
 *   CLUSTER_KERNEL name(...)    an entry whose groups come in clusters of CLUSTER; and all below from sm_90 on
 *   cluster_rank()              this group in its cluster
 *   cluster_arrive, cluster_wait  the halves of the barrier of all lanes of a cluster
 *   peer_address(x, rank)       where that group has what this one has at x, for the three below
 *   peer_load, peer_store       of 4 or 16 bytes; seen by the peer after a barrier of the cluster
 *   mbarrier_...                a barrier in the group's memory, 64 bits: a phase ends when so many lanes have arrived
 *                               and all bytes that they announced have come. wait wants the parity of the phase
 *   store_async                 a word into a peer's memory, announced to the mbarrier of that peer
 */
#ifndef UNROLL_CUDA_PORT_H
#define UNROLL_CUDA_PORT_H
#include "../dialect.h"

#define RESIDENT(groups) extern "C" __global__ void __launch_bounds__(GROUP, groups)

#if defined(UNROLL_CUDASIM)

#define GROUP_MEMORY(type, x) type *x = reinterpret_cast<type *>(unroll::cudasim::dynamicMemory())
#define GRID_BARRIER() unroll::cudasim::gridBarrier()
#define CLUSTER_KERNEL KERNEL
typedef void *peer_pointer;

DEVICE_FN void copy_async(void *to, const void *from) { unroll::cudasim::copyAsync(to, from, 16, 16); }
/* Only so many bytes, up to 16, are read; the rest becomes zero. */
DEVICE_FN void copy_async_part(void *to, const void *from, int bytes) {
  unroll::cudasim::copyAsync(to, from, 16, bytes);
}
DEVICE_FN void copy_async_commit() { unroll::cudasim::commitCopies(); }
/* Waits for all that this lane has committed but the newest so many groups. */
template <int NEWEST>
DEVICE_FN void copy_async_wait() {
  unroll::cudasim::waitForCopies(NEWEST);
}

DEVICE_FN void multiply_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  unroll::cudasim::multiplyBf16(d, a, b);
}
DEVICE_FN void multiply_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  unroll::cudasim::multiplyTf32(d, a, b);
}
/* Two floats in bf16, the first in the low half, rounded to the nearest even. */
DEVICE_FN unsigned pack_bf16(float low, float high) {
  return unroll::cudasim::roundedBf16(low) | unroll::cudasim::roundedBf16(high) << 16;
}
/* The bits of a float rounded to tf32, ties away from zero. */
DEVICE_FN unsigned to_tf32(float x) { return unroll::cudasim::roundedTf32(x); }

DEVICE_FN unsigned load_acquire(const unsigned *at) { return unroll::cudasim::loadAcquire(at); }
DEVICE_FN unsigned long long load_acquire(const unsigned long long *at) { return unroll::cudasim::loadAcquire(at); }
DEVICE_FN void store_release(unsigned *at, unsigned value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
DEVICE_FN void store_release(unsigned long long *at, unsigned long long value) {
  __atomic_store_n(at, value, __ATOMIC_RELEASE);
}
/* A value and its flag in one word need no order with others. */
DEVICE_FN unsigned long long load_relaxed(const unsigned long long *at) { return unroll::cudasim::loadRelaxed(at); }
DEVICE_FN void store_relaxed(unsigned long long *at, unsigned long long value) {
  __atomic_store_n(at, value, __ATOMIC_RELAXED);
}

DEVICE_FN unsigned long long nanoseconds() { return unroll::cudasim::nanoseconds(); }
DEVICE_FN unsigned long long load_system(const unsigned long long *at) { return unroll::cudasim::loadRelaxed(at); }
DEVICE_FN void store_system(unsigned long long *at, unsigned long long value) {
  unroll::cudasim::storeSystem(at, value);
}

DEVICE_FN unsigned cluster_rank() { return unroll::cudasim::clusterRank(); }
DEVICE_FN unsigned cluster_size() { return unroll::cudasim::clusterSize(); }
DEVICE_FN unsigned peer_load(peer_pointer at) { return *static_cast<unsigned *>(at); }
DEVICE_FN uint4 peer_load_four(peer_pointer at) { return *static_cast<uint4 *>(at); }
DEVICE_FN void peer_store(peer_pointer at, unsigned value) { *static_cast<unsigned *>(at) = value; }
DEVICE_FN void peer_store(peer_pointer at, uint4 value) { *static_cast<uint4 *>(at) = value; }
DEVICE_FN void cluster_arrive() { unroll::cudasim::arriveAtCluster(); }
DEVICE_FN void cluster_wait() { unroll::cudasim::waitForCluster(); }
DEVICE_FN peer_pointer peer_address(const void *x, unsigned rank) { return unroll::cudasim::inPeer(x, rank); }

DEVICE_FN void mbarrier_init(unsigned long long *barrier, unsigned arrivals) {
  unroll::cudasim::initBarrier(barrier, arrivals);
}
DEVICE_FN void mbarrier_arrive(unsigned long long *barrier, unsigned announced_bytes) {
  unroll::cudasim::arriveAtBarrier(barrier, announced_bytes);
}
DEVICE_FN bool mbarrier_try_wait(unsigned long long *barrier, unsigned parity) {
  return unroll::cudasim::tryBarrier(barrier, parity);
}
DEVICE_FN void store_async(peer_pointer to, unsigned value, peer_pointer barrier) {
  unroll::cudasim::storeAsync(to, value, 4, static_cast<unsigned long long *>(barrier));
}
DEVICE_FN void store_async(peer_pointer to, unsigned long long value, peer_pointer barrier) {
  unroll::cudasim::storeAsync(to, value, 8, static_cast<unsigned long long *>(barrier));
}

#else /* nvcc */

#include <cooperative_groups.h>

#define GROUP_MEMORY(type, x)                                 \
  extern __shared__ __align__(128) unsigned char x##_bytes[]; \
  type *x = reinterpret_cast<type *>(x##_bytes)
#define GRID_BARRIER() cooperative_groups::this_grid().sync()
#define CLUSTER_KERNEL extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(GROUP)
typedef unsigned peer_pointer; /* in the window of the cluster's shared memory */

DEVICE_FN unsigned shared_address(const void *x) { return (unsigned)__cvta_generic_to_shared(x); }

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800

DEVICE_FN void copy_async(void *to, const void *from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(to)), "l"(from) : "memory");
}
DEVICE_FN void copy_async_part(void *to, const void *from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes)
               : "memory");
}
DEVICE_FN void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int NEWEST>
DEVICE_FN void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(NEWEST) : "memory");
}

DEVICE_FN void multiply_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
DEVICE_FN void multiply_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
DEVICE_FN unsigned pack_bf16(float low, float high) {
  unsigned both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
}
DEVICE_FN unsigned to_tf32(float x) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
}

#else

DEVICE_FN void copy_async(void *to, const void *from) { *(uint4 *)to = *(const uint4 *)from; }
DEVICE_FN void copy_async_part(void *to, const void *from, int bytes) {
  for (int i = 0; i < 16; i++) ((unsigned char *)to)[i] = i < bytes ? ((const unsigned char *)from)[i] : 0;
}
DEVICE_FN void copy_async_commit() {}
template <int NEWEST>
DEVICE_FN void copy_async_wait() {}

/* The host launches nothing that multiplies fragments here; that it compiles is enough. */
DEVICE_FN void multiply_bf16(float (&)[4], const unsigned (&)[4], const unsigned (&)[2]) { asm volatile("trap;"); }
DEVICE_FN void multiply_tf32(float (&)[4], const unsigned (&)[4], const unsigned (&)[2]) { asm volatile("trap;"); }
DEVICE_FN unsigned pack_bf16(float, float) { return 0; }
DEVICE_FN unsigned to_tf32(float) { return 0; }

#endif

DEVICE_FN unsigned load_acquire(const unsigned *at) {
  unsigned value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(at) : "memory");
  return value;
}
DEVICE_FN unsigned long long load_acquire(const unsigned long long *at) {
  unsigned long long value;
  asm volatile("ld.acquire.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(at) : "memory");
  return value;
}
DEVICE_FN void store_release(unsigned *at, unsigned value) {
  asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
}
DEVICE_FN void store_release(unsigned long long *at, unsigned long long value) {
  asm volatile("st.release.gpu.global.u64 [%0], %1;" ::"l"(at), "l"(value) : "memory");
}
DEVICE_FN unsigned long long load_relaxed(const unsigned long long *at) {
  unsigned long long value;
  asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(at) : "memory");
  return value;
}
DEVICE_FN void store_relaxed(unsigned long long *at, unsigned long long value) {
  asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(at), "l"(value) : "memory");
}

DEVICE_FN unsigned long long nanoseconds() {
  unsigned long long now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
}
DEVICE_FN unsigned long long load_system(const unsigned long long *at) {
  unsigned long long value;
  asm volatile("ld.relaxed.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(at) : "memory");
  return value;
}
DEVICE_FN void store_system(unsigned long long *at, unsigned long long value) {
  asm volatile("st.release.sys.global.u64 [%0], %1;" ::"l"(at), "l"(value) : "memory");
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900

DEVICE_FN unsigned cluster_size() {
  unsigned size;
  asm("mov.u32 %0, %%cluster_nctaid.x;" : "=r"(size));
  return size;
}
DEVICE_FN unsigned peer_load(peer_pointer at) {
  unsigned value;
  asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(value) : "r"(at) : "memory");
  return value;
}
DEVICE_FN uint4 peer_load_four(peer_pointer at) {
  uint4 value;
  asm volatile("ld.shared::cluster.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "r"(at)
               : "memory");
  return value;
}
DEVICE_FN void peer_store(peer_pointer at, unsigned value) {
  asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(at), "r"(value) : "memory");
}
DEVICE_FN void peer_store(peer_pointer at, uint4 value) {
  asm volatile("st.shared::cluster.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(at), "r"(value.x), "r"(value.y), "r"(value.z),
               "r"(value.w)
               : "memory");
}
DEVICE_FN unsigned cluster_rank() {
  unsigned rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
DEVICE_FN void cluster_arrive() { asm volatile("barrier.cluster.arrive.aligned;" ::: "memory"); }
DEVICE_FN void cluster_wait() { asm volatile("barrier.cluster.wait.aligned;" ::: "memory"); }
DEVICE_FN peer_pointer peer_address(const void *x, unsigned rank) {
  peer_pointer there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(shared_address(x)), "r"(rank));
  return there;
}

DEVICE_FN void mbarrier_init(unsigned long long *barrier, unsigned arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
DEVICE_FN void mbarrier_arrive(unsigned long long *barrier, unsigned announced_bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(announced_bytes)
               : "memory");
}
DEVICE_FN bool mbarrier_try_wait(unsigned long long *barrier, unsigned parity) {
  unsigned ended;
  asm volatile(
      "{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
      : "=r"(ended)
      : "r"(shared_address(barrier)), "r"(parity)
      : "memory");
  return ended != 0;
}
DEVICE_FN void store_async(peer_pointer to, unsigned value, peer_pointer barrier) {
  asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%0], %1, [%2];" ::"r"(to), "r"(value),
               "r"(barrier)
               : "memory");
}
DEVICE_FN void store_async(peer_pointer to, unsigned long long value, peer_pointer barrier) {
  asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.u64 [%0], %1, [%2];" ::"r"(to), "l"(value),
               "r"(barrier)
               : "memory");
}

#endif

#endif

#endif
