/* W_hh [GATES*H,H] as step.h multiplies by it: rounded, in squares of fragments, those that a warp reads one after
 * another side by side. A square has SQUARE_SLOTS slots of 16 bytes, in each fragment one a lane. Squares lie as
 * [blocks of columns][blocks of k][gates]; beyond the edges they hold zeros.
 *   forward   h W_hh^T: a block is 16 units, its squares one of each gate; k runs over H
 *   backward  dzh W_hh: a block is 16*gates units, its squares 16 of them each; k runs over GATES*H
 * Grid  one lane per lane of a square
 * Cost  bandwidth: W_hh is read once, and half or all of its size written */
#include "../gpu/launch.h"
#include "fragments.h"

/* Rows of a square lie row_step apart, its k k_step; so many rows and k of it are inside. */
DEVICE_FN void pack_square(uint4 *square, const real *x, offset row_step, int rows, offset k_step, int k) {
  int lane = LANE % WARP, g = lane / 4, t = lane % 4;
  const real *at = x + g * row_step + t * QUAD * k_step;
  float4 first = load_quad(at, k_step, t * QUAD, g < rows ? k : 0, false);
  float4 second = load_quad(at + 8 * row_step, k_step, t * QUAD, g + 8 < rows ? k : 0, false);
  uint4 rounded[FRAGMENTS];
  round_square(first, second, rounded);
  for (int f = 0; f < FRAGMENTS; f++) square[f * WARP + lane] = rounded[f];
}

KERNEL pack_forward_kernel(READS(real, weights), WRITES(uint4, packed), int gates, int hidden, offset items) {
  int deep = (hidden + SQUARE - 1) / SQUARE;
  EACH_ITEM(i) {
    offset square = i / WARP, unit = square / gates / deep * SQUARE;
    int gate = (int)(square % gates), k = (int)(square / gates % deep) * SQUARE;
    pack_square(START(packed) + square * SQUARE_SLOTS, START(weights) + (gate * (offset)hidden + unit) * hidden + k,
                hidden, (int)(hidden - unit), 1, hidden - k);
  }
}

KERNEL pack_backward_kernel(READS(real, weights), WRITES(uint4, packed), int gates, int hidden, offset items) {
  int rows = gates * hidden, deep = (rows + SQUARE - 1) / SQUARE;
  EACH_ITEM(i) {
    offset square = i / WARP, unit = (square / gates / deep * gates + square % gates) * SQUARE;
    int k = (int)(square / gates % deep) * SQUARE;
    pack_square(START(packed) + square * SQUARE_SLOTS, START(weights) + (offset)k * hidden + unit, 1,
                (int)(hidden - unit), hidden, rows - k);
  }
}
