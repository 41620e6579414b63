/* All steps of a recurrence in one launch, with W_hh on the chip: a group for every eight rows of the batch, a warp
 * for sixteen units of hidden size or a few times sixteen. A lane has all gates of its pairs of row and unit, so that
 * the cell follows the product without leaving the registers; states and their gradients stay there from step to
 * step. What the next step multiplies lies twice in the group's memory, so that one barrier a step is enough.
 *
 * The product is that of mma m16n8: the weights are its left operand, sixteen units of a gate by DEPTH columns, kept
 * in the order of its fragments, first in registers and then in the group's memory; the batch is its right operand. In
 * FP32 the same lanes keep the same weights and multiply by themselves.
 *
 * Constants  HIDDEN, the hidden size up to which this serves, a multiple of 128; PRECISION, 0 FP32, 1 TF32, 2 BF16
 * Grid       one group of 256 lanes for every 8 rows; items is their number. The entries' memory: *_BYTES below
 * Source     the fragments are those of the PTX manual, "Matrix fragments for mma.m16n8k8" and "m16n8k16" */
#include "../gpu/cell.h"
#include "port.h"

#define BATCH 8
#define WARPS (GROUP / 32)
#define BLOCKS (HIDDEN / 16 / WARPS) /* sixteens of units of a warp */
#define PAIRS (4 * BLOCKS)           /* of row and unit of a lane */

#if PRECISION == 2
/* Pairs of bf16; a row of the batch lies in one piece. */
typedef unsigned short operand;
#define DEPTH 16
#define STRIDE(k) ((k) + 8) /* rows of the batch begin in different banks */
DEVICE_FN operand rounded(real x) { return (operand)pack_bf16(x, 0.0f); }
#else
typedef float operand;
#define DEPTH 8
#if PRECISION == 1
#define STRIDE(k) ((k) + 4)
DEVICE_FN operand rounded(real x) { return FROM_BITS((integer)to_tf32(x)); }
#else
DEVICE_FN operand rounded(real x) { return x; }
#endif
#endif

/* What a lane has, and what it needs besides weights; found by compiling, so that nothing is spilled. */
#define REGISTERS 255
#define FORWARD_REGISTERS (92 + BLOCKS * (17 * GATES + 8 * STATES) + (PRECISION == 0 ? 16 * GATES * BLOCKS : 0))
#define BACKWARD_REGISTERS (112 + BLOCKS * (4 * RESERVED + 14 * STATES + 8) + (PRECISION == 0 ? 48 * BLOCKS : 0))

struct fragment {
  unsigned word[4];
};

/* The product of ROWS sixteens of weights of this warp with the operands of a step, K of them for each row of the
 * batch, of which the first columns may be all that there are. */
template <int ROWS_OF_WEIGHTS, int K, int OTHER_REGISTERS>
struct on_chip {
  static constexpr int TILES = K / DEPTH * ROWS_OF_WEIGHTS;
  static constexpr int AT_HAND = REGISTERS > OTHER_REGISTERS ? (REGISTERS - OTHER_REGISTERS) / 4 : 0;
  static constexpr int KEPT_TILES = TILES < AT_HAND ? TILES : AT_HAND;
  static constexpr int SPILLED_TILES = TILES - KEPT_TILES;

  fragment kept[KEPT_TILES > 0 ? KEPT_TILES : 1];
  fragment *spilled; /* [SPILLED_TILES][GROUP] in the group's memory */

