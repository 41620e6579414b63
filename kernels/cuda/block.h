/* All steps of a recurrence in one launch, with W_hh on the chip: a group for every BATCH rows of the batch, a warp for
 * sixteen units or twice as many. A lane has all gates of its pairs of unit and row, so that the cell follows the
 * product without leaving the registers; states and their gradients stay there from step to step. What the next step
 * multiplies lies twice in the group's memory, so that one barrier a step is enough; what it reads of the device's
 * memory is on its way while it multiplies.
 *
 * Constants  HIDDEN, the hidden size up to which this serves; GROUP lanes, two or one for every unit; KEPT_FORWARD and
 *            KEPT_BACKWARD, how many fragments of weights a lane keeps in registers; MORE_BACKWARD, so many more before
 *            sm_100, or none; PRECISION, 0 FP32, 1 TF32, 2 BF16
 * Grid       one group for every BATCH rows, 4 in FP32 and 8 else; items is their number
 * Memory     GROUP_MEMORY_BYTES at most */
#include "../gpu/cell.h"
#include "on_chip.h"

#define SIXTEENS (HIDDEN / (GROUP / 2)) /* of units of a warp */
#define UNITS (2 * SIXTEENS)            /* of a lane */
#define PAIRS (UNITS * ROWS)            /* of unit and row of a lane */

/* Where one number makes the compiler spill for older processors and another for newer ones. */
#if defined(MORE_BACKWARD) && !(defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000)
#define MORE_HERE MORE_BACKWARD
#else
#define MORE_HERE 0
#endif

/* Whether the product begins from the gradient of h, so that both need no registers at once; with a second state the
 * compiler does better without. */
#define SUMS_UP (STATES == 1)

/* Of sixteen r / GATES of units, gate r % GATES; and of the sixteens of units. */
using forward_product = on_chip<SIXTEENS * GATES, HIDDEN, KEPT_FORWARD>;
using backward_product = on_chip<SIXTEENS, GATES * HIDDEN, KEPT_BACKWARD + MORE_HERE>;

/* What a group needs; io.unroll.device.GpuBlockPlan counts the same without MORE_BACKWARD. ci/registers reports it. */
#define GROUP_MEMORY_BYTES \
  (forward_product::BYTES > backward_product::BYTES ? forward_product::BYTES : backward_product::BYTES)

DEVICE_FN int first_unit() { return LANE / 32 * (SIXTEENS * 16); }

/* This lane's pair (row, unit) for i = 0: row i % ROWS further and unit i / ROWS * 8 further are its others. */
struct pairs {
  int local_row, row, unit, batch, hidden;

  __device__ __forceinline__ pairs(int batch, int hidden)
      : local_row(LANE % 4 * ROWS), row((int)GROUP_NUMBER * BATCH + LANE % 4 * ROWS),
        unit(first_unit() + LANE % 32 / 4), batch(batch), hidden(hidden) {}

  __device__ __forceinline__ bool has_row(int j) const { return row + j < batch; }
  __device__ __forceinline__ bool has_unit(int u) const { return unit + u * 8 < hidden; }
  __device__ __forceinline__ bool has(int i) const { return has_row(i % ROWS) && has_unit(i / ROWS); }
  /* Where pair i lies in [B, count * H] behind pair 0. */
  __device__ __forceinline__ offset behind(int i, offset row_length) const {
    return i % ROWS * row_length + i / ROWS * 8;
  }
};

