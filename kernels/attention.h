/* Softmax over a row and additive scores, an element at a time: docs/equations.md. */
#ifndef UNROLL_ATTENTION_H
#define UNROLL_ATTENTION_H
#include "math.h"

/* The term of a score in the sum of its row; largest is that of the row, times scale. */
DEVICE_FN real softmax_term(real x, real scale, real largest) { return EXP(scale * x - largest); }

/* dot is the sum of y dy over the row. */
DEVICE_FN real softmax_gradient(real y, real dy, real dot, real scale) { return scale * y * (dy - dot); }

/* What v weighs; its gradient is that of tanh. */
DEVICE_FN real additive_unit(real query, real key) { return TANH(query + key); }

#endif
