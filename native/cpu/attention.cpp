// Kernels of attention: softmax over rows, and additive scores. Sums over a row are in float64.
#include "attention.h"

#include "items.h"
#include "kernels.h"
#include "largest.h"
#include "pointwise.h"
#include "wide.h"

namespace unroll {
namespace ISA {
namespace {

// How many columns of a row count; all without lengths.
INLINE int64_t columnsOf(int64_t row, const int32_t *lengths, int64_t batch, int64_t columns) {
  return lengths == nullptr ? columns : lengths[row % batch];
}

}  // namespace

void softmaxForward(const Argument *args, int64_t from, int64_t to) {
  int64_t columns = args[3].integer, batch = args[4].integer;
  real scale = broadcast(number(args[5]));
  for (int64_t row = from; row < to; row++) {
    const float *x = reals(args[0]) + row * columns;
    float *y = reals(args[2]) + row * columns;
    int64_t length = columnsOf(row, integers(args[1]), batch, columns);
    real largest = scale * broadcast(largestOf(x, length));
    WideSum sum;
    packs(0, length, [&](int64_t i, int count) EACH {
      real term = softmax_term(load(x + i, count), scale, largest);
      sum.add(count == LANES ? term : laneNumbers() < count ? term : real{});
      store(y + i, term, count);
    });
    real total = broadcast(static_cast<float>(sum.total()));
    packs(0, length, [&](int64_t i, int count) EACH { store(y + i, load(y + i, count) / total, count); });
    packs(length, columns, [&](int64_t i, int count) EACH { store(y + i, real{}, count); });
  }
}

void softmaxBackward(const Argument *args, int64_t from, int64_t to) {
  int64_t columns = args[4].integer, batch = args[5].integer;
  real scale = broadcast(number(args[6]));
  float beta = number(args[7]);
  for (int64_t row = from; row < to; row++) {
    const float *y = reals(args[0]) + row * columns;
    const float *dY = reals(args[1]) + row * columns;
    float *dX = reals(args[3]) + row * columns;
    int64_t length = columnsOf(row, integers(args[2]), batch, columns);
    WideSum sum;
    packs(0, length, [&](int64_t i, int count) EACH { sum.addProduct(load(y + i, count), load(dY + i, count)); });
    real dot = broadcast(static_cast<float>(sum.total()));
    packs(0, length, [&](int64_t i, int count) EACH {
      real value = softmax_gradient(load(y + i, count), load(dY + i, count), dot, scale);
      store(dX + i, blend(value, broadcast(beta), before(dX + i, beta, count)), count);
    });
    packs(length, columns, [&](int64_t i, int count) EACH {
      store(dX + i, blend(real{}, broadcast(beta), before(dX + i, beta, count)), count);
    });
  }
}

void additiveScoreForward(const Argument *args, int64_t from, int64_t to) {
  const float *v = reals(args[2]);
  float *score = reals(args[3]);
  int64_t batch = args[4].integer, m = args[5].integer, size = args[6].integer;
  for (int64_t i = from; i < to; i++) {
    int64_t row = i / m;
    const float *x = reals(args[0]) + row * size;
    const float *other = reals(args[1]) + ((i - row * m) * batch + row % batch) * size;
    WideSum sum;
    packs(0, size, [&](int64_t a, int count) EACH {
      sum.add(load(v + a, count) * additive_unit(load(x + a, count), load(other + a, count)));
    });
    score[i] = static_cast<float>(sum.total());
  }
}

void additiveScoreBackward(const Argument *args, int64_t from, int64_t to) {
  const float *v = reals(args[2]);
  float *dV = reals(args[5]);
  int64_t batch = args[6].integer, n = args[7].integer, m = args[8].integer, size = args[9].integer;
  bool turned = args[10].integer != 0;
  float beta = number(args[11]);
  pieces(from, to, size, [&](int64_t row, int64_t column, int64_t length) EACH {
    int64_t b = row % batch, start = row * size + column;
    const float *dScore = reals(args[3]) + (turned ? b * n + row / batch : row * m);
    const float *other = reals(args[1]) + b * size + column;
    float *dX = reals(args[4]) + start;
    packs(0, length, [&](int64_t i, int count) EACH {
      real x = load(reals(args[0]) + start + i, count);
      real sumX{}, sumV{};
      for (int64_t j = 0; j < m; j++) {
        real unit = additive_unit(x, load(other + j * batch * size + i, count));
        real d = broadcast(dScore[turned ? j * batch * n : j]);
        sumX += tanh_gradient(unit, d);
        sumV += unit * d;
      }
      real value = load(v + column + i, count) * sumX;
      store(dX + i, blend(value, broadcast(beta), before(dX + i, beta, count)), count);
      if (dV != nullptr) store(dV + start + i, sumV, count);
    });
  });
}

}  // namespace ISA
}  // namespace unroll
