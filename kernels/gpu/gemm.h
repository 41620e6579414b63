/* C[m,n] = op(A) op(B) + beta C, row-major: io.unroll.device.Device.gemm.
 * A group computes a square of C, a lane MICRO x MICRO of its elements; DEPTH columns of op(A) and rows of
 * op(B) at a time lie in the group's own memory. Where that makes too few groups, k is cut in slices, each
 * written to an array [slices,m,n] that column_sum_kernel then adds up: io.unroll.device.GpuGemm decides.
 * Grid  one group per square and slice; items is their number
 * Cost  2*m*n*k operations; A is read n/SQUARE times, B m/SQUARE times */
#include "../pointwise.h"
#include "launch.h"

#if GROUP == 256
#define SIDE 16
#elif GROUP == 64
#define SIDE 8
#else
#error "GROUP must be 256 or 64"
#endif
#define MICRO 4
#define SQUARE (SIDE * MICRO)
#define DEPTH 16
#define ROW (SQUARE + 1) /* of a panel; odd, so that lanes that write a column do not meet in one bank */

/* panel[p][i] = element (i, p) of a matrix of so many rows and columns from its element (row, column) on, zero
 * beyond its edge. A matrix stored by columns is transposed: its element (i, p) is at p*ld + i. */
DEVICE_FN void load_panel(LOCAL real *panel, GLOBAL const real *x, offset ld, int transposed, int row, int rows,
                          int column, int columns) {
  for (int e = LANE; e < SQUARE * DEPTH; e += GROUP) {
    int i = transposed ? e % SQUARE : e / DEPTH, p = transposed ? e / SQUARE : e % DEPTH;
    int r = row + i, c = column + p;
    panel[p * ROW + i] = r < rows && c < columns ? x[transposed ? c * ld + r : r * ld + c] : 0.0f;
  }
}

#define GEMM(name, transpose_a, transpose_b)                                                               \
  KERNEL name(READS(real, a), READS(real, b), WRITES(real, c), int m, int n, int k, int lda, int ldb, int ldc, \
              int slices, real beta, offset items) {                                                       \
    SHARED real a_panel[DEPTH * ROW];                                                                      \
    SHARED real b_panel[DEPTH * ROW];                                                                      \
    int down = (m + SQUARE - 1) / SQUARE, across = (n + SQUARE - 1) / SQUARE;                              \
    int depth = (k + slices - 1) / slices;                                                                 \
    int x = LANE % SIDE, y = LANE / SIDE;                                                                  \
    EACH_ITEM_OF_GROUP(item) {                                                                             \
      int row = (int)(item / across % down) * SQUARE, column = (int)(item % across) * SQUARE;              \
      int slice = (int)(item / across / down);                                                             \
      int from = slice * depth, to = k - from < depth ? k : from + depth;                                  \
      real sum[MICRO][MICRO];                                                                              \
      for (int i = 0; i < MICRO; i++) {                                                                    \
        for (int j = 0; j < MICRO; j++) sum[i][j] = 0.0f;                                                  \
      }                                                                                                    \
      for (int p = from; p < to; p += DEPTH) {                                                             \
        load_panel(a_panel, START(a), lda, transpose_a, row, m, p, to);                                    \
        load_panel(b_panel, START(b), ldb, !(transpose_b), column, n, p, to);                              \
        BARRIER();                                                                                         \
        multiply_panels(a_panel + y, b_panel + x, sum);                                                    \
        BARRIER();                                                                                         \
      }                                                                                                    \
      for (int i = 0; i < MICRO; i++) {                                                                    \
        for (int j = 0; j < MICRO; j++) {                                                                  \
          int r = row + y + i * SIDE, q = column + x + j * SIDE;                                           \
          if (r < m && q < n) PUT(c, ((offset)slice * m + r) * ldc + q, sum[i][j]);                        \
        }                                                                                                  \
      }                                                                                                    \
    }                                                                                                      \
  }

DEVICE_FN void multiply_panels(LOCAL const real *a, LOCAL const real *b, real (*sum)[MICRO]) {
  for (int p = 0; p < DEPTH; p++) {
    real left[MICRO], right[MICRO];
    for (int i = 0; i < MICRO; i++) {
      left[i] = a[p * ROW + i * SIDE];
      right[i] = b[p * ROW + i * SIDE];
    }
    for (int i = 0; i < MICRO; i++) {
      for (int j = 0; j < MICRO; j++) sum[i][j] += left[i] * right[j];
    }
  }
}

GEMM(gemm_nn_kernel, 0, 0)
GEMM(gemm_nt_kernel, 0, 1)
GEMM(gemm_tn_kernel, 1, 0)
GEMM(gemm_tt_kernel, 1, 1)