/* The buffers are those of io.unroll.device.RecurrentCall, over the whole sequence; weights is W_hh [G*H, H]. */
KERNEL block_forward_kernel(READS(real, zx), READS(real, weights), READS(real, bias_ih), READS(real, bias_hh),
                            READS(real, unit_weights), READS(integer, lengths), READS(integer, resets),
                            WRITES(real, states), WRITES(real, keep), WRITES(real, y), int steps, int batch,
                            int hidden, int reverse, int ld_y, offset items) {
  GROUP_MEMORY(fragment, chip);
  operand *h = reinterpret_cast<operand *>(chip + forward_product::IN_MEMORY * GROUP);
  using layout = forward_product::layout;
  pairs own(batch, hidden);
  offset size = batch * (offset)hidden, first = own.row * (offset)hidden + own.unit;

  forward_product product;
  product.load(chip, hidden, [&](int r, int row, int column) {
    int gate = r % GATES, unit = first_unit() + r / GATES * 16 + row;
    return unit < hidden && column < hidden ? AT(weights, (gate * hidden + unit) * (offset)hidden + column) : 0.0f;
  });
  for (int e = LANE; e < 2 * layout::SIZE; e += GROUP) h[e] = 0;
  BARRIER();

  real state[PAIRS][STATES], x[PAIRS][GATES], bias_x[UNITS][GATES], bias_h[UNITS][GATES];
  real unit_weight[UNITS][SOME(UNIT_WEIGHTS)];
  int length[ROWS], reset[ROWS];
  /* What the step at t reads: its part of zx, and whether it begins anew. */
  auto read_step = [&](int t) {
    offset row = t * (offset)batch + own.row;
    const real *from = START(zx) + row * (GATES * hidden) + own.unit;
    UNROLLED
    for (int i = 0; i < PAIRS; i++) {
      UNROLLED
      for (int g = 0; g < GATES; g++) {
        x[i][g] = own.has(i) ? from[own.behind(i, GATES * hidden) + g * hidden] : 0.0f;
      }
    }
  };
  auto read_resets = [&](int t) {
    UNROLLED
    for (int j = 0; j < ROWS; j++) {
      reset[j] = IS_GIVEN(resets) && own.has_row(j) ? AT(resets, t * (offset)batch + own.row + j) : 0;
    }
  };
  /* Hands the states to the step at t, and h to its product. */
  auto pass_on = [&](int t, operand *to) {
    UNROLLED
    for (int i = 0; i < PAIRS; i++) {
      bool anew = reset[i % ROWS] != 0 && t < length[i % ROWS];
      UNROLLED
      for (int s = 0; s < STATES; s++) state[i][s] = anew ? 0.0f : state[i][s];
      if (own.has(i)) to[layout::at(own.local_row + i % ROWS, own.unit + i / ROWS * 8)] = rounded(state[i][0]);
    }
  };

  UNROLLED
  for (int j = 0; j < ROWS; j++) length[j] = IS_GIVEN(lengths) && own.has_row(j) ? AT(lengths, own.row + j) : steps;
  UNROLLED
  for (int u = 0; u < UNITS; u++) {
    UNROLLED
    for (int g = 0; g < GATES; g++) {
      int at = g * hidden + own.unit + u * 8;
      real of_x = own.has_unit(u) ? AT(bias_ih, at) : 0.0f;
      bias_h[u][g] = own.has_unit(u) ? AT(bias_hh, at) : 0.0f;
      bias_x[u][g] = INPUT_AND_RECURRENT_ADD ? of_x + bias_h[u][g] : of_x;
    }
    for (int p = 0; p < UNIT_WEIGHTS; p++) {
      unit_weight[u][p] = own.has_unit(u) ? AT(unit_weights, p * hidden + own.unit + u * 8) : 0.0f;
    }
  }
  UNROLLED
  for (int i = 0; i < PAIRS; i++) {
    UNROLLED
    for (int s = 0; s < STATES; s++) {
      offset at = s * (steps + 1) * size + (reverse ? steps : 0) * size + first + own.behind(i, hidden);
      state[i][s] = own.has(i) ? AT(states, at) : 0.0f;
    }
  }
  int t = reverse ? steps - 1 : 0, forth = reverse ? -1 : 1;
  read_step(t);
  read_resets(t);
  pass_on(t, h);
  BARRIER();
  for (int k = 0; k < steps; k++, t += forth) {
    bool last = k == steps - 1;
    if (!last) read_resets(t + forth);
    real sum[SIXTEENS * GATES][2 * ROWS];
    UNROLLED
    for (int i = 0; i < SIXTEENS * GATES * 2 * ROWS; i++) sum[i / (2 * ROWS)][i % (2 * ROWS)] = 0.0f;
    product.multiply(h + k % 2 * layout::SIZE, sum);

    real *state_to = START(states) + (reverse ? t : t + 1) * size + first;
    offset row = t * (offset)batch + own.row;
    real *keep_to = START(keep) + row * (RESERVED * hidden) + own.unit, *y_to = START(y) + row * ld_y + own.unit;
    UNROLLED
    for (int i = 0; i < PAIRS; i++) {
      if (!own.has(i)) continue;
      real zx_of[GATES], zh_of[GATES], next[STATES], kept[SOME(RESERVED)];
      bool past = t >= length[i % ROWS];
      UNROLLED
      for (int g = 0; g < GATES; g++) {
        zx_of[g] = x[i][g] + bias_x[i / ROWS][g];
        real zh = sum[i / (2 * ROWS) * GATES + g][i % (2 * ROWS)];
        zh_of[g] = INPUT_AND_RECURRENT_ADD ? zh : zh + bias_h[i / ROWS][g];
      }
      cell_forward(zx_of, zh_of, state[i], unit_weight[i / ROWS], next, kept);
      UNROLLED
      for (int s = 0; s < STATES; s++) {
        state[i][s] = past ? state[i][s] : next[s];
        state_to[s * (steps + 1) * size + own.behind(i, hidden)] = state[i][s];
      }
      if (IS_GIVEN(keep) && !past) {
        UNROLLED
        for (int r = 0; r < RESERVED; r++) keep_to[own.behind(i, RESERVED * hidden) + r * hidden] = kept[r];
      }
      if (IS_GIVEN(y)) y_to[own.behind(i, ld_y)] = past ? 0.0f : state[i][0];
    }
    if (last) break;
    read_step(t + forth);
    pass_on(t + forth, h + (1 - k % 2) * layout::SIZE);
    BARRIER();
  }
}

