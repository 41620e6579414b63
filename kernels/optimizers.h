/* One step of each optimizer for one weight: docs/equations.md. w is the weight, g its gradient,
 * rate the learning rate, decay what of w is added to g; the new weight is returned, moments are
 * changed in place. Whoever calls computes differences and quotients of constants in float64. */
#ifndef UNROLL_OPTIMIZERS_H
#define UNROLL_OPTIMIZERS_H
#include "dialect.h"

DEVICE_FN real sgd(real w, real g, real rate, real decay) { return w - rate * (g + decay * w); }

DEVICE_FN real momentum(real w, real g, real *m, real rate, real mu, real decay) {
  *m = mu * *m + (g + decay * w);
  return w - rate * *m;
}

DEVICE_FN real adagrad(real w, real g, real *a, real rate, real eps, real decay) {
  real decayed = g + decay * w;
  *a += decayed * decayed;
  return w - rate * decayed / (SQRT(*a) + eps);
}

typedef struct {
  real rate, alpha, rest; /* rest: 1 - alpha */
  real eps, decay;
} rmsprop_settings;

DEVICE_FN real rmsprop(real w, real g, real *a, rmsprop_settings s) {
  real decayed = g + s.decay * w;
  *a = s.alpha * *a + s.rest * decayed * decayed;
  return w - s.rate * decayed / (SQRT(*a) + s.eps);
}

typedef struct {
  real step;               /* rate / (1 - b1^k) */
  real b1, rest1;          /* rest1: 1 - b1 */
  real b2, rest2;          /* rest2: 1 - b2 */
  real correction2;        /* 1 / (1 - b2^k) */
  real eps, decay, shrink; /* shrink: rate times the decay that bypasses the moments */
} adam_settings;

DEVICE_FN real adam(real w, real g, real *m, real *v, adam_settings s) {
  w = w - s.shrink * w;
  real decayed = g + s.decay * w;
  *m = s.b1 * *m + s.rest1 * decayed;
  *v = s.b2 * *v + s.rest2 * decayed * decayed;
  return w - s.step * *m / (SQRT(*v * s.correction2) + s.eps);
}

/* What gradients of that norm are multiplied by, so that it is at most max_norm. NaN stays NaN. */
DEVICE_FN real clip_factor(real norm, real max_norm) {
  real factor = max_norm / (norm + 1e-6f);
  return factor > 1.0f ? REAL(1.0f) : factor;
}

#endif
