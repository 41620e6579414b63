/* One unit of one row at one step, around the arithmetic of the cell that was included before: what
 * io.unroll.device.RecurrentCall calls its buffers, from this step on. docs/equations.md, "The sequence". */
#ifndef UNROLL_GPU_CELL_H
#define UNROLL_GPU_CELL_H
#include "launch.h"

/* Arrays must not be empty. */
#define SOME(count) ((count) > 0 ? (count) : 1)

typedef struct {
  GLOBAL const real *zx, *bias_ih, *bias_hh, *unit_weights;
  GLOBAL const integer *lengths, *resets; /* or 0 */
  GLOBAL const real *previous;
  GLOBAL real *next, *keep, *y; /* keep and y may be 0 */
  offset state_stride;
  int hidden, ld_y, time;
} forward_step;

/* Whether a row begins anew in a step: docs/equations.md, "Resets". */
#define IS_RESET(resets, row) ((resets) != 0 && (resets)[row] != 0)

/* zh comes without its bias. Gives h. */
DEVICE_FN real forward_unit(const forward_step *step, int row, int unit, const real *products) {
  int hidden = step->hidden;
  offset state = row * (offset)hidden + unit;
  real before[STATES], after[STATES];
  for (int s = 0; s < STATES; s++) before[s] = step->previous[s * step->state_stride + state];
  if (step->lengths != 0 && step->time >= step->lengths[row]) {
    for (int s = 0; s < STATES; s++) step->next[s * step->state_stride + state] = before[s];
    if (step->y != 0) step->y[row * (offset)step->ld_y + unit] = 0.0f;
    return before[0];
  }
  int is_reset = IS_RESET(step->resets, row);
  for (int s = 0; s < STATES; s++) before[s] = is_reset ? 0.0f : before[s];
  real zx[GATES], zh[GATES], kept[SOME(RESERVED)], weights[SOME(UNIT_WEIGHTS)];
  for (int g = 0; g < GATES; g++) {
    zx[g] = step->zx[(row * (offset)GATES + g) * hidden + unit] + step->bias_ih[g * hidden + unit];
    zh[g] = (is_reset ? 0.0f : products[g]) + step->bias_hh[g * hidden + unit];
  }
  for (int p = 0; p < UNIT_WEIGHTS; p++) weights[p] = step->unit_weights[p * hidden + unit];
  cell_forward(zx, zh, before, weights, after, kept);
  for (int s = 0; s < STATES; s++) step->next[s * step->state_stride + state] = after[s];
  if (step->keep != 0) {
    for (int k = 0; k < RESERVED; k++) step->keep[(row * (offset)RESERVED + k) * hidden + unit] = kept[k];
  }
  if (step->y != 0) step->y[row * (offset)step->ld_y + unit] = after[0];
  return after[0];
}

typedef struct {
  GLOBAL const real *keep, *unit_weights;
  GLOBAL const integer *lengths, *resets; /* or 0 */
  GLOBAL const real *previous, *next;
  GLOBAL real *ds, *d_unit;
  GLOBAL const real *dy; /* or 0 */
  GLOBAL real *dzx, *dzh;
  offset state_stride;
  int batch, hidden, ld_dy, time;
} backward_step;

/* dh is what the recurrent product of the step after this one sends to h. Leaves in dzh what this step sends
 * through its own product to the states before: the gradients of the product, but zeros in a reset. */
DEVICE_FN void backward_unit(const backward_step *step, int row, int unit, real dh, real *dzh) {
  int hidden = step->hidden;
  offset state = row * (offset)hidden + unit, size = step->batch * (offset)hidden;
  offset product = row * (offset)GATES * hidden + unit;
  if (step->lengths != 0 && step->time >= step->lengths[row]) {
    step->ds[state] += dh;
    for (int g = 0; g < GATES; g++) {
      step->dzx[product + g * hidden] = step->dzh[product + g * hidden] = dzh[g] = 0.0f;
    }
    return;
  }
  int is_reset = IS_RESET(step->resets, row);
  real kept[SOME(RESERVED)], weights[SOME(UNIT_WEIGHTS)], d_weights[SOME(UNIT_WEIGHTS)];
  real before[STATES], after[STATES], ds[STATES], dzx[GATES], d_before[STATES];
  for (int k = 0; k < RESERVED; k++) kept[k] = step->keep[(row * (offset)RESERVED + k) * hidden + unit];
  for (int p = 0; p < UNIT_WEIGHTS; p++) weights[p] = step->unit_weights[p * hidden + unit];
  for (int s = 0; s < STATES; s++) {
    before[s] = is_reset ? 0.0f : step->previous[s * step->state_stride + state];
    after[s] = step->next[s * step->state_stride + state];
    ds[s] = step->ds[s * size + state];
  }
  ds[0] += dh;
  if (step->dy != 0) ds[0] += step->dy[row * (offset)step->ld_dy + unit];
  cell_backward(kept, before, after, weights, ds, dzx, dzh, d_before, d_weights);
  for (int g = 0; g < GATES; g++) {
    step->dzx[product + g * hidden] = dzx[g];
    if (!INPUT_AND_RECURRENT_ADD) step->dzh[product + g * hidden] = dzh[g];
    dzh[g] = is_reset ? 0.0f : dzh[g];
  }
  for (int s = 0; s < STATES; s++) step->ds[s * size + state] = is_reset ? 0.0f : d_before[s];
  for (int p = 0; p < UNIT_WEIGHTS; p++) {
    step->d_unit[(row * (offset)UNIT_WEIGHTS + p) * hidden + unit] += d_weights[p];
  }
}

#endif
