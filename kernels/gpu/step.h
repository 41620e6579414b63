/* A step of a recurrence in one launch: the recurrent product and at once the cell.
 * A group computes ROWS_OF_GROUP rows of UNITS units with all their gates: a lane ROWS rows of one unit. DEPTH
 * columns of the left matrix and rows of the weights at a time lie in the group's own memory. ROWS, of 1, 2 and
 * 4, is the host's choice: few rows make more groups, many read the weights less often.
 * Grid  one group per piece of [batch, hidden]; items is the number of pieces
 * Cost  2*batch*hidden*GATES*hidden operations; the weights are read batch/ROWS_OF_GROUP times */
#include "cell.h"

#define UNITS 32
#define ROW_LANES (GROUP / UNITS)
#define ROWS_OF_GROUP (ROW_LANES * ROWS)
#define DEPTH 16

/* sum[r][g] = the product of row r of this lane in left [batch, k] with the column of its unit in gate g of
 * weights [k, gates*hidden]. gates is a constant, at most GATES. */
DEVICE_FN void multiply_step(LOCAL real *left_part, LOCAL real *weights_part, GLOBAL const real *left,
                             GLOBAL const real *weights, int row, int batch, int unit, int hidden, int k, int gates,
                             real (*sum)[GATES]) {
  for (int r = 0; r < ROWS; r++) {
    for (int g = 0; g < gates; g++) sum[r][g] = 0.0f;
  }
  for (int first = 0; first < k; first += DEPTH) {
    for (int e = LANE; e < ROWS_OF_GROUP * DEPTH; e += GROUP) {
      int r = row + e / DEPTH, p = first + e % DEPTH;
      left_part[e] = r < batch && p < k ? left[r * (offset)k + p] : 0.0f;
    }
    for (int e = LANE; e < DEPTH * gates * UNITS; e += GROUP) {
      int p = first + e / (gates * UNITS), g = e / UNITS % gates, u = unit + e % UNITS;
      weights_part[e] = p < k && u < hidden ? weights[(p * (offset)gates + g) * hidden + u] : 0.0f;
    }
    BARRIER();
    for (int p = 0; p < DEPTH; p++) {
      for (int r = 0; r < ROWS; r++) {
        real a = left_part[(LANE / UNITS + r * ROW_LANES) * DEPTH + p];
        for (int g = 0; g < gates; g++) sum[r][g] += a * weights_part[(p * gates + g) * UNITS + LANE % UNITS];
      }
    }
    BARRIER();
  }
}

/* weights: W_hh transposed, [H, G*H]. */
KERNEL step_forward_kernel(READS(real, zx), READS(real, weights), READS(real, bias_ih), READS(real, bias_hh),
                           READS(real, unit_weights), READS(integer, lengths), READS(integer, resets),
                           READS(real, previous), WRITES(real, next), WRITES(real, keep), WRITES(real, y), int batch,
                           int hidden, offset state_stride, int ld_y, int time, offset items) {
  SHARED real left_part[ROWS_OF_GROUP * DEPTH];
  SHARED real weights_part[DEPTH * GATES * UNITS];
  forward_step step = {START(zx), START(bias_ih), START(bias_hh), START(unit_weights), START(lengths),
                       START(resets), START(previous), START(next), START(keep), START(y), state_stride, hidden, ld_y,
                       time};
  int across = (hidden + UNITS - 1) / UNITS;
  EACH_ITEM_OF_GROUP(item) {
    int row = (int)(item / across) * ROWS_OF_GROUP, unit = (int)(item % across) * UNITS;
    real products[ROWS][GATES];
    multiply_step(left_part, weights_part, START(previous), START(weights), row, batch, unit, hidden, hidden,
                  GATES, products);
    for (int r = 0; r < ROWS; r++) {
      int b = row + LANE / UNITS + r * ROW_LANES, u = unit + LANE % UNITS;
      if (b < batch && u < hidden) forward_unit(&step, b, u, products[r]);
    }
  }
}

/* dzh_after and resets_after: those of the step after this one; dzh_after is absent for the last. With time -1 the
 * gradient of the first state gets its product; there is no step then. weights: W_hh [G*H, H]. */
KERNEL step_backward_kernel(READS(real, keep), READS(real, unit_weights), READS(integer, lengths),
                            READS(integer, resets), READS(real, previous), READS(real, next), WRITES(real, ds),
                            WRITES(real, d_unit), READS(real, dy), WRITES(real, dzx), WRITES(real, dzh), int batch,
                            int hidden, offset state_stride, int ld_dy, int time, READS(real, dzh_after),
                            READS(integer, resets_after), READS(real, weights), offset items) {
  SHARED real left_part[ROWS_OF_GROUP * DEPTH];
  SHARED real weights_part[DEPTH * UNITS];
  backward_step step = {START(keep), START(unit_weights), START(lengths), START(resets), START(previous),
                        START(next), START(ds), START(d_unit), START(dy), START(dzx), START(dzh), state_stride, batch,
                        hidden, ld_dy, time};
  int across = (hidden + UNITS - 1) / UNITS;
  EACH_ITEM_OF_GROUP(item) {
    int row = (int)(item / across) * ROWS_OF_GROUP, unit = (int)(item % across) * UNITS;
    real products[ROWS][GATES];
    int k = IS_GIVEN(dzh_after) ? GATES * hidden : 0;
    multiply_step(left_part, weights_part, START(dzh_after), START(weights), row, batch, unit, hidden, k, 1,
                  products);
    for (int r = 0; r < ROWS; r++) {
      int b = row + LANE / UNITS + r * ROW_LANES, u = unit + LANE % UNITS;
      if (b >= batch || u >= hidden) continue;
      real dzh_of_unit[GATES], dh = IS_RESET(START(resets_after), b) ? 0.0f : products[r][0];
      if (time < 0) {
        AT(ds, b * (offset)hidden + u) += dh;
      } else {
        backward_unit(&step, b, u, dh, dzh_of_unit);
      }
    }
  }
}
