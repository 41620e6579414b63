/* C[m,n] = op(A) op(B) + beta C in TF32 or BF16, row-major: what ../gpu/gemm.h computes in FP32, with the same
 * parameters. A group computes TILE x TILE of C, TILE being 128 or, for small C, 64; its eight warps lie two down and
 * four across. DEPTH of k at a time goes from the operands into registers, while the part before is multiplied;
 * then rounded into the group's memory, of which there are two halves, in the order of fragments.
 * Grid  one group per tile and slice of k, none of them more than once: a loop over tiles costs the registers that let
 *       two groups be on a processor
 * Cost  2*m*n*k operations; A is read n/TILE times, B m/TILE times; 16*TILE bytes of group memory in BF16,
 *       twice that in TF32, for each half and operand */
#include "../pointwise.h"
#include "../gpu/launch.h"
#include "fragments.h"

#define DEPTH SQUARE
#define WARPS_DOWN 2
#define WARPS_ACROSS (WARPS / WARPS_DOWN)
#define SQUARES_DOWN (TILE / SQUARE / WARPS_DOWN) /* of a warp */
#define SQUARES_ACROSS (TILE / SQUARE / WARPS_ACROSS)
#define QUADS (TILE * DEPTH / QUAD / GROUP) /* that a lane brings of each operand */
#define PANEL (TILE / SQUARE * SQUARE_SLOTS)

/* Which quad of a panel a lane brings: lanes that follow one another read neighbours of the matrix, and whatever
 * they write are different banks of the group's memory. */
DEVICE_FN void place(int e, bool rows_are_neighbours, int *row, int *t) {
  if (rows_are_neighbours) {
    *row = e % TILE;
    *t = e / TILE;
  } else {
    *row = e / 64 * SQUARE + e / 4 % 2 * 8 + e / 8 % 8;
    *t = e % 4;
  }
}

/* Where a lane's part of a fragment lies: turned, so that eight rows do not meet in one bank. */
DEVICE_FN int slot(int g, int t) { return g * 4 + (t ^ g >> 1); }

/* What a lane brings of op(A), or of op(B) by columns: where its quads of the next part begin. */
typedef struct {
  const real *x[QUADS];
  offset k_step;
  bool vector; /* 16 bytes at once are aligned */
} operand;

/* From `row` and k on. Beyond the last row it brings that one again: what becomes of it is not stored. */
template <bool ROWS_ARE_NEIGHBOURS>
DEVICE_FN void begin(operand &of, const real *x, offset ld, int row, int rows, int k) {
  of.k_step = ROWS_ARE_NEIGHBOURS ? ld : 1;
  of.vector = !ROWS_ARE_NEIGHBOURS && aligned(x, ld);
  UNROLLED for (int q = 0; q < QUADS; q++) {
    int r, t;
    place(LANE + q * GROUP, ROWS_ARE_NEIGHBOURS, &r, &t);
    r = row + r < rows ? row + r : rows - 1;
    of.x[q] = x + r * (ROWS_ARE_NEIGHBOURS ? 1 : ld) + (k + t * QUAD) * of.k_step;
  }
}

/* The next part, of which so much of k is left; zero beyond. */
template <bool ROWS_ARE_NEIGHBOURS>
DEVICE_FN void fetch(float4 (&quads)[QUADS], operand &of, int left) {
  UNROLLED for (int q = 0; q < QUADS; q++) {
    int row, t;
    place(LANE + q * GROUP, ROWS_ARE_NEIGHBOURS, &row, &t);
    if (ROWS_ARE_NEIGHBOURS) {
      quads[q] = load_quad(of.x[0] + q * (GROUP / TILE * QUAD) * of.k_step, of.k_step, t * QUAD, left, false);
    } else {
      quads[q] = load_quad(of.x[q], 1, t * QUAD, left, of.vector && (t + 1) * QUAD <= left);
      of.x[q] += DEPTH;
    }
  }
  if (ROWS_ARE_NEIGHBOURS) of.x[0] += DEPTH * of.k_step;
}

template <bool ROWS_ARE_NEIGHBOURS>
DEVICE_FN void put(uint4 *panel, const float4 (&quads)[QUADS]) {
  for (int q = 0; q < QUADS; q++) {
    int row, t;
    place(LANE + q * GROUP, ROWS_ARE_NEIGHBOURS, &row, &t);
    uint2 words[FRAGMENTS];
    round_quad(quads[q], words);
    for (int f = 0; f < FRAGMENTS; f++) {
      uint4 *to = panel + (row / SQUARE * FRAGMENTS + f) * WARP + slot(row % 8, t);
      ((uint2 *)to)[row / 8 % 2] = words[f];
    }
  }
}