KERNEL block_backward_kernel(READS(real, weights), READS(real, keep), READS(real, unit_weights),
                             READS(integer, lengths), READS(integer, resets), READS(real, states), WRITES(real, ds),
                             WRITES(real, d_unit), READS(real, dy), WRITES(real, dzx), WRITES(real, dzh), int steps,
                             int batch, int hidden, int reverse, int ld_dy, offset items) {
  GROUP_MEMORY(fragment, chip);
  operand *dz = reinterpret_cast<operand *>(chip + backward_product::IN_MEMORY * GROUP);
  using layout = backward_product::layout;
  pairs own(batch, hidden);
  offset size = batch * (offset)hidden, first = own.row * (offset)hidden + own.unit;

  backward_product product;
  product.load(chip, hidden, [&](int r, int row, int column) {
    int unit = first_unit() + r * 16 + row, gate = column / HIDDEN, from = column % HIDDEN;
    return unit < hidden && from < hidden ? AT(weights, (gate * hidden + from) * (offset)hidden + unit) : 0.0f;
  });
  for (int e = LANE; e < 2 * layout::SIZE; e += GROUP) dz[e] = 0;

  real gradient[PAIRS][STATES], unit_weight[UNITS][SOME(UNIT_WEIGHTS)], d_weight[PAIRS][SOME(UNIT_WEIGHTS)];
  real kept[PAIRS][SOME(RESERVED)], before[PAIRS][STATES], after[PAIRS][STATES], dy_of[PAIRS];
  int length[ROWS], reset[ROWS];
  auto read_states = [&](int index, real(&to)[PAIRS][STATES]) {
    const real *from = START(states) + index * size + first;
    UNROLLED
    for (int i = 0; i < PAIRS; i++) {
      UNROLLED
      for (int s = 0; s < STATES; s++) {
        to[i][s] = own.has(i) ? from[s * (steps + 1) * size + own.behind(i, hidden)] : 0.0f;
      }
    }
  };
  /* What the step at t reads; the states after it are those that the step after it has read. */
  auto read_step = [&](int t) {
    offset row = t * (offset)batch + own.row;
    const real *keep_from = START(keep) + row * (RESERVED * hidden) + own.unit;
    const real *dy_from = START(dy) + row * ld_dy + own.unit;
    read_states(reverse ? t + 1 : t, before);
    UNROLLED
    for (int i = 0; i < PAIRS; i++) {
      UNROLLED
      for (int r = 0; r < RESERVED; r++) {
        kept[i][r] = own.has(i) ? keep_from[own.behind(i, RESERVED * hidden) + r * hidden] : 0.0f;
      }
      dy_of[i] = IS_GIVEN(dy) && own.has(i) ? dy_from[own.behind(i, ld_dy)] : 0.0f;
    }
    UNROLLED
    for (int j = 0; j < ROWS; j++) reset[j] = IS_GIVEN(resets) && own.has_row(j) ? AT(resets, row + j) : 0;
  };

  UNROLLED
  for (int j = 0; j < ROWS; j++) length[j] = IS_GIVEN(lengths) && own.has_row(j) ? AT(lengths, own.row + j) : steps;
  UNROLLED
  for (int u = 0; u < UNITS; u++) {
    for (int p = 0; p < UNIT_WEIGHTS; p++) {
      unit_weight[u][p] = own.has_unit(u) ? AT(unit_weights, p * hidden + own.unit + u * 8) : 0.0f;
    }
  }
  UNROLLED
  for (int i = 0; i < PAIRS; i++) {
    UNROLLED
    for (int s = 0; s < STATES; s++) {
      gradient[i][s] = own.has(i) ? AT(ds, s * size + first + own.behind(i, hidden)) : 0.0f;
    }
    for (int p = 0; p < UNIT_WEIGHTS; p++) d_weight[i][p] = 0.0f;
  }
  int t = reverse ? 0 : steps - 1, back = reverse ? 1 : -1;
  read_states(reverse ? t : t + 1, after);
  read_step(t);
  BARRIER();
  for (int k = 0; k <= steps; k++, t += back) {
    real sum[SIXTEENS][2 * ROWS];
    UNROLLED
    for (int i = 0; i < PAIRS; i++) sum[i / (2 * ROWS)][i % (2 * ROWS)] = SUMS_UP ? gradient[i][0] : 0.0f;
    product.multiply(dz + k % 2 * layout::SIZE, sum);
    UNROLLED
    for (int i = 0; i < PAIRS; i++) {
      real dh = sum[i / (2 * ROWS)][i % (2 * ROWS)];
      gradient[i][0] = SUMS_UP ? dh : gradient[i][0] + dh;
    }
    if (k == steps) break; /* that was the product for the first state */

    operand *to = dz + (1 - k % 2) * layout::SIZE;
    offset row = t * (offset)batch + own.row;
    real *dzx_to = START(dzx) + row * (GATES * hidden) + own.unit;
    real *dzh_to = START(dzh) + row * (GATES * hidden) + own.unit;
    UNROLLED
    for (int i = 0; i < PAIRS; i++) {
      if (!own.has(i)) continue;
      bool past = t >= length[i % ROWS], anew = reset[i % ROWS] != 0;
      real previous[STATES], ds_of[STATES], dzx_of[GATES], dzh_of[GATES], d_before[STATES];
      real d_weight_of[SOME(UNIT_WEIGHTS)];
      UNROLLED
      for (int s = 0; s < STATES; s++) {
        ds_of[s] = gradient[i][s];
        previous[s] = anew ? 0.0f : before[i][s];
      }
      ds_of[0] += dy_of[i];
      cell_backward(kept[i], previous, after[i], unit_weight[i / ROWS], ds_of, dzx_of, dzh_of, d_before, d_weight_of);
      UNROLLED
      for (int s = 0; s < STATES; s++) gradient[i][s] = past ? gradient[i][s] : anew ? 0.0f : d_before[s];
      int place = layout::at(own.local_row + i % ROWS, own.unit + i / ROWS * 8);
      UNROLLED
      for (int g = 0; g < GATES; g++) {
        offset at = own.behind(i, GATES * hidden) + g * hidden;
        dzx_to[at] = past ? 0.0f : dzx_of[g];
        if (!INPUT_AND_RECURRENT_ADD) dzh_to[at] = past ? 0.0f : dzh_of[g];
        to[place + g * HIDDEN * layout::NEXT_K] = rounded(past || anew ? 0.0f : dzh_of[g]);
      }
      for (int p = 0; p < UNIT_WEIGHTS; p++) d_weight[i][p] += past ? 0.0f : d_weight_of[p];
    }
    UNROLLED
    for (int i = 0; i < PAIRS; i++) {
      UNROLLED
      for (int s = 0; s < STATES; s++) after[i][s] = before[i][s];
    }
    if (k + 1 < steps) read_step(t + back);
    BARRIER();
  }
  UNROLLED
  for (int i = 0; i < PAIRS; i++) {
    if (!own.has(i)) continue;
    for (int s = 0; s < STATES; s++) AT(ds, s * size + first + own.behind(i, hidden)) = gradient[i][s];
    for (int p = 0; p < UNIT_WEIGHTS; p++) {
      offset row = own.row + i % ROWS;
      AT(d_unit, (row * UNIT_WEIGHTS + p) * hidden + own.unit + i / ROWS * 8) += d_weight[i][p];
    }
  }
}
