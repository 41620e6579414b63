/* All steps of a recurrence in one launch. A group keeps some rows of the batch for the whole sequence and knows
 * nothing of the others; h, or backward the gradients of the recurrent product, lie twice in its own memory, those of
 * the step before and those of this one, so that one barrier a step is enough. lanes_of_row lanes, which divide GROUP,
 * share ROWS rows: a lane computes ROWS rows of one unit, and then of the unit lanes_of_row further on. The weights are
 * read at every step: out of the group's own memory if they fit there (KEPT is 1 and SLICE has room for them), else out
 * of the device's caches.
 * Constants  ROWS, 1, 2 or 4; KEPT; SLICE, the group's own memory in reals: io.unroll.device.GpuSequencePlan
 * Grid       one group per GROUP / lanes_of_row * ROWS rows; items is the number of groups */
#include "cell.h"

#if KEPT
#define WEIGHTS LOCAL const real *
#else
#define WEIGHTS GLOBAL const real *
#endif

/* Where the weights are to be read: copies them behind the states if they are kept. */
DEVICE_FN WEIGHTS own_weights(LOCAL real *place, GLOBAL const real *weights, offset size) {
#if KEPT
  for (offset e = LANE; e < size; e += GROUP) place[e] = weights[e];
  return place;
#else
  return weights;
#endif
}

/* sum[r][g] = the product of row r of left [rows_of_group, k], in the group's own memory, with the column unit of
 * gate g of weights [k, gates*hidden]. gates is a constant, at most GATES. */
DEVICE_FN void multiply_rows(LOCAL const real *left, WEIGHTS weights, int unit, int hidden, int k, int gates,
                             real (*sum)[GATES]) {
  for (int r = 0; r < ROWS; r++) {
    for (int g = 0; g < gates; g++) sum[r][g] = 0.0f;
  }
  for (int p = 0; p < k; p++) {
    for (int g = 0; g < gates; g++) {
      real w = weights[(p * gates + g) * hidden + unit];
      for (int r = 0; r < ROWS; r++) sum[r][g] += left[r * k + p] * w;
    }
  }
}

/* weights: W_hh transposed, [H, G*H]. The other buffers are those of the whole sequence. */
KERNEL sequence_forward_kernel(READS(real, zx), READS(real, weights), READS(real, bias_ih), READS(real, bias_hh),
                               READS(real, unit_weights), READS(integer, lengths), READS(integer, resets),
                               WRITES(real, states), WRITES(real, keep), WRITES(real, y), int steps, int batch,
                               int hidden, int reverse, int ld_y, int lanes_of_row, offset items) {
  SHARED real slice[SLICE];
  int rows_of_group = GROUP / lanes_of_row * ROWS;
  offset size = batch * (offset)hidden;
  int floats = rows_of_group * hidden, lane_row = LANE / lanes_of_row * ROWS;
  WEIGHTS own = own_weights(slice + 2 * floats, START(weights), (offset)GATES * hidden * hidden);
  EACH_ITEM_OF_GROUP(item) {
    int first = (int)item * rows_of_group, rows = batch - first < rows_of_group ? batch - first : rows_of_group;
    for (int e = LANE; e < floats; e += GROUP) {
      slice[e] = e < rows * hidden ? AT(states, (reverse ? steps : 0) * size + first * (offset)hidden + e) : 0.0f;
      slice[floats + e] = 0.0f;
    }
    BARRIER();
    for (int k = 0; k < steps; k++) {
      int t = reverse ? steps - 1 - k : k;
      LOCAL const real *h = slice + (k % 2) * floats;
      LOCAL real *h_next = slice + (1 - k % 2) * floats;
      forward_step step = {START(zx) + t * size * GATES, START(bias_ih), START(bias_hh), START(unit_weights),
                           START(lengths), IS_GIVEN(resets) ? START(resets) + t * (offset)batch : 0,
                           START(states) + (reverse ? t + 1 : t) * size,
                           START(states) + (reverse ? t : t + 1) * size,
                           IS_GIVEN(keep) ? START(keep) + t * size * RESERVED : 0,
                           IS_GIVEN(y) ? START(y) + t * (offset)batch * ld_y : 0, (steps + 1) * size, hidden, ld_y, t};
      for (int unit = LANE % lanes_of_row; unit < hidden; unit += lanes_of_row) {
        real products[ROWS][GATES];
        multiply_rows(h + lane_row * hidden, own, unit, hidden, hidden, GATES, products);
        UNROLLED /* or products would not stay in registers */
        for (int r = 0; r < ROWS; r++) {
          if (lane_row + r < rows) {
            h_next[(lane_row + r) * hidden + unit] = forward_unit(&step, first + lane_row + r, unit, products[r]);
          }
        }
      }
      BARRIER();
    }
  }
}

