/* Panels of gemm.h in FP32: [DEPTH][TILE] floats, of which a lane reads four neighbours at once. A lane has in each run
 * of 32 rows and 16 columns of its warp 4 x 4 sums. */
#define RUNS_DOWN (ROWS_OF_WARP / 32)
#define RUNS_ACROSS (COLUMNS_OF_WARP / 16)
#define SIDE_BY_SIDE (TILE == 128 ? 1 : 2) /* two of the large ones would spill registers */
#define PANEL (DEPTH * TILE / QUAD)

typedef float sums[RUNS_DOWN][RUNS_ACROSS][QUAD][QUAD];

/* Four rows of the panel at the t-th quad of k: turned, so that lanes which write different quads do not meet in one
 * bank. */
DEVICE_FN int four_rows(int number, int t) { return number ^ (t & 1) ^ (t & 2) * 2; }

DEVICE_FN void put_quad(uint4 *panel, const float4 &quad, int row, int t) {
  float *to = (float *)(panel + t * QUAD * (TILE / QUAD) + four_rows(row / QUAD, t)) + row % QUAD;
  to[0] = quad.x;
  to[TILE] = quad.y;
  to[2 * TILE] = quad.z;
  to[3 * TILE] = quad.w;
}

DEVICE_FN void take(float (&four)[QUAD], const uint4 *row) {
  float4 quad = *(const float4 *)row;
  four[0] = quad.x;
  four[1] = quad.y;
  four[2] = quad.z;
  four[3] = quad.w;
}

DEVICE_FN void multiply_panels(sums &d, const uint4 *a, const uint4 *b) {
  int lane = LANE % WARP, warp = LANE / WARP;
  int down = warp / WARPS_ACROSS * (ROWS_OF_WARP / QUAD) + lane / 4;
  int across = warp % WARPS_ACROSS * (COLUMNS_OF_WARP / QUAD) + lane % 4;
  ROLLED for (int t = 0; t < DEPTH / QUAD; t++) {
    UNROLLED for (int k = 0; k < QUAD; k++) {
      float left[RUNS_DOWN][QUAD], right[RUNS_ACROSS][QUAD];
      UNROLLED for (int i = 0; i < RUNS_DOWN; i++) take(left[i], a + four_rows(down + i * 8, t));
      UNROLLED for (int j = 0; j < RUNS_ACROSS; j++) take(right[j], b + four_rows(across + j * 4, t));
      UNROLLED for (int i = 0; i < RUNS_DOWN; i++) {
        UNROLLED for (int j = 0; j < RUNS_ACROSS; j++) {
          UNROLLED for (int r = 0; r < QUAD; r++) {
            UNROLLED for (int q = 0; q < QUAD; q++) d[i][j][r][q] += left[i][r] * right[j][q];
          }
        }
      }
      a += TILE / QUAD;
      b += TILE / QUAD;
    }
  }
}

DEVICE_FN void put_sums(const sums &d, const result &to, int row, int column) {
  int lane = LANE % WARP, warp = LANE / WARP;
  row += warp / WARPS_ACROSS * ROWS_OF_WARP + lane / 4 * QUAD;
  column += warp % WARPS_ACROSS * COLUMNS_OF_WARP + lane % 4 * QUAD;
  UNROLLED for (int i = 0; i < RUNS_DOWN; i++) {
    UNROLLED for (int j = 0; j < RUNS_ACROSS; j++) {
      UNROLLED for (int r = 0; r < QUAD; r++) {
        UNROLLED for (int q = 0; q < QUAD; q += 2) {
          put_pair(to, row + i * 32 + r, column + j * 16 + q, d[i][j][r][q], d[i][j][r][q + 1]);
        }
      }
    }
  }
}