  /* weight(r, row, column) is the element of sixteen r, row 0..15, and column. */
  template <class Weight>
  __device__ __forceinline__ void load(fragment *place, const Weight &weight) {
    spilled = place;
    int g = LANE % 32 / 4, t = LANE % 4;
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
      int r = tile % ROWS_OF_WEIGHTS, k = tile / ROWS_OF_WEIGHTS * DEPTH;
      fragment f;
#pragma unroll
      for (int w = 0; w < 4; w++) {
        int row = g + w % 2 * 8;
#if PRECISION == 2
        int column = k + 2 * t + w / 2 * 8;
        f.word[w] = pack_bf16(weight(r, row, column), weight(r, row, column + 1));
#else
        f.word[w] = (unsigned)BITS(rounded(weight(r, row, k + t + w / 2 * 4)));
#endif
      }
      if (tile < KEPT_TILES) {
        kept[tile < KEPT_TILES ? tile : 0] = f;
      } else {
        spilled[(tile - KEPT_TILES) * GROUP + LANE] = f;
      }
    }
  }

  __device__ __forceinline__ fragment weights(int tile) const {
    return tile < KEPT_TILES ? kept[tile < KEPT_TILES ? tile : 0] : spilled[(tile - KEPT_TILES) * GROUP + LANE];
  }

  /* sum[r][2*u + j] is that of row g + 8*u of sixteen r and row 2*t + j of the batch. */
  __device__ __forceinline__ void multiply(const operand *right, real (&sum)[ROWS_OF_WEIGHTS][4]) const {
    int g = LANE % 32 / 4, t = LANE % 4;
#if PRECISION == 0
    real part[ROWS_OF_WEIGHTS][2][BATCH];
#pragma unroll
    for (int r = 0; r < ROWS_OF_WEIGHTS; r++) {
#pragma unroll
      for (int i = 0; i < 2 * BATCH; i++) part[r][i / BATCH][i % BATCH] = 0.0f;
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile += ROWS_OF_WEIGHTS) {
#pragma unroll
      for (int later = 0; later < 2; later++) {
        real h[BATCH];
        int k = tile / ROWS_OF_WEIGHTS * DEPTH + t + later * 4;
        ((float4 *)h)[0] = ((const float4 *)(right + k * BATCH))[0];
        ((float4 *)h)[1] = ((const float4 *)(right + k * BATCH))[1];
#pragma unroll
        for (int r = 0; r < ROWS_OF_WEIGHTS; r++) {
          fragment f = weights(tile + r);
#pragma unroll
          for (int u = 0; u < 2; u++) {
            real w = FROM_BITS((integer)f.word[later * 2 + u]);
#pragma unroll
            for (int b = 0; b < BATCH; b++) part[r][u][b] += w * h[b];
          }
        }
      }
    }
    /* Four lanes have a share of each sum; each of them gets the sums of two rows of the batch. */
#pragma unroll
    for (int r = 0; r < ROWS_OF_WEIGHTS; r++) {
#pragma unroll
      for (int u = 0; u < 2; u++) {
        real four[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
          real mine = t & 2 ? part[r][u][4 + i] : part[r][u][i], other = t & 2 ? part[r][u][i] : part[r][u][4 + i];
          four[i] = mine + __shfl_xor_sync(0xffffffffu, other, 2);
        }
#pragma unroll
        for (int j = 0; j < 2; j++) {
          real mine = t & 1 ? four[2 + j] : four[j], other = t & 1 ? four[j] : four[2 + j];
          sum[r][2 * u + j] = mine + __shfl_xor_sync(0xffffffffu, other, 1);
        }
      }
    }
#else
#pragma unroll
    for (int r = 0; r < ROWS_OF_WEIGHTS; r++) sum[r][0] = sum[r][1] = sum[r][2] = sum[r][3] = 0.0f;
#pragma unroll
    for (int tile = 0; tile < TILES; tile += ROWS_OF_WEIGHTS) {
      int k = tile / ROWS_OF_WEIGHTS * DEPTH;
      unsigned b[2];
#if PRECISION == 2
      const unsigned *row = (const unsigned *)(right + g * STRIDE(K) + k + 2 * t);
      b[0] = row[0];
      b[1] = row[4];
#else
      const operand *row = right + g * STRIDE(K) + k + t;
      b[0] = (unsigned)BITS(row[0]);
      b[1] = (unsigned)BITS(row[4]);
#endif
#pragma unroll
      for (int r = 0; r < ROWS_OF_WEIGHTS; r++) {
        fragment f = weights(tile + r);
#if PRECISION == 2
        multiply_bf16(sum[r], f.word, b);
#else
        multiply_tf32(sum[r], f.word, b);
#endif
      }
    }
#endif
  }
};