/* weights: W_hh [G*H, H]. */
KERNEL sequence_backward_kernel(READS(real, weights), READS(real, keep), READS(real, unit_weights),
                                READS(integer, lengths), READS(integer, resets), READS(real, states), WRITES(real, ds),
                                WRITES(real, d_unit), READS(real, dy), WRITES(real, dzx), WRITES(real, dzh), int steps,
                                int batch, int hidden, int reverse, int ld_dy, int lanes_of_row, offset items) {
  SHARED real slice[SLICE];
  int rows_of_group = GROUP / lanes_of_row * ROWS;
  offset size = batch * (offset)hidden;
  int gates = GATES * hidden, floats = rows_of_group * gates, lane_row = LANE / lanes_of_row * ROWS;
  WEIGHTS own = own_weights(slice + 2 * floats, START(weights), (offset)gates * hidden);
  EACH_ITEM_OF_GROUP(item) {
    int first = (int)item * rows_of_group, rows = batch - first < rows_of_group ? batch - first : rows_of_group;
    for (int e = LANE; e < floats; e += GROUP) slice[e] = slice[floats + e] = 0.0f;
    BARRIER();
    /* With k = -1 the gradient of the first state gets its product; there is no step then. */
    for (int k = steps - 1; k >= -1; k--) {
      int t = k < 0 ? 0 : reverse ? steps - 1 - k : k;
      LOCAL const real *dz_after = slice + ((k + 1) % 2) * floats;
      LOCAL real *dz = slice + (k + 2) % 2 * floats;
      backward_step step = {IS_GIVEN(keep) ? START(keep) + t * size * RESERVED : 0, START(unit_weights), START(lengths),
                            IS_GIVEN(resets) ? START(resets) + t * (offset)batch : 0,
                            START(states) + (reverse ? t + 1 : t) * size, START(states) + (reverse ? t : t + 1) * size,
                            START(ds), START(d_unit), IS_GIVEN(dy) ? START(dy) + t * (offset)batch * ld_dy : 0,
                            START(dzx) + t * size * GATES, START(dzh) + t * size * GATES, (steps + 1) * size, batch,
                            hidden, ld_dy, t};
      for (int unit = LANE % lanes_of_row; unit < hidden; unit += lanes_of_row) {
        real products[ROWS][GATES];
        multiply_rows(dz_after + lane_row * gates, own, unit, hidden, gates, 1, products);
        for (int r = 0; r < ROWS; r++) {
          int row = first + lane_row + r;
          if (lane_row + r >= rows) continue;
          if (k < 0) {
            AT(ds, row * (offset)hidden + unit) += products[r][0];
          } else {
            real dzh_of_unit[GATES];
            backward_unit(&step, row, unit, products[r][0], dzh_of_unit);
            for (int g = 0; g < GATES; g++) dz[(lane_row + r) * gates + g * hidden + unit] = dzh_of_unit[g];
          }
        }
      }
      BARRIER();
    }
  }
}
