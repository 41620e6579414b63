/* C[m,n] = op(A) op(B) + beta C, row-major, in FP32, TF32 or BF16: what ../gpu/gemm.h computes, with the same
 * parameters. A group computes TILE x TILE of C, TILE being 128 or, for small C, 64; its eight warps lie two down
 * and four across. DEPTH of k at a time goes from the operands into registers, while the part before is multiplied;
 * then into the group's memory, of which there are two halves: panel.h says in which order.
 * Grid  one group per tile and slice of k, none of them more than once: a loop over tiles costs the registers that
 *       let two groups be on a processor
 * Cost  2*m*n*k operations; A is read n/TILE times, B m/TILE times */
#include "../pointwise.h"
#include "../gpu/launch.h"
#include "quads.h"

#define DEPTH 16
#define WARPS_DOWN 2
#define WARPS_ACROSS (WARPS / WARPS_DOWN)
#define ROWS_OF_WARP (TILE / WARPS_DOWN)
#define COLUMNS_OF_WARP (TILE / WARPS_ACROSS)
#define QUADS (TILE * DEPTH / QUAD / GROUP) /* that a lane brings of each operand */

/* Where the elements of C go. */
typedef struct {
  real *start;
  int m, n, ld;
  real beta;
  bool pairs; /* two neighbours at once are aligned, and nothing is added */
} result;

/* Two neighbours, as far as they are inside. */
DEVICE_FN void put_pair(const result &to, int row, int column, float first, float second) {
  offset at = (offset)row * to.ld + column;
  real *c_start = to.start, beta = to.beta;
  if (row >= to.m) return;
  if (to.pairs && column + 1 < to.n) {
    float2 both = {first, second};
    *(float2 *)(c_start + at) = both;
  } else {
    if (column < to.n) PUT(c, at, first);
    if (column + 1 < to.n) PUT(c, at + 1, second);
  }
}

/* Each of them tells what a panel is, PANEL slots of 16 bytes, what the sums of a lane, and how many groups are on a
 * processor at least, SIDE_BY_SIDE:
 *   put_quad         four neighbours in k of a row, the t-th of the panel, into it
 *   multiply_panels  sums += A B^T of the warp's rows of both
 *   put_sums         the sums into the result, whose tile begins at that row and column */
#if PRECISION == 0
#include "gemm_floats.h"
#else
#include "gemm_fragments.h"
#endif

/* Which quad of a panel a lane brings: lanes that follow one another read neighbours of the matrix, and whatever
 * they write are different banks of the group's memory. */
DEVICE_FN void place(int e, bool rows_are_neighbours, int *row, int *t) {
  if (rows_are_neighbours) {
    *row = e % TILE;
    *t = e / TILE;
  } else {
    *row = e / 64 * 16 + e / 4 % 2 * 8 + e / 8 % 8;
    *t = e % 4;
  }
}

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
  UNROLLED for (int q = 0; q < QUADS; q++) {
    int row, t;
    place(LANE + q * GROUP, ROWS_ARE_NEIGHBOURS, &row, &t);
    put_quad(panel, quads[q], row, t);
  }
}

#define GEMM(name, transpose_a, transpose_b)                                                               \
  RESIDENT(SIDE_BY_SIDE) name(READS(real, a), READS(real, b), WRITES(real, c), int m, int n, int k,        \
                              int lda, int ldb, int ldc, int slices, real beta, offset items) {            \
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
    result to = {START(c) + (offset)slice * m * ldc, m, n, ldc, beta, false};                              \
    to.pairs = ldc % 2 == 0 && (unsigned long long)to.start % 8 == 0 && beta == 0.0f;                      \
    put_sums(d, to, row, column);                                                                          \
  }

GEMM(gemm_nn_kernel, 0, 0)
GEMM(gemm_nt_kernel, 0, 1)
GEMM(gemm_tn_kernel, 1, 0)
GEMM(gemm_tt_kernel, 1, 1)
