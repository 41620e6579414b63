/* What decides which class of a row is drawn, a logit at a time: docs/equations.md. No logit is NaN. */
#ifndef UNROLL_SAMPLING_H
#define UNROLL_SAMPLING_H
#include "math.h"

/* A natural that is the larger the larger the logit, and the same for -0 and 0, so that the k-th largest
 * of a row is found bit by bit, from the highest down, by counting. */
DEVICE_FN natural order_of(real logit) {
  natural bits = (natural)BITS(logit == 0.0f ? REAL(0.0f) : logit);
  natural below_zero = (natural)((integer)bits >> 31);
  return bits ^ (below_zero | 0x80000000u);
}

/* The share of a logit in the draw; largest is that of the row, least the order of the smallest logit that
 * may be drawn. */
DEVICE_FN real sampling_weight(real logit, real largest, natural least, real inverse_temperature) {
  return order_of(logit) >= least ? EXP((logit - largest) * inverse_temperature) : REAL(0.0f);
}

#endif