/* Where operand k of a row of the batch lies, and how many of them a buffer has. */
template <int K>
struct operands {
#if PRECISION == 0
  static constexpr int SIZE = K * BATCH;
  static __device__ __forceinline__ int at(int row, int k) { return k * BATCH + row; }
#else
  static constexpr int SIZE = STRIDE(K) * BATCH;
  static __device__ __forceinline__ int at(int row, int k) { return row * STRIDE(K) + k; }
#endif
};

/* The pairs (row, unit) of a lane: row 2*t + i%2 of the group's, unit g + i/2%2*8 of sixteen i/4 of its warp. */
struct pairs {
  int first, batch, hidden;

  __device__ __forceinline__ int local_row(int i) const { return LANE % 4 * 2 + i % 2; }
  __device__ __forceinline__ int row(int i) const { return first + local_row(i); }
  __device__ __forceinline__ int unit(int i) const {
    return (LANE / 32 * BLOCKS + i / 4) * 16 + LANE % 32 / 4 + i / 2 % 2 * 8;
  }
  __device__ __forceinline__ bool exist(int i) const { return row(i) < batch && unit(i) < hidden; }
  __device__ __forceinline__ offset state(int i) const { return row(i) * (offset)hidden + unit(i); }
};

using forward_product = on_chip<GATES * BLOCKS, HIDDEN, FORWARD_REGISTERS>;
using backward_product = on_chip<BLOCKS, GATES * HIDDEN, BACKWARD_REGISTERS>;

