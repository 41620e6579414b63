/* The language of the kernels: C that CUDA, OpenCL 1.2 and GNU C++ all read. kernels/README.md tells its
 * rules. The only file that knows which compiler is reading.
 *
 *   real, integer, natural   float, int and unsigned: one each on a GPU, LANES of each side by side in C++
 *   a ? b : c                chooses lane by lane; both branches are computed
 *   BITS, FROM_BITS          the bits of a real as an integer, and back
 *   MINIMUM(a, b), MAXIMUM   b where either is NaN
 *   RECIPROCAL(d)            1/d for 1 <= d <= 2^126 or NaN, to about one unit in the last place
 */
#ifndef UNROLL_DIALECT_H
#define UNROLL_DIALECT_H

#if defined(__CUDACC__)

#define DEVICE_FN static __device__ __forceinline__
typedef float real;
typedef int integer;
typedef unsigned natural;
#define REAL(constant) (constant)
#define BITS(x) __float_as_int(x)
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))
#define MAXIMUM(a, b) ((a) > (b) ? (a) : (b))
#define RECIPROCAL(d) (1.0f / (d))
#define FROM_BITS(i) __int_as_float(i)
#define SQRT(x) sqrtf(x)
#define MUL_HI(a, b) __umulhi(a, b)

#elif defined(__OPENCL_VERSION__)

#define DEVICE_FN static inline
typedef float real;
typedef int integer;
typedef uint natural;
#define REAL(constant) (constant)
#define BITS(x) as_int(x)
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))
#define MAXIMUM(a, b) ((a) > (b) ? (a) : (b))
#define RECIPROCAL(d) (1.0f / (d))
#define FROM_BITS(i) as_float(i)
#define SQRT(x) sqrt(x)
#define MUL_HI(a, b) mul_hi(a, b)

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
typedef unsigned long long wide_natural __attribute__((vector_size(8 * LANES)));
#define REAL(constant) ((constant) - real{}) /* x - 0 is x, also for -0 */
#define BITS(x) ((integer)(x))
#define FROM_BITS(i) ((real)(i))
#if defined(__AVX512F__)
#define MINIMUM(a, b) ((real)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define MAXIMUM(a, b) ((real)_mm512_max_ps((__m512)(a), (__m512)(b)))
DEVICE_FN real RECIPROCAL(real d) { /* an estimate and one step of Newton's method */
  real r = (real)_mm512_rcp14_ps((__m512)d);
  return r + r * (1.0f - d * r);
}
#elif defined(__AVX2__)
#define MINIMUM(a, b) ((real)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define MAXIMUM(a, b) ((real)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define RECIPROCAL(d) (1.0f / (d))
#else
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))
#define MAXIMUM(a, b) ((a) > (b) ? (a) : (b))
#define RECIPROCAL(d) (1.0f / (d))
#endif
DEVICE_FN real SQRT(real x) {
  real root;
  for (int i = 0; i < LANES; i++) root[i] = __builtin_sqrtf(x[i]);
  return root;
}
DEVICE_FN natural MUL_HI(natural a, natural b) {
  wide_natural product =
      __builtin_convertvector(a, wide_natural) * __builtin_convertvector(b, wide_natural);
  return __builtin_convertvector(product >> 32, natural);
}

#endif
#endif
