/* Softmax cross-entropy and the squared error, an element at a time: docs/equations.md. */
#ifndef UNROLL_LOSSES_H
#define UNROLL_LOSSES_H
#include "math.h"

/* The term of a logit in the sum of its row; largest is that of the row. */
DEVICE_FN real cross_entropy_term(real logit, real largest) { return EXP(logit - largest); }

/* The gradient of a logit; wanted is the probability that the target gives to its class. */
DEVICE_FN real cross_entropy_gradient(real logit, real lse, real wanted, real scale) {
  return (EXP(logit - lse) - wanted) * scale;
}

/* An element of weight 0 is not looked at: it gives 0 even for a NaN. */
DEVICE_FN real squared_error(real x, real target, real weight) {
  return weight == 0.0f ? REAL(0.0f) : weight * (x - target) * (x - target);
}

DEVICE_FN real squared_error_gradient(real x, real target, real weight, real scale) {
  return weight == 0.0f ? REAL(0.0f) : weight * (x - target) * scale;
}

#endif
