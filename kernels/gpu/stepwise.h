/* CELL_FORWARD and CELL_BACKWARD of io.unroll.device.Kernel: a step of a cell after its products.
 * Grid  one lane per item
 * Cost  bandwidth: (2*GATES + 2*STATES + RESERVED) reals per item forward, about twice that backward */
#include "cell.h"

KERNEL cell_forward_kernel(READS(real, zx), READS(real, zh), READS(real, bias_ih), READS(real, bias_hh),
                           READS(real, unit_weights), READS(integer, lengths), READS(integer, resets),
                           READS(real, previous), WRITES(real, next), WRITES(real, keep), WRITES(real, y), int batch,
                           int hidden, offset state_stride, int ld_y, int time, offset items) {
  forward_step step = {START(zx), START(bias_ih), START(bias_hh), START(unit_weights), START(lengths),
                       START(resets), START(previous), START(next), START(keep), START(y), state_stride, hidden, ld_y,
                       time};
  EACH_ITEM(i) {
    int row = (int)quotient(i, hidden), unit = (int)(i - row * (offset)hidden);
    real products[GATES];
    for (int g = 0; g < GATES; g++) products[g] = AT(zh, (row * (offset)GATES + g) * hidden + unit);
    forward_unit(&step, row, unit, products);
  }
}

KERNEL cell_backward_kernel(READS(real, keep), READS(real, unit_weights), READS(integer, lengths),
                            READS(integer, resets), READS(real, previous), READS(real, next), WRITES(real, ds),
                            WRITES(real, d_unit), READS(real, dy), WRITES(real, dzx), WRITES(real, dzh), int batch,
                            int hidden, offset state_stride, int ld_dy, int time, offset items) {
  backward_step step = {START(keep), START(unit_weights), START(lengths), START(resets), START(previous),
                        START(next), START(ds), START(d_unit), START(dy), START(dzx), START(dzh), state_stride, batch,
                        hidden, ld_dy, time};
  EACH_ITEM(i) {
    int row = (int)quotient(i, hidden);
    real dzh_of_unit[GATES];
    backward_unit(&step, row, (int)(i - row * (offset)hidden), 0.0f, dzh_of_unit);
  }
}
