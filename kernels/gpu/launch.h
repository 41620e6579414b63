/* How the lanes of a launch share its items. */
#ifndef UNROLL_GPU_LAUNCH_H
#define UNROLL_GPU_LAUNCH_H
#include "../dialect.h"

/* Every item i that this lane has to do, of items in all. */
#define EACH_ITEM(i) for (offset i = GROUP_NUMBER * GROUP + LANE; i < items; i += GROUPS * GROUP)

/* Every item i that this group has to do, of items in all. */
#define EACH_ITEM_OF_GROUP(i) for (offset i = GROUP_NUMBER; i < items; i += GROUPS)

/* out[i] = value + beta * out[i]; with beta 0 what was there is not read. */
#define PUT(out, i, value) \
  (AT(out, i) = beta == 0.0f ? (value) : blend(value, beta, AT(out, i)))

/* i / n, by the quicker division where it does. */
DEVICE_FN offset quotient(offset i, int n) {
  return i <= 0x7fffffff ? (offset)((natural)i / (natural)n) : i / n;
}

#endif