/* The buffers are those of io.unroll.device.RecurrentCall, over the whole sequence; weights is W_hh [G*H, H]. */
KERNEL block_forward_kernel(
    READS(real, zx), READS(real, weights), READS(real, bias_ih), READS(real, bias_hh), READS(real, unit_weights),
    READS(integer, lengths), WRITES(real, states), WRITES(real, keep), WRITES(real, y), int steps, int batch, int hidden,
    int reverse, int ld_y, offset items) {
  GROUP_MEMORY(fragment, chip);
  operand *h = reinterpret_cast<operand *>(chip + forward_product::SPILLED_TILES * GROUP);
  using layout = operands<HIDDEN>;
  pairs own = {(int)GROUP_NUMBER * BATCH, batch, hidden};
  offset size = batch * (offset)hidden;

  forward_product product;
  product.load(chip, [&](int r, int row, int column) {
    int gate = r % GATES, unit = (LANE / 32 * BLOCKS + r / GATES) * 16 + row;
    return unit < hidden && column < hidden ? AT(weights, (gate * (offset)hidden + unit) * hidden + column) : 0.0f;
  });
  for (int e = LANE; e < 2 * layout::SIZE; e += GROUP) h[e] = 0;
  BARRIER();

  real state[PAIRS][STATES], x[PAIRS][GATES], bias_x[PAIRS / 2][GATES], bias_h[PAIRS / 2][GATES];
  real unit_weight[PAIRS / 2][SOME(UNIT_WEIGHTS)];
  int length[PAIRS];
#pragma unroll
  for (int i = 0; i < PAIRS; i++) {
    if (!own.exist(i)) continue;
    length[i] = IS_GIVEN(lengths) ? AT(lengths, own.row(i)) : steps;
    for (int s = 0; s < STATES; s++) {
      state[i][s] = AT(states, s * (steps + 1) * size + (reverse ? steps : 0) * size + own.state(i));
    }
    h[layout::at(own.local_row(i), own.unit(i))] = rounded(state[i][0]);
    for (int g = 0; g < GATES; g++) {
      bias_x[i / 2][g] = AT(bias_ih, g * hidden + own.unit(i));
      bias_h[i / 2][g] = AT(bias_hh, g * hidden + own.unit(i));
      x[i][g] = AT(zx, ((reverse ? steps - 1 : 0) * (offset)batch + own.row(i)) * GATES * hidden + g * hidden + own.unit(i));
    }
    for (int p = 0; p < UNIT_WEIGHTS; p++) unit_weight[i / 2][p] = AT(unit_weights, p * hidden + own.unit(i));
  }
  BARRIER();
  for (int k = 0; k < steps; k++) {
    int t = reverse ? steps - 1 - k : k;
    const operand *before = h + k % 2 * layout::SIZE;
    operand *after = h + (1 - k % 2) * layout::SIZE;
    /* The next step's part of zx, which is on its way while this step multiplies. */
    real x_next[PAIRS][GATES];
#pragma unroll
    for (int i = 0; i < PAIRS; i++) {
      if (k + 1 < steps && own.exist(i)) {
        offset at = ((reverse ? t - 1 : t + 1) * (offset)batch + own.row(i)) * GATES * hidden + own.unit(i);
        for (int g = 0; g < GATES; g++) x_next[i][g] = AT(zx, at + g * hidden);
      }
    }
    real sum[GATES * BLOCKS][4];
    product.multiply(before, sum);
#pragma unroll
    for (int i = 0; i < PAIRS; i++) {
      if (!own.exist(i)) continue;
      real zx_of[GATES], zh_of[GATES], next[STATES], kept[SOME(RESERVED)];
      bool past = t >= length[i];
      for (int g = 0; g < GATES; g++) {
        zx_of[g] = x[i][g] + bias_x[i / 2][g];
        zh_of[g] = sum[i / 4 * GATES + g][i % 4] + bias_h[i / 2][g];
      }
      cell_forward(zx_of, zh_of, state[i], unit_weight[i / 2], next, kept);
      for (int s = 0; s < STATES; s++) {
        state[i][s] = past ? state[i][s] : next[s];
        AT(states, s * (steps + 1) * size + (reverse ? t : t + 1) * size + own.state(i)) = state[i][s];
      }
      if (IS_GIVEN(keep) && !past) {
        for (int r = 0; r < RESERVED; r++) {
          AT(keep, (t * (offset)batch + own.row(i)) * RESERVED * hidden + r * hidden + own.unit(i)) = kept[r];
        }
      }
      if (IS_GIVEN(y)) AT(y, (t * (offset)batch + own.row(i)) * ld_y + own.unit(i)) = past ? 0.0f : state[i][0];
      after[layout::at(own.local_row(i), own.unit(i))] = rounded(state[i][0]);
      for (int g = 0; g < GATES; g++) x[i][g] = x_next[i][g];
    }
    BARRIER();
  }
}

