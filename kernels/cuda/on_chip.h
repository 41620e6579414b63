/* The product of a step of a recurrence, weights by operands, with the weights on the chip for all steps: first in
 * registers, then in the group's memory. Each warp has some sixteens of rows of the weights, and multiplies them
 * with the operands of BATCH rows of the batch; it is that of mma m16n8, with the weights on the left.
 *
 * A lane keeps the weights as fragments, for g = lane / 4 and t = lane % 4 those of the rows g and g + 8. Which columns
 * make a fragment is free as long as the operands agree: here t has the 16 bytes that follow one another in a row of
 * operands, so that one read serves two products. In FP32 the same lanes keep the same rows and multiply by themselves.
 *
 * Constants  GROUP lanes; PRECISION, 0 FP32, 1 TF32, 2 BF16
 * Source     the fragments are those of the PTX manual, "Matrix fragments for mma.m16n8k8" and "m16n8k16" */
#ifndef UNROLL_CUDA_ON_CHIP_H
#define UNROLL_CUDA_ON_CHIP_H
#include "../gpu/launch.h"
#include "port.h"

#if PRECISION == 0
#define ROWS 1 /* of the batch, whose sums a lane ends with */
typedef float operand;
#define DEPTH 8
#elif PRECISION == 1
#define ROWS 2
typedef unsigned operand;
#define DEPTH 8
#else
#define ROWS 2
typedef unsigned short operand;
#define DEPTH 16
#endif
#define BATCH (4 * ROWS)

struct alignas(16) fragment {
  unsigned word[4];
};

DEVICE_FN operand rounded(real x) {
#if PRECISION == 0
  return x;
#elif PRECISION == 1
  return to_tf32(x);
#else
  return (operand)pack_bf16(x, 0.0f);
#endif
}

/* What a step multiplies: K operands for each row of the batch. */
template <int K>
struct operands {
  static constexpr int SIZE = K * BATCH;
#if PRECISION == 0
  /* The rows of one k lie side by side, as a lane wants them. */
  static constexpr int NEXT_K = BATCH;
  static __device__ __forceinline__ int at(int row, int k) { return k * BATCH + row; }
#else
  /* A row lies in one piece. Its 16 bytes are exchanged within eights of them, by the row, so that neither those
   * who read, two rows at once, nor those who write, four rows at once, meet in a bank. */
  static constexpr int NEXT_K = 1;
  static constexpr int SIDE_BY_SIDE = 16 / sizeof(operand);
  static_assert(K % (8 * SIDE_BY_SIDE) == 0, "whole eights of 16 bytes");
  static __device__ __forceinline__ int at(int row, int k) {
    int place = k / SIDE_BY_SIDE ^ (row % 2 * 4 + row / 2);
    return row * K + place * SIDE_BY_SIDE + k % SIDE_BY_SIDE;
  }
#endif
};

/* COUNT sixteens of rows of weights of a warp, K columns of them, of which KEPT fragments stay in registers. */
template <int COUNT, int K, int KEPT>
struct on_chip {
  static constexpr int FRAGMENTS = K / DEPTH * COUNT;
  static constexpr int IN_MEMORY = FRAGMENTS - KEPT;
  static_assert(KEPT > 0 && KEPT <= FRAGMENTS, "there are no more");
  using layout = operands<K>;
  /* Of the group's memory, with the operands of two steps behind the fragments. */
  static constexpr int BYTES = IN_MEMORY * GROUP * (int)sizeof(fragment) + 2 * layout::SIZE * (int)sizeof(operand);

  fragment kept[KEPT];
  const fragment *rest; /* [IN_MEMORY][GROUP] in the group's memory */

  /* The column of word w of the fragments of depth d; in BF16 the first of two. */
  static __device__ __forceinline__ int column(int d, int w) {
    int t = LANE % 4;
#if PRECISION == 0
    return d * DEPTH + w / 2 * 4 + t;
#elif PRECISION == 1
    return d / 2 * 16 + t * 4 + d % 2 * 2 + w / 2;
#else
    return d / 2 * 32 + t * 8 + d % 2 * 4 + w / 2 * 2;
#endif
  }

  template <class Weight>
  static __device__ __forceinline__ fragment loaded(int index, const Weight &weight) {
    int r = index % COUNT, d = index / COUNT;
    fragment f;
    UNROLLED
    for (int w = 0; w < 4; w++) {
      int row = LANE % 32 / 4 + w % 2 * 8, k = column(d, w);
#if PRECISION == 0
      f.word[w] = (unsigned)BITS(weight(r, row, k));
#elif PRECISION == 1
      f.word[w] = to_tf32(weight(r, row, k));
#else
      f.word[w] = pack_bf16(weight(r, row, k), weight(r, row, k + 1));
#endif
    }
    return f;
  }

