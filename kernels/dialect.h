/* The language of the kernels: C that CUDA, OpenCL 1.2 and GNU C++ all read. kernels/README.md tells its
 * rules. The only file that knows which compiler is reading.
 *
 *   real, integer, natural   float, int and unsigned: one each on a GPU, LANES of each side by side in C++
 *   a ? b : c                chooses lane by lane; both branches are computed
 *   REAL, NATURAL            a constant in every lane
 *   BITS, FROM_BITS          the bits of a real as an integer, and back
 *   MINIMUM(a, b), MAXIMUM   b where either is NaN
 *   TO_REAL                  an integer as the nearest real
 *   MULTIPLY(a, b, hi, lo)   the two halves of the products of naturals
 *
 * and on a GPU alone, where a launch is a number of groups of GROUP lanes:
 *
 *   KERNEL name(...)         an entry that the host launches
 *   READS(type, x), WRITES   a parameter that is a buffer, on OpenCL with its offset behind it; both 0 for none
 *   AT(x, i), START(x)       element i of such a buffer, and where it begins
 *   IS_GIVEN(x)              whether the host gave that buffer
 *   GLOBAL, LOCAL            where a pointer points to: the device's memory, the group's own
 *   SHARED                   declares an array of the group's own memory, at the top of an entry
 *   LANE, GROUP_NUMBER       this lane in its group, and the group in the launch
 *   GROUPS                   how many groups the launch has
 *   BARRIER()                waits for the lanes of the group, and shows each what the others wrote
 *   offset                   a 64-bit integer
 *   LOG(x)                   the natural logarithm
 *   UNROLLED, ROLLED         the loop that follows is to be unrolled, or not: nvcc does, others do as they like
 */
#ifndef UNROLL_DIALECT_H
#define UNROLL_DIALECT_H

#if defined(__CUDACC__) || defined(UNROLL_CUDASIM)

#define DEVICE_FN static __device__ __forceinline__
typedef float real;
typedef int integer;
typedef unsigned natural;
#define REAL(constant) (constant)
#define NATURAL(constant) (constant)
#define BITS(x) __float_as_int(x)
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))
#define MAXIMUM(a, b) ((a) > (b) ? (a) : (b))
#define FROM_BITS(i) __int_as_float(i)
#define TO_REAL(i) ((float)(i))
#define SQRT(x) sqrtf(x)
#define MULTIPLY(a, b, hi, lo) (hi = __umulhi(a, b), lo = (a) * (b))

typedef long long offset;
#define LOG(x) logf(x)
/* One group on a processor is enough: for more, the compiler would spill what a kernel keeps in registers. */
#define KERNEL extern "C" __global__ void __launch_bounds__(GROUP, 1)
#define READS(type, x) const type *x##_start
#define WRITES(type, x) type *x##_start
#define START(x) (x##_start)
#define GLOBAL
#define LOCAL
#define SHARED __shared__
#define LANE ((int)threadIdx.x)
#define GROUP_NUMBER ((offset)blockIdx.x)
#define GROUPS ((offset)gridDim.x)
#define BARRIER() __syncthreads()

#elif defined(__OPENCL_VERSION__)

#define DEVICE_FN static inline
typedef float real;
typedef int integer;
typedef uint natural;
#define REAL(constant) (constant)
#define NATURAL(constant) (constant)
#define BITS(x) as_int(x)
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))
#define MAXIMUM(a, b) ((a) > (b) ? (a) : (b))
#define FROM_BITS(i) as_float(i)
#define TO_REAL(i) ((float)(i))
#define SQRT(x) sqrt(x)
#define MULTIPLY(a, b, hi, lo) (hi = mul_hi(a, b), lo = (a) * (b))

typedef long offset;
#define LOG(x) log(x)
#define KERNEL __kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
#define READS(type, x) __global const type *x##_start, const long x##_at
#define WRITES(type, x) __global type *x##_start, const long x##_at
#define START(x) (x##_start + x##_at)
#define GLOBAL __global
#define LOCAL __local
#define SHARED __local
#define LANE ((int)get_local_id(0))
#define GROUP_NUMBER ((offset)get_group_id(0))
#define GROUPS ((offset)get_num_groups(0))
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)

