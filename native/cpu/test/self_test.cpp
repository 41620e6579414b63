// Holds every set of kernels that runs on this processor against plain loops in double precision,
// without Java.
//   self_test            all of it
//   self_test --all      exp, tanh and the logistic function over every float
//   self_test --fault X  commits a fault that a sanitizer or a fence must see: bounds, race, overflow
#include <climits>
#include <cstdio>
#include <cstring>

#include "check.h"

using namespace unroll;
using namespace unroll::test;

namespace {

const char *const NAMES[] = {"avx512", "avx2", "neon"};
const int64_t EVERY_FLOAT = 1, SOME_FLOATS = 4099;

// A result that is a row too short, written by the kernels.
int writeOutOfBounds() {
  const int size = 64;
  Context context(1, bestIsa());
  Floats a(size * size, 1), b(size * size, 1), c((size - 1) * size, 0);
  Product product{false, false, size, size, size, a.data(), size, b.data(), size,
                  false, c.data(), size};
  context.isa->multiply(context, product);
  return 0;
}

int race() {
  Pool pool(4);
  Barrier barrier;  // without it the first thread might run all parts
  int sum = 0;
  pool.run(4, [&](int part, int) {
    barrier.wait(4);
    sum += part;
  });
  return sum > 0 ? 0 : 1;
}

int overflow(int by) {
  int large = INT_MAX - 1;
  large += by;
  return large > 0 ? 0 : 1;
}

int commit(const char *fault) {
  if (std::strcmp(fault, "bounds") == 0) return writeOutOfBounds();
  if (std::strcmp(fault, "race") == 0) return race();
  if (std::strcmp(fault, "overflow") == 0) return overflow(static_cast<int>(std::strlen(fault)));
  std::fprintf(stderr, "there is no fault \"%s\"\n", fault);
  return 2;
}

}  // namespace

int main(int count, char **arguments) {
  reportFences();
  if (count == 3 && std::strcmp(arguments[1], "--fault") == 0) return commit(arguments[2]);
  bool all = count == 2 && std::strcmp(arguments[1], "--all") == 0;
  if (count > 1 && !all) {
    std::fprintf(stderr, "usage: self_test [--all | --fault bounds|race|overflow]\n");
    return 2;
  }
  if (bestIsa() == nullptr) {
    std::fprintf(stderr, "no kernels run here: %s\n", missing());
    return 1;
  }
  testPool();
  testMemory();
  for (const char *name : NAMES) {
    const Isa *isa = isaByName(name);
    if (isa == nullptr) {
      std::printf("NOT TESTED: %s does not run here\n", name);
      continue;
    }
    std::printf("%s: %d cells, %d kernels\n", isa->name, isa->cellCount, isa->kernelCount);
    testMath(*isa, all ? EVERY_FLOAT : SOME_FLOATS);
    testMultiply(*isa);
    testRecurrence(*isa);
    testKernels(*isa);
  }
  if (failures() > 0) std::fprintf(stderr, "%d failures\n", failures());
  return failures() > 0 ? 1 : 0;
}