  /* weight(r, row, column) is the element of sixteen r, row 0..15, and column. memory is for IN_MEMORY x GROUP; each
   * lane reads only what it wrote. */
  template <class Weight>
  __device__ __forceinline__ void load(fragment *memory, int hidden, const Weight &weight) {
    rest = memory;
    UNROLLED
    for (int index = 0; index < KEPT; index++) {
      fragment f = {{0, 0, 0, 0}};
      /* Also keeps the compiler from having all on their way at once, which takes twice the registers. */
      if (index / COUNT / 2 * 2 * DEPTH % HIDDEN < hidden) f = loaded(index, weight);
      kept[index] = f;
    }
    ROLLED
    for (int index = KEPT; index < FRAGMENTS; index++) memory[(index - KEPT) * GROUP + LANE] = loaded(index, weight);
  }

  __device__ __forceinline__ fragment weights(int index) const {
    return index < KEPT ? kept[index < KEPT ? index : 0] : rest[(index - KEPT) * GROUP + LANE];
  }

  /* Adds the product to sum: sum[r][u*ROWS + j] is that of row g + 8*u of sixteen r and row t*ROWS + j of the batch. */
#if PRECISION == 0
  __device__ __forceinline__ void multiply(const operand *right, real (&sum)[COUNT][2 * ROWS]) const {
    real part[COUNT][2][BATCH];
    UNROLLED
    for (int i = 0; i < COUNT * 2 * BATCH; i++) part[i / (2 * BATCH)][i / BATCH % 2][i % BATCH] = 0.0f;
    UNROLLED
    for (int d = 0; d < K / DEPTH; d++) {
      float4 h[2];
      h[0] = *(const float4 *)(right + column(d, 0) * BATCH);
      h[1] = *(const float4 *)(right + column(d, 2) * BATCH);
      UNROLLED
      for (int r = 0; r < COUNT; r++) {
        fragment f = weights(d * COUNT + r);
        UNROLLED
        for (int w = 0; w < 4; w++) {
          real weight = FROM_BITS((integer)f.word[w]);
          part[r][w % 2][0] += weight * h[w / 2].x;
          part[r][w % 2][1] += weight * h[w / 2].y;
          part[r][w % 2][2] += weight * h[w / 2].z;
          part[r][w % 2][3] += weight * h[w / 2].w;
        }
      }
    }
    /* Four lanes have a share of each sum; each of them gets those of one row of the batch. */
    int t = LANE % 4;
    UNROLLED
    for (int i = 0; i < COUNT * 2; i++) {
      real(&four)[BATCH] = part[i / 2][i % 2];
      real two[2];
      UNROLLED
      for (int j = 0; j < 2; j++) {
        real mine = t & 2 ? four[2 + j] : four[j], other = t & 2 ? four[j] : four[2 + j];
        two[j] = mine + __shfl_xor_sync(0xffffffffu, other, 2);
      }
      real mine = t & 1 ? two[1] : two[0], other = t & 1 ? two[0] : two[1];
      sum[i / 2][i % 2] += mine + __shfl_xor_sync(0xffffffffu, other, 1);
    }
  }
#else
  /* Products that do not wait for one another: four, if need be by sums of every so many fragments. */
  static constexpr int CHAINS = COUNT < 3 ? 4 / COUNT : 1;

  __device__ __forceinline__ void multiply(const operand *right, real (&sum)[COUNT][2 * ROWS]) const {
    int g = LANE % 32 / 4, t = LANE % 4;
    real chain[CHAINS][COUNT][4];
    UNROLLED
    for (int i = 0; i < CHAINS * COUNT * 4; i++) {
      int r = i / 4 % COUNT;
      chain[i / 4 / COUNT][r][i % 4] = i / 4 / COUNT == 0 ? sum[r][i % 4] : 0.0f;
    }
    /* Four times 16 bytes for two depths; what operands::at exchanges is the same for every other four. */
    const operand *even = right + layout::at(g, t * layout::SIDE_BY_SIDE);
    const operand *odd = even - (g % 2 == 0 ? 0 : 8 * layout::SIDE_BY_SIDE);
    UNROLLED
    for (int d = 0; d < K / DEPTH; d += 2) {
      uint4 b = *(const uint4 *)((d % 4 == 0 ? even : odd) + d * 2 * layout::SIDE_BY_SIDE);
      unsigned words[2][2] = {{b.x, b.y}, {b.z, b.w}};
      UNROLLED
      for (int i = 0; i < 2 * COUNT; i++) {
        int depth = d + i / COUNT, r = i % COUNT;
        fragment f = weights(depth * COUNT + r);
#if PRECISION == 1
        multiply_tf32(chain[depth % CHAINS][r], f.word, words[i / COUNT]);
#else
        multiply_bf16(chain[depth % CHAINS][r], f.word, words[i / COUNT]);
#endif
      }
    }
    UNROLLED
    for (int i = 0; i < COUNT * (2 * ROWS); i++) {
      real total = chain[0][i / (2 * ROWS)][i % (2 * ROWS)];
      UNROLLED
      for (int c = 1; c < CHAINS; c++) total += chain[c][i / (2 * ROWS)][i % (2 * ROWS)];
      sum[i / (2 * ROWS)][i % (2 * ROWS)] = total;
    }
  }
#endif
};

#endif
