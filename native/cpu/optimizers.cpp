// Kernels of the optimizers. Arguments begin with w, g and the moments.
#include "optimizers.h"

#include "items.h"
#include "kernels.h"

namespace unroll {
namespace ISA {
namespace {

INLINE real constant(double value) { return broadcast(static_cast<float>(value)); }

// w = of(w, g, m): arguments w, g, m.
template <class Of>
INLINE void step(const Argument *args, int64_t from, int64_t to, const Of &of) {
  float *w = reals(args[0]);
  const float *g = reals(args[1]);
  float *m = reals(args[2]);
  packs(from, to, [&](int64_t i, int count) EACH {
    real moment = load(m + i, count);
    real weight = of(load(w + i, count), load(g + i, count), &moment);
    store(m + i, moment, count);
    store(w + i, weight, count);
  });
}

}  // namespace

void sgd(const Argument *args, int64_t from, int64_t to) {
  float *w = reals(args[0]);
  const float *g = reals(args[1]);
  real rate = constant(args[2].real), decay = constant(args[3].real);
  packs(from, to, [&](int64_t i, int count) EACH {
    store(w + i, ::sgd(load(w + i, count), load(g + i, count), rate, decay), count);
  });
}

void momentum(const Argument *args, int64_t from, int64_t to) {
  real rate = constant(args[3].real), mu = constant(args[4].real), decay = constant(args[5].real);
  step(args, from, to, [&](real w, real g, real *m) EACH {
    return ::momentum(w, g, m, rate, mu, decay);
  });
}

void adagrad(const Argument *args, int64_t from, int64_t to) {
  real rate = constant(args[3].real), eps = constant(args[4].real), decay = constant(args[5].real);
  step(args, from, to, [&](real w, real g, real *a) EACH {
    return ::adagrad(w, g, a, rate, eps, decay);
  });
}

void rmsprop(const Argument *args, int64_t from, int64_t to) {
  rmsprop_settings settings{constant(args[3].real), constant(args[4].real), constant(args[5].real),
                            constant(args[6].real), constant(args[7].real)};
  step(args, from, to,
       [&](real w, real g, real *a) EACH { return ::rmsprop(w, g, a, settings); });
}

void adam(const Argument *args, int64_t from, int64_t to) {
  float *w = reals(args[0]);
  const float *g = reals(args[1]);
  float *m = reals(args[2]);
  float *v = reals(args[3]);
  adam_settings s{constant(args[4].real),  constant(args[5].real),  constant(args[6].real),
                  constant(args[7].real),  constant(args[8].real),  constant(args[9].real),
                  constant(args[10].real), constant(args[11].real), constant(args[12].real)};
  packs(from, to, [&](int64_t i, int count) EACH {
    real first = load(m + i, count), second = load(v + i, count);
    real weight = ::adam(load(w + i, count), load(g + i, count), &first, &second, s);
    store(m + i, first, count);
    store(v + i, second, count);
    store(w + i, weight, count);
  });
}

}  // namespace ISA
}  // namespace unroll
