/* Four neighbours of a row of float32, which a lane reads at once where they are aligned. */
#ifndef UNROLL_CUDA_QUADS_H
#define UNROLL_CUDA_QUADS_H
#include "port.h"

#define WARP 32
#define WARPS (GROUP / WARP)
#define QUAD 4

/* x[k..k+3] of a row, zero from `to` on; the neighbours are step apart. whole: the row is long enough, and 16 bytes
 * at once are aligned. */
DEVICE_FN float4 load_quad(const real *x, offset step, int k, int to, bool whole) {
  if (whole) return *(const float4 *)x;
  float4 quad = {0.0f, 0.0f, 0.0f, 0.0f};
  if (k < to) quad.x = x[0];
  if (k + 1 < to) quad.y = x[step];
  if (k + 2 < to) quad.z = x[2 * step];
  if (k + 3 < to) quad.w = x[3 * step];
  return quad;
}

/* Whether quads of rows that are so far apart can be read at once. */
DEVICE_FN bool aligned(const void *x, offset distance) { return (unsigned long long)x % 16 == 0 && distance % QUAD == 0; }

#endif
