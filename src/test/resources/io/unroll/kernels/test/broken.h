/* A kernel that no compiler takes: its fault is in line 5. */
#include "../dialect.h"

KERNEL broken_kernel(WRITES(real, out), offset items) {
  AT(out, 0) = there_is_no_such_value;
}
