/* exp, tanh and the logistic function from one polynomial, without branches, so that they run on all
 * lanes at once. Errors against float64 over all floats, measured by native/cpu/test: docs/numerics.md.
 * NaN gives NaN. */
#ifndef UNROLL_MATH_H
#define UNROLL_MATH_H
#include "dialect.h"

/* e^x = 2^n e^r with x = n ln 2 + r, |r| <= ln 2 / 2. */
#define LOG2_E 1.44269504f
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440e-4f
/* Added to a float of at most 22 bits it leaves the nearest integer in the lowest bits. */
#define ROUNDER 12582912.0f

/* e^r - 1 for |r| <= ln 2 / 2. The coefficients are those of expf in Moshier's Cephes library. */
DEVICE_FN real exp_minus_one_near_zero(real r) {
  real p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return p * (r * r) + r;
}

/* x = n ln 2 + r. *bits holds n in its lowest bits, and above them what a shift by 23 drops. Exponents are
 * computed with naturals, because these may overflow. */
DEVICE_FN real reduced(real x, natural *bits) {
  real shifted = x * LOG2_E + ROUNDER;
  real n = shifted - ROUNDER;
  *bits = (natural)BITS(shifted);
  return (x - n * LN2_HIGH) - n * LN2_LOW;
}

#define ONE 0x3f800000 /* the bits of 1 */

/* e^x. Overflows to infinity and underflows by way of subnormal numbers to 0. */
DEVICE_FN real EXP(real x) {
  natural bits;
  real r = reduced(MAXIMUM(REAL(-110.0f), MINIMUM(REAL(100.0f), x)), &bits);
  integer n = (integer)(bits << 10) >> 10; /* from the lowest 22 bits, with their sign */
  natural part = (natural)(n >> 1); /* in two factors, because 2^n itself may be no normal float */
  real scale = FROM_BITS((part << 23) + ONE);
  real rest = FROM_BITS((((natural)n - part) << 23) + ONE);
  return (exp_minus_one_near_zero(r) + 1.0f) * scale * rest;
}

/* (e^2|x| - 1) / (e^2|x| + 1) with the sign of x; the numerator without cancellation near 0. */
DEVICE_FN real TANH(real x) {
  natural n;
  real size = MINIMUM(REAL(10.0f), FROM_BITS(BITS(x) & 0x7fffffff));
  real r = reduced(size + size, &n);
  real scale = FROM_BITS((n << 23) + ONE);
  real e = exp_minus_one_near_zero(r) * scale + (scale - 1.0f);
  real y = e / (e + 2.0f);
  return FROM_BITS(BITS(y) | (BITS(x) & BITS(REAL(-0.0f))));
}

/* 1 / (1 + e^-x); below -87 its value there, 1.6e-38. */
DEVICE_FN real SIGMOID(real x) {
  natural n;
  real r = reduced(MAXIMUM(REAL(-87.0f), MINIMUM(REAL(87.0f), -x)), &n);
  real e = (exp_minus_one_near_zero(r) + 1.0f) * FROM_BITS((n << 23) + ONE);
  return 1.0f / (e + 1.0f);
}

#endif
