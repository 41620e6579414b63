// Kernels that add up, in float64 and in an order that the shapes alone decide.
#include "items.h"
#include "kernels.h"
#include "optimizers.h"
#include "wide.h"

namespace unroll {
namespace ISA {
namespace {

constexpr int STRIPE = 1024;  // columns whose sums are kept at once: 8 KiB
constexpr int ROWS = 4;       // added at once

// Adds four rows of a stripe to its sums; a pack that is not whole reads the columns it has.
INLINE void addRows(double *sums, const float *row, int64_t stride, int columns) {
  packs(0, columns, [&](int64_t i, int count) EACH {
    const float *at = row + i;
    real a = load(at, count), b = load(at + stride, count);
    real c = load(at + 2 * stride, count), d = load(at + 3 * stride, count);
    wide low = (lowHalf(a) + lowHalf(b)) + (lowHalf(c) + lowHalf(d));
    wide high = (highHalf(a) + highHalf(b)) + (highHalf(c) + highHalf(d));
    store(sums + i, load(sums + i) + low);
    store(sums + i + LANES / 2, load(sums + i + LANES / 2) + high);
  });
}

INLINE void addRow(double *sums, const float *row, int columns) {
  packs(0, columns, [&](int64_t i, int count) EACH {
    real a = load(row + i, count);
    store(sums + i, load(sums + i) + lowHalf(a));
    store(sums + i + LANES / 2, load(sums + i + LANES / 2) + highHalf(a));
  });
}

double squares(const float *x, int64_t n) {
  WideSum sums[4];
  int64_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++) {
      real pack = load(x + i + s * LANES);
      sums[s].addProduct(pack, pack);
    }
  }
  packs(i, n, [&](int64_t at, int count) EACH {
    real pack = load(x + at, count);
    sums[0].addProduct(pack, pack);
  });
  sums[0].add(sums[1]);
  sums[2].add(sums[3]);
  sums[0].add(sums[2]);
  return sums[0].total();
}

}  // namespace

void columnSum(const Argument *args, int64_t from, int64_t to) {
  const float *x = reals(args[0]);
  float *out = reals(args[1]);
  int64_t rows = args[2].integer, n = args[3].integer;
  double beta = args[4].real;
  alignas(64) double sums[STRIPE];
  for (int64_t first = from; first < to; first += STRIPE) {
    int columns = static_cast<int>(smaller(STRIPE, to - first));
    packs(0, columns, [&](int64_t i, int) EACH {
      store(sums + i, wide{});
      store(sums + i + LANES / 2, wide{});
    });
    const float *at = x + first;
    int64_t row = 0;
    for (; row + ROWS <= rows; row += ROWS, at += ROWS * n) addRows(sums, at, n, columns);
    for (; row < rows; row++, at += n) addRow(sums, at, columns);
    float *target = out + first;
    for (int i = 0; i < columns; i++) {
      target[i] = static_cast<float>(beta == 0 ? sums[i] : sums[i] + beta * target[i]);
    }
  }
}

void squareSum(const Argument *args, int64_t from, int64_t to) {
  const float *x = reals(args[0]);
  float *partial = reals(args[1]);
  int64_t n = args[2].integer, parts = args[3].integer;
  int64_t length = (n + parts - 1) / parts;
  for (int64_t part = from; part < to; part++) {
    int64_t first = smaller(n, part * length), end = smaller(n, (part + 1) * length);
    partial[part] = static_cast<float>(squares(x + first, end - first));
  }
}

void clipFactor(const Argument *args, int64_t, int64_t) {
  const float *partial = reals(args[0]);
  float *out = reals(args[1]);
  double sum = 0;
  for (int64_t i = 0; i < args[2].integer; i++) sum += partial[i];
  out[0] = static_cast<float>(__builtin_sqrt(sum));
  out[1] = clip_factor(broadcast(out[0]), broadcast(number(args[3])))[0];
}

}  // namespace ISA
}  // namespace unroll
