#pragma once

namespace unroll {
namespace test {

// y = of(x) for count floats.
using Function = void (*)(const float *x, float *y, int count);

struct Functions {
  Function exponential, hyperbolicTangent, logistic;
};

}  // namespace test
}  // namespace unroll
