/* A step of a recurrence in one launch, in TF32 or BF16: the recurrent product by fragments and at once the cell.
 * What ../gpu/step.h does in FP32, with the same parameters but for the weights, which pack.h has packed, and
 * row_warps: 1, 2, 4 or 8 of the eight warps of a group have 16 rows each, the others share out k among them.
 * Forward a group has 16 units with all their gates, backward 16*GATES units; a warp multiplies its rows by GATES
 * squares at a time. It reads both operands from memory into the registers that the instruction takes: what
 * another warp of the group has read as well comes from the cache of the processor.
 * Grid  one group per piece of [batch, hidden]; items is the number of pieces
 * Cost  2*batch*hidden*GATES*hidden operations; the weights are read batch/(16*row_warps) times, the states
 *       hidden/16 times, dzh hidden/(16*GATES) times */
#include "../gpu/cell.h"
#include "fragments.h"

/* What the warps of a group have multiplied: [warp][square][row][column]. */
typedef float products[WARPS][GATES][SQUARE][SQUARE];

/* The column of an element, turned so that rows which a warp writes at once do not meet in one bank. */
DEVICE_FN int turned(int row, int column) { return column ^ row / 2 % 2 * 8; }

/* What a lane brings for one square of k. */
typedef struct {
  float4 above, below;
  uint4 weights[GATES][FRAGMENTS];
} operands;

DEVICE_FN void fetch(operands &next, const real *above, const real *below, int k, int end, bool vector,
                     const uint4 *weights) {
  bool whole = vector && k + QUAD <= end;
  next.above = load_quad(above + k, 1, k, end, whole);
  next.below = load_quad(below + k, 1, k, end, whole);
  UNROLLED for (int p = 0; p < GATES; p++) {
    UNROLLED for (int f = 0; f < FRAGMENTS; f++) next.weights[p][f] = weights[(p * FRAGMENTS + f) * WARP];
  }
}

/* The products of a group's rows of left [batch,k], from `row` on, with the squares of one block of the packed
 * weights. All lanes of the group must call it. */
DEVICE_FN void multiply_step(products &parts, const real *left, int row, int batch, int k, const uint4 *block,
                             int row_warps) {
  int lane = LANE % WARP, warp = LANE / WARP, g = lane / 4, t = lane % 4;
  int squares = (k + SQUARE - 1) / SQUARE, share = (squares * row_warps + WARPS - 1) / WARPS;
  int first = warp / row_warps * share, last = first + share < squares ? first + share : squares;
  row += warp % row_warps * SQUARE + g;
  /* Beyond the last row it takes that one again: what becomes of it is not stored. */
  const real *above = left + (row < batch ? row : batch - 1) * (offset)k;
  const real *below = left + (row + 8 < batch ? row + 8 : batch - 1) * (offset)k;
  const uint4 *weights = block + lane;
  bool vector = aligned(left, k);
  float d[GATES][2][4] = {};
  operands next;
  if (first < last) {
    fetch(next, above, below, first * SQUARE + t * QUAD, k, vector, weights + (offset)first * GATES * SQUARE_SLOTS);
  }
  for (int s = first; s < last; s++) {
    operands now = next;
    if (s + 1 < last) {
      fetch(next, above, below, (s + 1) * SQUARE + t * QUAD, k, vector,
            weights + (s + 1) * (offset)(GATES * SQUARE_SLOTS));
    }
    uint4 rounded[FRAGMENTS];
    round_square(now.above, now.below, rounded);
    UNROLLED for (int p = 0; p < GATES; p++) {
      UNROLLED for (int f = 0; f < FRAGMENTS; f++) multiply_fragment(d[p], rounded[f], now.weights[p][f]);
    }
  }
  UNROLLED for (int p = 0; p < GATES; p++) {
    UNROLLED for (int e = 0; e < 4; e++) {
      int r = g + e % 2 * 8;
      float2 both = {d[p][e / 2][e % 2 * 2], d[p][e / 2][e % 2 * 2 + 1]};
      *(float2 *)&parts[warp][p][r][turned(r, e / 2 * 8 + t * 2)] = both;
    }
  }
  BARRIER();
}

