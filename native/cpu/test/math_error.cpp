// The largest errors of kernels/math.h against float64, over all floats or every n-th: the argument.
// Computes as the library does, with numbers below 2^-126 as zero. How to compile it: docs/numerics.md.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "math.h"
#include "../subnormals.h"

namespace {

const double SMALLEST_NORMAL = 0x1p-126;
const double FIRST_INFINITE = 0x1p128;

float fromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// The distance of found from exact in units of the last place that a float has at exact.
double ulps(float found, double exact) {
  if (std::isnan(exact)) return std::isnan(found) ? 0 : INFINITY;
  double size = std::fabs(exact);
  if (size >= FIRST_INFINITE) return std::fabs(found) == INFINITY && found * exact > 0 ? 0 : INFINITY;
  double value = std::fabs(found) == INFINITY ? std::copysign(FIRST_INFINITE, found) : found;
  int exponent = std::ilogb(size < SMALLEST_NORMAL ? SMALLEST_NORMAL : size);
  return std::fabs(value - exact) / std::ldexp(1, exponent - 23);
}

struct Function {
  const char *name;
  real (*pack)(real);
  double (*exact)(double);
  // Below these the result counts as zero: it may be anything as small.
  double leastResult;
  double limit;  // that the largest result must not pass
};

real exponential(real x) { return EXP(x); }
real tangent(real x) { return TANH(x); }
real logistic(real x) { return SIGMOID(x); }
double exactExponential(double x) { return std::exp(x); }
double exactTangent(double x) { return std::tanh(x); }
double exactLogistic(double x) { return 1 / (1 + std::exp(-x)); }

const Function FUNCTIONS[] = {
    {"EXP", exponential, exactExponential, SMALLEST_NORMAL, INFINITY},
    {"TANH", tangent, exactTangent, SMALLEST_NORMAL, 1},
    {"SIGMOID", logistic, exactLogistic, 1.7e-38, 1},
};

struct Worst {
  double error = 0;
  float at = 0;
  bool bounded = true;

  void add(const Worst &other) {
    if (other.error > error) *this = {other.error, other.at, bounded};
    bounded = bounded && other.bounded;
  }
};

void measure(const Function &f, float x, float found, Worst &worst) {
  double exact = f.exact(x);
  bool tiny = std::fabs(exact) < f.leastResult;
  double error = tiny ? (std::fabs(found) <= f.leastResult ? 0 : INFINITY) : ulps(found, exact);
  if (!(error <= worst.error)) {
    worst.error = error;
    worst.at = x;
  }
  if (std::fabs(found) > f.limit) worst.bounded = false;
}

// Bit patterns first, first + step * LANES and so on.
Worst measure(const Function &f, uint64_t first, uint64_t step, uint64_t stride) {
  unroll::SubnormalsAreZero mode;
  Worst worst;
  for (uint64_t bits = first; bits < uint64_t{1} << 32; bits += stride * LANES) {
    float x[LANES], found[LANES];
    for (int i = 0; i < LANES; i++) x[i] = fromBits(static_cast<uint32_t>(bits + i * step));
    real pack;
    std::memcpy(&pack, x, sizeof pack);
    pack = f.pack(pack);
    std::memcpy(found, &pack, sizeof pack);
    for (int i = 0; i < LANES; i++) measure(f, x[i], found[i], worst);
  }
  return worst;
}

bool report(const Function &f, uint64_t step) {
  unsigned threads = std::thread::hardware_concurrency();
  if (threads == 0) threads = 1;
  Worst worst;
  std::mutex mutex;
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < threads; t++) {
    workers.emplace_back([&, t] {
      Worst mine = measure(f, t * step * LANES, step, threads * step);
      std::lock_guard<std::mutex> lock(mutex);
      worst.add(mine);
    });
  }
  for (std::thread &worker : workers) worker.join();
  std::printf("%2d lanes %-8s %.3f ulp at %.9g%s\n", LANES, f.name, worst.error, worst.at,
              worst.bounded ? "" : "; passes its limit");
  std::fflush(stdout);
  return worst.error <= 3 && worst.bounded;
}

bool sameBits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// What an error in units of the last place does not see.
bool special() {
  real zero = REAL(0.0f), minusZero = REAL(-0.0f);
  return sameBits(TANH(zero)[0], 0.0f) && sameBits(TANH(minusZero)[0], -0.0f) &&
         EXP(zero)[0] == 1 && EXP(minusZero)[0] == 1 && SIGMOID(zero)[0] == 0.5f;
}

}  // namespace

int main(int count, char **arguments) {
  uint64_t step = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1;
  bool good = step > 0 && special();
  if (!good) std::printf("wrong at zero\n");
  for (const Function &f : FUNCTIONS) good = report(f, step) && good;
  return good ? 0 : 1;
}
