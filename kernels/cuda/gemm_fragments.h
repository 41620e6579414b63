/* Panels of gemm.h in TF32 and BF16: squares of fragments one after another, multiplied by mma.sync. */
#include "fragments.h"

#define SQUARES_DOWN (ROWS_OF_WARP / SQUARE)
#define SQUARES_ACROSS (COLUMNS_OF_WARP / SQUARE)
#define SIDE_BY_SIDE 2
#define PANEL (TILE / SQUARE * SQUARE_SLOTS)

typedef float sums[SQUARES_DOWN][SQUARES_ACROSS][2][4];

/* Where a lane's part of a fragment lies: turned, so that eight rows do not meet in one bank. */
DEVICE_FN int slot(int g, int t) { return g * 4 + (t ^ g >> 1); }

DEVICE_FN void put_quad(uint4 *panel, const float4 &quad, int row, int t) {
  uint2 words[FRAGMENTS];
  round_quad(quad, words);
  for (int f = 0; f < FRAGMENTS; f++) {
    uint4 *to = panel + (row / SQUARE * FRAGMENTS + f) * WARP + slot(row % 8, t);
    ((uint2 *)to)[row / 8 % 2] = words[f];
  }
}

DEVICE_FN uint4 take(const uint4 *panel, int square, int fragment) {
  int lane = LANE % WARP;
  return panel[(square * FRAGMENTS + fragment) * WARP + slot(lane / 4, lane % 4)];
}

DEVICE_FN void multiply_panels(sums &d, const uint4 *a, const uint4 *b) {
  int warp = LANE / WARP;
  for (int f = 0; f < FRAGMENTS; f++) {
    uint4 right[SQUARES_ACROSS];
    UNROLLED for (int j = 0; j < SQUARES_ACROSS; j++) {
      right[j] = take(b, warp % WARPS_ACROSS * SQUARES_ACROSS + j, f);
    }
    UNROLLED for (int i = 0; i < SQUARES_DOWN; i++) {
      uint4 left = take(a, warp / WARPS_ACROSS * SQUARES_DOWN + i, f);
      UNROLLED for (int j = 0; j < SQUARES_ACROSS; j++) multiply_fragment(d[i][j], left, right[j]);
    }
  }
}

DEVICE_FN void put_sums(const sums &d, const result &to, int row, int column) {
  int lane = LANE % WARP, warp = LANE / WARP;
  row += warp / WARPS_ACROSS * ROWS_OF_WARP + lane / 4;
  column += warp % WARPS_ACROSS * COLUMNS_OF_WARP + lane % 4 * 2;
  UNROLLED for (int i = 0; i < SQUARES_DOWN; i++) {
    UNROLLED for (int j = 0; j < SQUARES_ACROSS; j++) {
      UNROLLED for (int e = 0; e < 4; e++) { /* two halves of the columns, two of the rows */
        int r = row + i * SQUARE + e % 2 * 8, q = column + j * SQUARE + e / 2 * 8;
        put_pair(to, r, q, d[i][j][e / 2][e % 2 * 2], d[i][j][e / 2][e % 2 * 2 + 1]);
      }
    }
  }
}
