#include <cmath>
#include <cstdio>
#include <cstring>

#include "check.h"
#include "lanes.h"

namespace unroll {

#if defined(__x86_64__)
namespace avx2 {
extern const test::Functions functions;
}
namespace avx512 {
extern const test::Functions functions;
}
#elif defined(__aarch64__)
namespace neon {
extern const test::Functions functions;
}
#endif

namespace test {
namespace {

const int BLOCK = 4096;
const double LEAST_LOGISTIC = 1.7e-38;
const double LARGEST = 3.4028235677973366e38;  // what is more rounds to infinity

const Functions &functionsOf(const Isa &isa) {
#if defined(__x86_64__)
  return std::strcmp(isa.name, "avx512") == 0 ? avx512::functions : avx2::functions;
#elif defined(__aarch64__)
  (void)isa;
  return neon::functions;
#endif
}

// The distance of neighbouring floats around a value.
double unit(double value) {
  int exponent;
  std::frexp(value, &exponent);
  return std::ldexp(1.0, std::fmax(exponent - 24, -149));
}

// The largest error over every stride-th float, in units of the last place of the exact value. What is
// smaller than least may be anything as small.
double worst(const char *what, Function function, double (*exact)(double), double least,
             int64_t stride) {
  Floats x(BLOCK, 0), y(BLOCK, NOTHING);
  double most = 0;
  for (int64_t bits = 0; bits <= UINT32_MAX;) {
    int count = 0;
    for (; count < BLOCK && bits <= UINT32_MAX; count++, bits += stride) {
      uint32_t pattern = static_cast<uint32_t>(bits);
      std::memcpy(&x[count], &pattern, sizeof pattern);
    }
    function(x.data(), y.data(), count);
    for (int i = 0; i < count; i++) {
      double expected = exact(x[i]);
      if (std::isnan(expected)) {
        compare(what, i, y[i], expected, 0);
      } else if (std::isinf(y[i])) {
        if (!(y[i] > 0 && expected > LARGEST * (1 - 1e-7))) fail("%s(%.9g) is %.9g", what, x[i], y[i]);
      } else if (expected > LARGEST) {
        fail("%s(%.9g) is %.9g, but should overflow", what, x[i], y[i]);
      } else if (std::isnan(y[i])) {
        fail("%s(%.9g) is not a number", what, x[i]);
      } else if (std::fabs(expected) >= least || std::fabs(y[i]) >= least) {
        most = std::fmax(most, std::fabs(y[i] - expected) / unit(expected));
      }
    }
  }
  return most;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

void check(const Isa &isa, const char *what, double found, double allowed) {
  std::printf("  %s: at most %.2f units in the last place\n", what, found);
  if (!(found <= allowed)) {
    fail("%s of %s is off by %.2f units in the last place, allowed are %.2f", what, isa.name, found,
         allowed);
  }
}

}  // namespace

void testMath(const Isa &isa, int64_t stride) {
  about("%s functions", isa.name);
  const Functions &functions = functionsOf(isa);
  check(isa, "exp", worst("exp", functions.exponential, std::exp, 0, stride), 1.5);
  check(isa, "tanh", worst("tanh", functions.hyperbolicTangent, std::tanh, 0, stride), 3.5);
  check(isa, "logistic", worst("logistic", functions.logistic, logistic, LEAST_LOGISTIC, stride),
        3.5);
}

}  // namespace test
}  // namespace unroll