#else /* GNU C++: LANES at a time */

#ifndef LANES
#error "compile with -DLANES=16 (AVX-512), 8 (AVX2) or 4 (NEON)"
#endif
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif
#define DEVICE_FN static inline __attribute__((always_inline))
typedef float real __attribute__((vector_size(4 * LANES)));
typedef int integer __attribute__((vector_size(4 * LANES)));
typedef unsigned natural __attribute__((vector_size(4 * LANES)));
#define REAL(constant) ((constant) - real{}) /* x - 0 is x, also for -0 */
#define NATURAL(constant) ((constant) + natural{})
#define BITS(x) ((integer)(x))
#define FROM_BITS(i) ((real)(i))
#define TO_REAL(i) __builtin_convertvector(i, real)

#define MULTIPLY(a, b, hi, lo) multiply_naturals(a, b, &hi, &lo)

#if defined(__AVX512F__) && LANES == 16
/* Masked with all lanes, because GCC 12 takes the others' undefined source for a mistake. */
#define MINIMUM(a, b) ((real)_mm512_maskz_min_ps(0xffff, (__m512)(a), (__m512)(b)))
#define MAXIMUM(a, b) ((real)_mm512_maskz_max_ps(0xffff, (__m512)(a), (__m512)(b)))
DEVICE_FN real SQRT(real x) { return (real)_mm512_maskz_sqrt_ps(0xffff, (__m512)x); }
#define EVEN_PRODUCTS(a, b) (natural)_mm512_maskz_mul_epu32(0xff, (__m512i)(a), (__m512i)(b))
#elif defined(__AVX2__) && LANES == 8
#define MINIMUM(a, b) ((real)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define MAXIMUM(a, b) ((real)_mm256_max_ps((__m256)(a), (__m256)(b)))
DEVICE_FN real SQRT(real x) { return (real)_mm256_sqrt_ps((__m256)x); }
#define EVEN_PRODUCTS(a, b) (natural)_mm256_mul_epu32((__m256i)(a), (__m256i)(b))
#else
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))
#define MAXIMUM(a, b) ((a) > (b) ? (a) : (b))
DEVICE_FN real SQRT(real x) {
  real root;
  for (int i = 0; i < LANES; i++) root[i] = __builtin_sqrtf(x[i]);
  return root;
}
#endif

#ifdef EVEN_PRODUCTS
/* The processor multiplies every other lane; a product takes up its lane and the next. */
DEVICE_FN void multiply_naturals(natural a, natural b, natural *hi, natural *lo) {
  integer next, evenLow, evenHigh;
  for (int i = 0; i < LANES; i++) {
    next[i] = i | 1;
    evenLow[i] = i % 2 == 0 ? i : LANES + i - 1;
    evenHigh[i] = i % 2 == 0 ? i + 1 : LANES + i;
  }
  natural even = EVEN_PRODUCTS(a, b);
  natural odd = EVEN_PRODUCTS(__builtin_shuffle(a, next), __builtin_shuffle(b, next));
  *lo = __builtin_shuffle(even, odd, evenLow);
  *hi = __builtin_shuffle(even, odd, evenHigh);
}
#else
typedef unsigned long long wide_natural __attribute__((vector_size(8 * LANES)));
DEVICE_FN void multiply_naturals(natural a, natural b, natural *hi, natural *lo) {
  wide_natural product =
      __builtin_convertvector(a, wide_natural) * __builtin_convertvector(b, wide_natural);
  *lo = a * b;
  *hi = __builtin_convertvector(product >> 32, natural);
}
#endif

#endif

#ifdef KERNEL
#define AT(x, i) (START(x)[i])
#define IS_GIVEN(x) (x##_start != 0)
#ifdef __CUDACC__
#define UNROLLED _Pragma("unroll")
#define ROLLED _Pragma("unroll 1")
#else
#define UNROLLED
#define ROLLED
#endif
#endif

#endif
