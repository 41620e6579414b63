/* What the lanes of a group find out together. Each sum has a fixed order: first every lane over its own terms, then
 * the lanes. All lanes call these, and what they wrote before is seen by all of them afterwards. */
#ifndef UNROLL_GPU_GROUP_H
#define UNROLL_GPU_GROUP_H
#include "../losses.h"

/* The first lanes take what all have, some lanes each; then every lane takes what these have: three barriers. */
#define FIRST_LANES 16

/* The sum over the lanes of the group, for all of them. */
DEVICE_FN real group_sum(LOCAL real *scratch, real value) {
  BARRIER();
  scratch[LANE] = value;
  BARRIER();
  if (LANE < FIRST_LANES) {
    for (int lane = LANE + FIRST_LANES; lane < GROUP; lane += FIRST_LANES) value += scratch[lane];
    scratch[LANE] = value;
  }
  BARRIER();
  value = scratch[0];
  for (int lane = 1; lane < FIRST_LANES; lane++) value += scratch[lane];
  return value;
}

/* The largest over the lanes of the group, for all of them; NaN is left aside. */
DEVICE_FN real group_largest(LOCAL real *scratch, real value) {
  BARRIER();
  scratch[LANE] = value;
  BARRIER();
  if (LANE < FIRST_LANES) {
    for (int lane = LANE + FIRST_LANES; lane < GROUP; lane += FIRST_LANES) value = MAXIMUM(scratch[lane], value);
    scratch[LANE] = value;
  }
  BARRIER();
  value = scratch[0];
  for (int lane = 1; lane < FIRST_LANES; lane++) value = MAXIMUM(scratch[lane], value);
  return value;
}

#define LEAST FROM_BITS(0xff800000) /* minus infinity */

/* The logarithm of the sum of exp(row[c] - largest) over the n elements of a row, and the largest. */
DEVICE_FN real group_log_sum(LOCAL real *scratch, GLOBAL const real *row, int n, real *largest) {
  real most = LEAST, sum = 0.0f;
  for (int c = LANE; c < n; c += GROUP) most = MAXIMUM(row[c], most);
  most = group_largest(scratch, most);
  for (int c = LANE; c < n; c += GROUP) sum += cross_entropy_term(row[c], most);
  *largest = most;
  return LOG(group_sum(scratch, sum));
}

#endif
