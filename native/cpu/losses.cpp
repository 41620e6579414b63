// Kernels of the losses. Sums are in float64.
#include "losses.h"

#include "items.h"
#include "kernels.h"
#include "log_sum.h"
#include "pointwise.h"
#include "wide.h"

namespace unroll {
namespace ISA {
namespace {

// The sum of a row, float by float.
double sumOf(const float *x, int64_t n) {
  WideSum sum;
  packs(0, n, [&](int64_t i, int count) EACH { sum.add(load(x + i, count)); });
  return sum.total();
}

INLINE void storeMean(float *out, double sum, double weight) {
  out[0] = weight == 0 ? 0 : static_cast<float>(sum / weight);
  out[1] = weight == 0 ? 0 : static_cast<float>(1 / weight);
}

// mean[1] * dLoss[0].
INLINE double scaleOf(const Argument &mean, const Argument &dLoss) {
  return static_cast<double>(reals(mean)[1]) * reals(dLoss)[0];
}

}  // namespace

void crossEntropyForward(const Argument *args, int64_t from, int64_t to) {
  const int32_t *target = integers(args[1]);
  float *lse = reals(args[2]);
  float *loss = reals(args[3]);
  int64_t classes = args[4].integer, ignore = args[5].integer;
  double right = number(args[6]), other = number(args[7]);
  for (int64_t r = from; r < to; r++) {
    const float *row = reals(args[0]) + r * classes;
    bool ignored = target[r] == ignore;
    double log = ignored ? 0 : logSumExp(row, classes);
    lse[r] = static_cast<float>(log);
    if (!ignored) {
      int64_t wanted = target[r];
      log -= right * row[wanted];
      if (other != 0) log -= other * (sumOf(row, wanted) + sumOf(row + wanted + 1, classes - wanted - 1));
    }
    loss[r] = static_cast<float>(log);
  }
}

void crossEntropyMean(const Argument *args, int64_t, int64_t) {
  const float *loss = reals(args[0]);
  const int32_t *target = integers(args[1]);
  int64_t rows = args[3].integer;
  int32_t ignore = static_cast<int32_t>(args[4].integer);
  WideSum sum;
  integer counts{};
  packs(0, rows, [&](int64_t i, int count) EACH {
    integer wanted = integer{} + ignore;
    __builtin_memcpy(&wanted, target + i, sizeof(int32_t) * static_cast<size_t>(count));
    integer heeded = wanted != ignore;
    sum.add(heeded ? load(loss + i, count) : real{});
    counts -= heeded;
  });
  double counted = 0;
  for (int lane = 0; lane < LANES; lane++) counted += counts[lane];
  storeMean(reals(args[2]), sum.total(), counted);
}

void crossEntropyBackward(const Argument *args, int64_t from, int64_t to) {
  const int32_t *target = integers(args[1]);
  const float *lse = reals(args[2]);
  real scale = broadcast(static_cast<float>(scaleOf(args[3], args[4])));
  int64_t classes = args[6].integer, ignore = args[7].integer;
  real right = broadcast(number(args[8])), other = broadcast(number(args[9]));
  float beta = number(args[10]);
  pieces(from, to, classes, [&](int64_t row, int64_t column, int64_t length) EACH {
    const float *logits = reals(args[0]) + row * classes + column;
    float *gradient = reals(args[5]) + row * classes + column;
    real log = broadcast(lse[row]);
    bool ignored = target[row] == ignore;
    packs(0, length, [&](int64_t i, int count) EACH {
      integer thisClass = laneNumbers() + static_cast<int>(column + i);
      real wanted = thisClass == target[row] ? right : other;
      real value = cross_entropy_gradient(load(logits + i, count), log, wanted, scale);
      value = ignored ? real{} : value;
      store(gradient + i, blend(value, broadcast(beta), before(gradient + i, beta, count)), count);
    });
  });
}

void squaredErrorMean(const Argument *args, int64_t, int64_t) {
  const float *x = reals(args[0]);
  const float *target = reals(args[1]);
  const float *weights = reals(args[2]);
  WideSum errors, total;
  packs(0, args[4].integer, [&](int64_t i, int count) EACH {
    real weight = weights != nullptr ? load(weights + i, count)
                                     : laneNumbers() < count ? REAL(1.0f) : real{};
    errors.add(squared_error(load(x + i, count), load(target + i, count), weight));
    total.add(weight);
  });
  storeMean(reals(args[3]), errors.total(), total.total());
}

void squaredErrorBackward(const Argument *args, int64_t from, int64_t to) {
  const float *x = reals(args[0]);
  const float *target = reals(args[1]);
  const float *weights = reals(args[2]);
  real scale = broadcast(static_cast<float>(2 * scaleOf(args[3], args[4])));
  float *dX = reals(args[5]);
  float beta = number(args[6]);
  packs(from, to, [&](int64_t i, int count) EACH {
    real weight = weights != nullptr ? load(weights + i, count) : REAL(1.0f);
    real value = squared_error_gradient(load(x + i, count), load(target + i, count), weight, scale);
    store(dX + i, blend(value, broadcast(beta), before(dX + i, beta, count)), count);
  });
}

}  // namespace ISA
}  // namespace unroll
