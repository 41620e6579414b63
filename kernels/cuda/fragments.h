/* Matrix fragments in the precision of the module, the macro PRECISION: 1 TF32, 2 BF16, as io.unroll.Precision
 * counts from FP32 on. Operands are rounded to nearest where they are put into fragments; sums are float32.
 *
 * The unit is a square of 16 rows by 16 of k, of the left operand or, with its columns for rows, of the right one.
 * Lane 4*g + t holds of it the rows g and g+8 and the four neighbours in k from 4*t on, which is what a lane reads
 * at once from a matrix that is stored by rows. Which k is which to the instruction does not matter, as long as it
 * is the same one in both operands. In bf16 a square is one fragment of four words a lane, each of two values; in
 * tf32 it is two fragments, and the first has of the four neighbours the first two. Words 0 and 1 are of row g,
 * words 2 and 3 of row g+8.
 */
#ifndef UNROLL_CUDA_FRAGMENTS_H
#define UNROLL_CUDA_FRAGMENTS_H
#include "quads.h"

#define SQUARE 16
#if PRECISION == 1
#define FRAGMENTS 2 /* of a square */
#elif PRECISION == 2
#define FRAGMENTS 1
#else
#error "PRECISION must be 1 (TF32) or 2 (BF16)"
#endif
#define SQUARE_SLOTS (FRAGMENTS * WARP) /* of 16 bytes that a square takes */

/* The two words that a row has of a lane's four in each fragment. */
DEVICE_FN void round_quad(const float4 &x, uint2 (&words)[FRAGMENTS]) {
#if PRECISION == 1
  words[0].x = to_tf32(x.x);
  words[0].y = to_tf32(x.y);
  words[1].x = to_tf32(x.z);
  words[1].y = to_tf32(x.w);
#else
  words[0].x = pack_bf16(x.x, x.y);
  words[0].y = pack_bf16(x.z, x.w);
#endif
}

/* A lane's part of a square: of row g, and of row g+8. */
DEVICE_FN void round_square(const float4 &first, const float4 &second, uint4 (&square)[FRAGMENTS]) {
  uint2 above[FRAGMENTS], below[FRAGMENTS];
  round_quad(first, above);
  round_quad(second, below);
  for (int f = 0; f < FRAGMENTS; f++) {
    square[f].x = above[f].x;
    square[f].y = above[f].y;
    square[f].z = below[f].x;
    square[f].w = below[f].y;
  }
}

/* D[16,16] += A B^T of a warp, for the k of one fragment. A lane holds of D rows g and g+8: in d[h] columns
 * 8*h + 2*t and the next, first of row g. */
DEVICE_FN void multiply_fragment(float (&d)[2][4], const uint4 &a, const uint4 &b) {
  const unsigned left[4] = {a.x, a.z, a.y, a.w}, first[2] = {b.x, b.y}, second[2] = {b.z, b.w};
#if PRECISION == 1
  multiply_tf32(d[0], left, first);
  multiply_tf32(d[1], left, second);
#else
  multiply_bf16(d[0], left, first);
  multiply_bf16(d[1], left, second);
#endif
}

#endif