/* The product in an element of the group's rows and squares: the sum over the shares of k. */
DEVICE_FN real product_at(const products &parts, int row_warps, int row, int square, int column) {
  real sum = 0.0f;
  for (int warp = row / SQUARE; warp < WARPS; warp += row_warps) {
    sum += parts[warp][square][row % SQUARE][turned(row % SQUARE, column)];
  }
  return sum;
}

/* packed: of pack_forward_kernel. */
KERNEL step_forward_kernel(READS(real, zx), READS(uint4, packed), READS(real, bias_ih), READS(real, bias_hh),
                           READS(real, unit_weights), READS(integer, lengths), READS(integer, resets),
                           READS(real, previous), WRITES(real, next), WRITES(real, keep), WRITES(real, y), int batch,
                           int hidden, offset state_stride, int ld_y, int time, int row_warps, offset items) {
  SHARED products parts;
  forward_step step = {START(zx), START(bias_ih), START(bias_hh), START(unit_weights), START(lengths),
                       START(resets), START(previous), START(next), START(keep), START(y), state_stride, hidden, ld_y,
                       time};
  int across = (hidden + SQUARE - 1) / SQUARE;
  EACH_ITEM_OF_GROUP(item) {
    int row = (int)(item / across) * row_warps * SQUARE, block = (int)(item % across);
    multiply_step(parts, START(previous), row, batch, hidden,
                  START(packed) + (offset)block * across * (GATES * SQUARE_SLOTS), row_warps);
    for (int e = LANE; e < row_warps * SQUARE * SQUARE; e += GROUP) {
      int r = e / SQUARE, u = e % SQUARE;
      real zh[GATES];
      for (int g = 0; g < GATES; g++) zh[g] = product_at(parts, row_warps, r, g, u);
      if (row + r < batch && block * SQUARE + u < hidden) forward_unit(&step, row + r, block * SQUARE + u, zh);
    }
    BARRIER();
  }
}

/* dzh_after and resets_after: those of the step after this one; dzh_after is absent for the last. With time -1 the
 * gradient of the first state gets its product; there is no step then. packed: of pack_backward_kernel. */
KERNEL step_backward_kernel(READS(real, keep), READS(real, unit_weights), READS(integer, lengths),
                            READS(integer, resets), READS(real, previous), READS(real, next), WRITES(real, ds),
                            WRITES(real, d_unit), READS(real, dy), WRITES(real, dzx), WRITES(real, dzh), int batch,
                            int hidden, offset state_stride, int ld_dy, int time, READS(real, dzh_after),
                            READS(integer, resets_after), READS(uint4, packed), int row_warps, offset items) {
  SHARED products parts;
  backward_step step = {START(keep), START(unit_weights), START(lengths), START(resets), START(previous),
                        START(next), START(ds), START(d_unit), START(dy), START(dzx), START(dzh), state_stride, batch,
                        hidden, ld_dy, time};
  int across = (hidden + GATES * SQUARE - 1) / (GATES * SQUARE), deep = (GATES * hidden + SQUARE - 1) / SQUARE;
  EACH_ITEM_OF_GROUP(item) {
    int row = (int)(item / across) * row_warps * SQUARE, block = (int)(item % across);
    multiply_step(parts, START(dzh_after), row, batch, IS_GIVEN(dzh_after) ? GATES * hidden : 0,
                  START(packed) + (offset)block * deep * (GATES * SQUARE_SLOTS), row_warps);
    for (int e = LANE; e < row_warps * SQUARE * GATES * SQUARE; e += GROUP) {
      int r = e / (GATES * SQUARE), u = e % (GATES * SQUARE);
      real dh = product_at(parts, row_warps, r, u / SQUARE, u % SQUARE), dzh_of_unit[GATES];
      r += row;
      u += block * GATES * SQUARE;
      if (r >= batch || u >= hidden) continue;
      if (IS_RESET(START(resets_after), r)) dh = 0.0f;
      if (time < 0) {
        AT(ds, r * (offset)hidden + u) += dh;
      } else {
        backward_unit(&step, r, u, dh, dzh_of_unit);
      }
    }
    BARRIER();
  }
}
