// The functions of kernels/math.h for the tests, compiled like the kernels: once an instruction set.
#include "lanes.h"

#include "../simd.h"

namespace unroll {
namespace ISA {
namespace {

template <class Of>
INLINE void each(const float *x, float *y, int count, const Of &of) {
  for (int i = 0; i < count; i += LANES) store(y + i, of(load(x + i, count - i)), count - i);
}

}  // namespace

extern const test::Functions functions;
const test::Functions functions = {
    [](const float *x, float *y, int count) { each(x, y, count, [](real v) { return EXP(v); }); },
    [](const float *x, float *y, int count) { each(x, y, count, [](real v) { return TANH(v); }); },
    [](const float *x, float *y, int count) { each(x, y, count, [](real v) { return SIGMOID(v); }); },
};

}  // namespace ISA
}  // namespace unroll