KERNEL block_backward_kernel(
    READS(real, weights), READS(real, keep), READS(real, unit_weights), READS(integer, lengths), READS(real, states),
    WRITES(real, ds), WRITES(real, d_unit), READS(real, dy), WRITES(real, dzx), WRITES(real, dzh), int steps, int batch,
    int hidden, int reverse, int ld_dy, offset items) {
  GROUP_MEMORY(fragment, chip);
  operand *dz = reinterpret_cast<operand *>(chip + backward_product::SPILLED_TILES * GROUP);
  using layout = operands<GATES * HIDDEN>;
  pairs own = {(int)GROUP_NUMBER * BATCH, batch, hidden};
  offset size = batch * (offset)hidden;

  backward_product product;
  product.load(chip, [&](int r, int row, int column) {
    int unit = (LANE / 32 * BLOCKS + r) * 16 + row, gate = column / HIDDEN, from = column % HIDDEN;
    return unit < hidden && from < hidden ? AT(weights, (gate * (offset)hidden + from) * hidden + unit) : 0.0f;
  });
  for (int e = LANE; e < 2 * layout::SIZE; e += GROUP) dz[e] = 0;

  real gradient[PAIRS][STATES], unit_weight[PAIRS / 2][SOME(UNIT_WEIGHTS)], d_weight[PAIRS][SOME(UNIT_WEIGHTS)];
  int length[PAIRS];
#pragma unroll
  for (int i = 0; i < PAIRS; i++) {
    if (!own.exist(i)) continue;
    length[i] = IS_GIVEN(lengths) ? AT(lengths, own.row(i)) : steps;
    for (int s = 0; s < STATES; s++) gradient[i][s] = AT(ds, s * size + own.state(i));
    for (int p = 0; p < UNIT_WEIGHTS; p++) {
      unit_weight[i / 2][p] = AT(unit_weights, p * hidden + own.unit(i));
      d_weight[i][p] = 0.0f;
    }
  }
  BARRIER();
  real sum[BLOCKS][4];
  for (int k = steps - 1; k >= 0; k--) {
    int t = reverse ? steps - 1 - k : k;
    operand *after = dz + k % 2 * layout::SIZE;
    /* What the cell needs is on its way while the gradients of the next step are multiplied. */
    real kept[PAIRS][SOME(RESERVED)], previous[PAIRS][STATES], next[PAIRS][STATES], dy_of[PAIRS];
#pragma unroll
    for (int i = 0; i < PAIRS; i++) {
      if (!own.exist(i)) continue;
      for (int r = 0; r < RESERVED; r++) {
        kept[i][r] = AT(keep, (t * (offset)batch + own.row(i)) * RESERVED * hidden + r * hidden + own.unit(i));
      }
      for (int s = 0; s < STATES; s++) {
        previous[i][s] = AT(states, s * (steps + 1) * size + (reverse ? t + 1 : t) * size + own.state(i));
        next[i][s] = AT(states, s * (steps + 1) * size + (reverse ? t : t + 1) * size + own.state(i));
      }
      dy_of[i] = IS_GIVEN(dy) ? AT(dy, (t * (offset)batch + own.row(i)) * ld_dy + own.unit(i)) : 0.0f;
    }
    product.multiply(dz + (k + 1) % 2 * layout::SIZE, sum);
#pragma unroll
    for (int i = 0; i < PAIRS; i++) {
      if (!own.exist(i)) continue;
      bool past = t >= length[i];
      real ds_of[STATES], dzx_of[GATES], dzh_of[GATES], before[STATES], d_weight_of[SOME(UNIT_WEIGHTS)];
      for (int s = 0; s < STATES; s++) ds_of[s] = gradient[i][s];
      ds_of[0] += sum[i / 4][i % 4];
      gradient[i][0] = ds_of[0];
      ds_of[0] += dy_of[i];
      cell_backward(kept[i], previous[i], next[i], unit_weight[i / 2], ds_of, dzx_of, dzh_of, before, d_weight_of);
      for (int s = 0; s < STATES; s++) gradient[i][s] = past ? gradient[i][s] : before[s];
      offset at = (t * (offset)batch + own.row(i)) * GATES * hidden + own.unit(i);
      for (int g = 0; g < GATES; g++) {
        AT(dzx, at + g * hidden) = past ? 0.0f : dzx_of[g];
        if (!INPUT_AND_RECURRENT_ADD) AT(dzh, at + g * hidden) = past ? 0.0f : dzh_of[g];
        after[layout::at(own.local_row(i), g * HIDDEN + own.unit(i))] = rounded(past ? 0.0f : dzh_of[g]);
      }
      for (int p = 0; p < UNIT_WEIGHTS; p++) d_weight[i][p] += past ? 0.0f : d_weight_of[p];
    }
    BARRIER();
  }
  product.multiply(dz, sum);
#pragma unroll
  for (int i = 0; i < PAIRS; i++) {
    if (!own.exist(i)) continue;
    gradient[i][0] += sum[i / 4][i % 4];
    for (int s = 0; s < STATES; s++) AT(ds, s * size + own.state(i)) = gradient[i][s];
    for (int p = 0; p < UNIT_WEIGHTS; p++) {
      AT(d_unit, (own.row(i) * (offset)UNIT_WEIGHTS + p) * hidden + own.unit(i)) += d_weight[i][p];
    }
  }
}
