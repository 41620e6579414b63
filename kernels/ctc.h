/* Connectionist temporal classification, a state of a frame at a time, in logarithms: docs/equations.md. */
#ifndef UNROLL_CTC_H
#define UNROLL_CTC_H
#include "math.h"

#define IMPOSSIBLE FROM_BITS(NATURAL(0xff800000u)) /* the logarithm of 0 */

/* log x for 1 <= x <= 3, to 3 units of the last place: 2 artanh((x-1)/(x+1)) by a polynomial. */
DEVICE_FN real log_from_1_to_3(real x) {
  real z = (x - 1.0f) / (x + 1.0f);
  real w = z * z;
  real p = 0.178373203f * w + 0.0499862880f;
  p = p * w + 0.118667588f;
  p = p * w + 0.142162919f;
  p = p * w + 0.200029895f;
  p = p * w + 0.333332866f;
  p = p * w + 1.0f;
  return (z + z) * p;
}

/* log(e^a + e^b). A NaN in a goes on; states take their own one there, which is NaN if another is. */
DEVICE_FN real log_add(real a, real b) {
  real largest = MAXIMUM(b, a);
  real sum = EXP(b - largest) + EXP(a - largest);
  return largest == IMPOSSIBLE ? IMPOSSIBLE : largest + log_from_1_to_3(sum);
}

/* log(e^a + e^b + e^c), NaN as above. */
DEVICE_FN real log_add_three(real a, real b, real c) {
  real largest = MAXIMUM(MAXIMUM(c, b), a);
  real sum = EXP(c - largest) + EXP(b - largest) + EXP(a - largest);
  return largest == IMPOSSIBLE ? IMPOSSIBLE : largest + log_from_1_to_3(sum);
}

/* All paths through a state: to it and from it on, of which each counts the state's emission. */
DEVICE_FN real ctc_through(real forward, real backward, real emission) {
  return emission == IMPOSSIBLE ? IMPOSSIBLE : forward + backward - emission;
}

#endif
