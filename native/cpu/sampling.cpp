// The kernel that draws classes.
#include "sampling.h"

#include "items.h"
#include "kernels.h"
#include "largest.h"
#include "philox.h"

namespace unroll {
namespace ISA {
namespace {

struct Row {
  const float *logits;
  int64_t classes;
  float largest;
  unsigned least;  // order_of the smallest logit that may be drawn
  float inverseTemperature;
};

bool hasNan(const float *x, int64_t n) {
  integer found{};
  packs(0, n, [&](int64_t i, int count) EACH {
    real pack = load(x + i, count);
    found |= pack != pack;
  });
  for (int lane = 0; lane < LANES; lane++) {
    if (found[lane] != 0) return true;
  }
  return false;
}

int32_t firstOf(const float *x, float wanted) {
  int32_t at = 0;
  while (x[at] != wanted) at++;
  return at;
}

int64_t countAtLeast(const float *x, int64_t n, unsigned least) {
  integer counts{};
  packs(0, n, [&](int64_t i, int count) EACH {
    integer counted = order_of(load(x + i, count)) >= NATURAL(least);
    counts -= count == LANES ? counted : laneNumbers() < count ? counted : integer{};
  });
  int64_t sum = 0;
  for (int lane = 0; lane < LANES; lane++) sum += counts[lane];
  return sum;
}

// order_of the k-th largest.
unsigned orderOfLargest(const float *x, int64_t n, int64_t k) {
  unsigned order = 0;
  for (unsigned bit = 1u << 31; bit != 0; bit >>= 1) {
    if (countAtLeast(x, n, order | bit) >= k) order |= bit;
  }
  return order;
}

// The first class at which the sum of the weights passes a bound, or the number of classes, and the sum
// up to there.
int64_t walk(const Row &row, double bound, double *sum) {
  *sum = 0;
  for (int64_t i = 0; i < row.classes; i += LANES) {
    int count = static_cast<int>(smaller(LANES, row.classes - i));
    real weights = sampling_weight(load(row.logits + i, count), broadcast(row.largest), NATURAL(row.least),
                                   broadcast(row.inverseTemperature));
    for (int lane = 0; lane < count; lane++) {
      *sum += weights[lane];
      if (*sum > bound) return i + lane;
    }
  }
  return row.classes;
}

float uniformAt(uint64_t seed, uint64_t position) {
  natural words[4];
  uint64_t block = position / 4;
  philox(NATURAL(static_cast<unsigned>(block)), NATURAL(static_cast<unsigned>(block >> 32)),
         NATURAL(static_cast<unsigned>(seed)), NATURAL(static_cast<unsigned>(seed >> 32)), words);
  return uniform(words[position % 4])[0];
}

}  // namespace

void sample(const Argument *args, int64_t from, int64_t to) {
  int32_t *out = static_cast<int32_t *>(args[1].pointer);
  int64_t classes = args[2].integer, topK = args[3].integer;
  float inverseTemperature = number(args[4]);
  uint64_t seed = static_cast<uint64_t>(args[5].integer);
  uint64_t position = static_cast<uint64_t>(args[6].integer);
  for (int64_t r = from; r < to; r++) {
    const float *logits = reals(args[0]) + r * classes;
    if (hasNan(logits, classes)) {
      out[r] = -1;
      continue;
    }
    Row row{logits, classes, largestOf(logits, classes), 0, inverseTemperature};
    out[r] = firstOf(logits, row.largest);
    if (inverseTemperature == 0) continue;
    if (topK > 0 && topK < classes) row.least = orderOfLargest(logits, classes, topK);
    double sum;
    walk(row, __builtin_inf(), &sum);
    int64_t drawn = walk(row, uniformAt(seed, position + static_cast<uint64_t>(r)) * sum, &sum);
    if (drawn < classes) out[r] = static_cast<int32_t>(drawn);
  }
}

}  // namespace ISA
}  // namespace unroll
