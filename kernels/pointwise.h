/* What an element of an array becomes by itself: docs/equations.md. Activations get y, their own
 * output, for their gradient. NaN stays NaN. */
#ifndef UNROLL_POINTWISE_H
#define UNROLL_POINTWISE_H
#include "math.h"

/* value + beta * before. With beta 0 before is not used, so a NaN in it goes no further. */
DEVICE_FN real blend(real value, real beta, real before) {
  return beta == 0.0f ? value : value + beta * before;
}

DEVICE_FN real clamped(real x, real limit) {
  real y = x > limit ? limit : x;
  return y < -limit ? -limit : y;
}

DEVICE_FN real tanh_gradient(real y, real dy) { return dy * (1.0f - y * y); }

DEVICE_FN real sigmoid_gradient(real y, real dy) { return dy * y * (1.0f - y); }

DEVICE_FN real relu_of(real x) { return x <= 0.0f ? REAL(0.0f) : x; }

DEVICE_FN real relu_gradient(real y, real dy) { return y <= 0.0f ? REAL(0.0f) : dy; }

#endif
