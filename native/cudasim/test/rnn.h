/* A recurrence h_t = tanh(h_{t-1} W^T + x_t) of bf16 in one cooperative launch, with all that a group can wait for:
 * asynchronous copies, barriers of the group and of all groups, matrix fragments, shuffles. FAULT plants a fault:
 *   1 no barrier between the copies and who reads them     2 none before the partial sums are added up
 *   3 the copies are not waited for                        4 a barrier of the group in place of that of all
 *   5 as 2, added up by the last lane                      0 none
 * Shapes  W [H,H] and h [2,16,H] in bf16, x [T,16,H], last [16,H], squares [T]; H = 64 * GROUPS, at most 512 */
#include "../../../kernels/math.h"
#include "../../../kernels/cuda/port.h"

#ifndef FAULT
#error "FAULT must be a number"
#endif
#define MOST_PARTS 32

typedef unsigned short half_float;

DEVICE_FN unsigned two(const half_float *at) { return *(const unsigned *)at; }

KERNEL rnn_kernel(READS(half_float, weights), READS(real, x), WRITES(half_float, h), WRITES(real, last),
                  WRITES(real, squares), int hidden, int steps, offset items) {
  GROUP_MEMORY(half_float, own); /* [16][hidden + 8] */
  SHARED real parts[GROUP / 32];
  int warp = LANE / 32, lane = LANE % 32, g = lane / 4, t = lane % 4, ld = hidden + 8;
  int first = ((int)GROUP_NUMBER * (GROUP / 32) + warp) * 8;
  unsigned w[MOST_PARTS][2];
  for (int k = 0; k < MOST_PARTS && k * 16 < hidden; k++) {
    const half_float *row = START(weights) + (offset)(first + g) * hidden + k * 16 + 2 * t;
    w[k][0] = two(row);
    w[k][1] = two(row + 8);
  }
  for (int step = 0; step < steps; step++) {
    const half_float *before = START(h) + step % 2 * 16 * hidden;
    half_float *after = START(h) + (step + 1) % 2 * 16 * hidden;
    for (int i = LANE; i < 16 * hidden / 8; i += GROUP) {
      copy_async(own + i / (hidden / 8) * ld + i % (hidden / 8) * 8, before + i * 8);
    }
    copy_async_commit();
#if FAULT != 3
    copy_async_wait<0>();
#endif
#if FAULT != 1
    BARRIER();
#endif
    float d[4] = {0, 0, 0, 0};
    for (int k = 0; k < MOST_PARTS && k * 16 < hidden; k++) {
      const half_float *left = own + g * ld + k * 16 + 2 * t;
      unsigned a[4] = {two(left), two(left + 8 * ld), two(left + 8), two(left + 8 * ld + 8)};
      multiply_bf16(d, a, w[k]);
    }
    real sum = 0;
    for (int o = 0; o < 4; o++) {
      int row = g + o / 2 * 8, unit = first + 2 * t + o % 2;
      real value = TANH(d[o] + AT(x, ((offset)step * 16 + row) * hidden + unit));
      after[row * hidden + unit] = (half_float)pack_bf16(value, 0);
      if (step == steps - 1) AT(last, row * hidden + unit) = value;
      sum += value * value;
    }
    for (int bits = 16; bits > 0; bits /= 2) sum += __shfl_xor_sync(~0u, sum, bits);
    if (lane == 0) parts[warp] = sum;
#if FAULT != 2 && FAULT != 5
    BARRIER();
#endif
    if (LANE == (FAULT == 5 ? GROUP - 1 : 0)) {
      real all = 0;
      for (int i = 0; i < GROUP / 32; i++) all += parts[i];
      atomicAdd(START(squares) + step, all);
    }
#if FAULT == 4
    BARRIER();
#else
    GRID_BARRIER();
#endif
  }
}