DEVICE_FN uint4 take(const uint4 *panel, int square, int fragment) {
  int lane = LANE % WARP;
  return panel[(square * FRAGMENTS + fragment) * WARP + slot(lane / 4, lane % 4)];
}

typedef float sums[SQUARES_DOWN][SQUARES_ACROSS][2][4];

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

/* The sums of a warp into its part of C, of which c has the first row of the slice. */
DEVICE_FN void put_sums(const sums &d, real *c_start, int row, int m, int column, int n, int ldc, real beta) {
  int lane = LANE % WARP, warp = LANE / WARP;
  row += warp / WARPS_ACROSS * SQUARES_DOWN * SQUARE + lane / 4;
  column += warp % WARPS_ACROSS * SQUARES_ACROSS * SQUARE + lane % 4 * 2;
  bool pairs = ldc % 2 == 0 && (unsigned long long)c_start % 8 == 0 && beta == 0.0f;
  UNROLLED for (int i = 0; i < SQUARES_DOWN; i++) {
    UNROLLED for (int j = 0; j < SQUARES_ACROSS; j++) {
      UNROLLED for (int e = 0; e < 4; e++) { /* pairs of a lane: two halves of the columns, two of the rows */
        int r = row + i * SQUARE + e % 2 * 8, q = column + j * SQUARE + e / 2 * 8;
        float first = d[i][j][e / 2][e % 2 * 2], second = d[i][j][e / 2][e % 2 * 2 + 1];
        offset at = (offset)r * ldc + q;
        if (r >= m) continue;
        if (pairs && q + 1 < n) {
          float2 both = {first, second};
          *(float2 *)(c_start + at) = both;
        } else {
          if (q < n) PUT(c, at, first);
          if (q + 1 < n) PUT(c, at + 1, second);
        }
      }
    }
  }
}

#define GEMM(name, transpose_a, transpose_b)                                                               \
  RESIDENT(2) name(READS(real, a), READS(real, b), WRITES(real, c), int m, int n, int k, int lda, int ldb, \
                   int ldc, int slices, real beta, offset items) {                                         \
    SHARED uint4 panels[2][2][PANEL];                                                                      \
    int down = (m + TILE - 1) / TILE, across = (n + TILE - 1) / TILE;                                      \
    int depth = (k / slices + DEPTH) / DEPTH * DEPTH;                                                      \
    natural item = (natural)GROUP_NUMBER, tile = item / across;                                            \
    int column = (int)(item % across) * TILE, row = (int)(tile % down) * TILE;                             \
    int slice = (int)(tile / down), from = slice * depth, rest = k - from < depth ? k - from : depth;      \
    operand left, right;                                                                                   \
    float4 next_a[QUADS], next_b[QUADS];                                                                   \
    sums d = {};                                                                                           \
    begin<transpose_a>(left, START(a), lda, row, m, from);                                                 \
    begin<!(transpose_b)>(right, START(b), ldb, column, n, from);                                          \
    fetch<transpose_a>(next_a, left, rest);                                                                \
    fetch<!(transpose_b)>(next_b, right, rest);                                                            \
    while (rest > 0) {                                                                                     \
      int half = rest / DEPTH % 2; /* the other is full again only behind the next barrier */              \
      put<transpose_a>(panels[half][0], next_a);                                                           \
      put<!(transpose_b)>(panels[half][1], next_b);                                                        \
      BARRIER();                                                                                           \
      rest -= DEPTH;                                                                                       \
      fetch<transpose_a>(next_a, left, rest);                                                              \
      fetch<!(transpose_b)>(next_b, right, rest);                                                          \
      multiply_panels(d, panels[half][0], panels[half][1]);                                                \
    }                                                                                                      \
    put_sums(d, START(c) + (offset)slice * m * ldc, row, m, column, n, ldc, beta);                         \
  }

GEMM(gemm_nn_kernel, 0, 0)
GEMM(gemm_nt_kernel, 0, 1)
GEMM(gemm_tn_kernel, 1, 0)
GEMM(gemm_tt_kernel, 1, 1)
