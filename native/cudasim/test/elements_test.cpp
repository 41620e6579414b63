// kernels/gpu/elements.h against plain loops in double precision.
#include <cmath>
#include <functional>

#include "driver.h"

namespace unroll {
namespace test {
namespace {

// Below, at and past a group.
const int SIZES[] = {1, 31, 256, 257, 1000};

void *element(const char *name) { return function("elements", name); }

double near(double value) { return 8 * std::ldexp(std::fabs(value), -24) + 1e-30; }

void compareTo(const char *what, const Device<float> &found, const std::function<double(size_t)> &expected,
               double scale) {
  std::vector<float> values = found.read();
  for (size_t i = 0; i < values.size(); i++) {
    compare(what, static_cast<int>(i), values[i], expected(i), near(std::fmax(scale, std::fabs(expected(i)))));
  }
}

// Fewer lanes than items, so that they go round, and more.
unsigned groupsFor(int n) { return n % 2 == 0 ? 2 : 1; }

void testMaps(int n) {
  Random random(static_cast<uint64_t>(n));
  auto count = static_cast<size_t>(n);
  std::vector<float> x = numbers(count, random, 4), d = numbers(count, random);
  Device<float> given(x), dY(d);
  struct {
    const char *name;
    double (*of)(double);
  } maps[] = {{"tanh_forward_kernel", [](double v) { return std::tanh(v); }},
              {"sigmoid_forward_kernel", [](double v) { return 1 / (1 + std::exp(-v)); }},
              {"relu_forward_kernel", [](double v) { return v <= 0 ? 0 : v; }}};
  for (const auto &map : maps) {
    about("%s of %d", map.name, n);
    Device<float> y(count, NOTHING);
    CALL(launch(element(map.name), {groupsFor(n)}, given.at(), y.at(), int64_t{n}));
    compareTo("y", y, [&](size_t i) { return map.of(x[i]); }, 0);
  }
  struct {
    const char *name;
    double (*of)(double, double);
  } pairs[] = {{"tanh_backward_kernel", [](double y, double dy) { return dy * (1 - y * y); }},
               {"sigmoid_backward_kernel", [](double y, double dy) { return dy * y * (1 - y); }},
               {"relu_backward_kernel", [](double y, double dy) { return y <= 0 ? 0 : dy; }},
               {"multiply_kernel", [](double a, double b) { return a * b; }}};
  for (const auto &pair : pairs) {
    for (float beta : {0.0f, 1.0f}) {
      about("%s of %d, beta %g", pair.name, n, beta);
      Device<float> out(count, beta == 0 ? NOTHING : 0.5f);
      CALL(launch(element(pair.name), {groupsFor(n)}, given.at(), dY.at(), out.at(), beta, int64_t{n}));
      compareTo("out", out, [&](size_t i) { return pair.of(x[i], d[i]) + 0.5 * beta; }, 16);
    }
  }
}

void testInPlace(int n) {
  Random random(static_cast<uint64_t>(n) + 1);
  auto count = static_cast<size_t>(n);
  std::vector<float> x = numbers(count, random, 4);
  unsigned groups = groupsFor(n);
  about("what changes %d elements", n);
  Device<float> filled(count, NOTHING), sum(x), scaled(x), clamped(x), factor(1, -0.75f);
  CALL(launch(element("fill_kernel"), {groups}, filled.at(), 2.5f, int64_t{n}));
  compareTo("fill", filled, [](size_t) { return 2.5; }, 0);
  CALL(launch(element("axpby_kernel"), {groups}, filled.at(), sum.at(), -2.0f, 1.0f, int64_t{n}));
  compareTo("axpby", sum, [&](size_t i) { return x[i] - 5.0; }, 9);
  CALL(launch(element("scale_by_kernel"), {groups}, scaled.at(), factor.at(), int64_t{n}));
  compareTo("scale", scaled, [&](size_t i) { return -0.75 * x[i]; }, 0);
  CALL(launch(element("clamp_kernel"), {groups}, clamped.at(), 1.5f, int64_t{n}));
  compareTo("clamp", clamped, [&](size_t i) { return std::fmax(-1.5, std::fmin(1.5, x[i])); }, 0);
}

void testOptimizers(int n) {
  Random random(static_cast<uint64_t>(n) + 2);
  auto count = static_cast<size_t>(n);
  std::vector<float> before = numbers(count, random), g = numbers(count, random), past = numbers(count, random);
  for (float &value : past) value = std::fabs(value) + 0.1f;
  Device<float> gradient(g);
  const float lr = 0.1f, decay = 0.01f, eps = 1e-6f, mu = 0.9f;
  unsigned groups = groupsFor(n);
  auto decayed = [&](size_t i) { return g[i] + static_cast<double>(decay) * before[i]; };
  about("optimizers of %d", n);
  Device<float> sgd(before), momentum(before), m(past), adagrad(before), a(past), rms(before), square(past);
  CALL(launch(element("sgd_kernel"), {groups}, sgd.at(), gradient.at(), lr, decay, int64_t{n}));
  compareTo("sgd", sgd, [&](size_t i) { return before[i] - lr * decayed(i); }, 1);
  CALL(launch(element("momentum_kernel"), {groups}, momentum.at(), gradient.at(), m.at(), lr, mu, decay, int64_t{n}));
  auto moment = [&](size_t i) { return mu * past[i] + decayed(i); };
  compareTo("moment", m, moment, 2);
  compareTo("momentum", momentum, [&](size_t i) { return before[i] - lr * moment(i); }, 2);
  CALL(launch(element("adagrad_kernel"), {groups}, adagrad.at(), gradient.at(), a.at(), lr, eps, decay, int64_t{n}));
  auto sum = [&](size_t i) { return past[i] + decayed(i) * decayed(i); };
  compareTo("sum", a, sum, 2);
  compareTo("adagrad", adagrad, [&](size_t i) { return before[i] - lr * decayed(i) / (std::sqrt(sum(i)) + eps); }, 1);
  CALL(launch(element("rmsprop_kernel"), {groups}, rms.at(), gradient.at(), square.at(), lr, mu, 1 - mu, eps, decay,
              int64_t{n}));
  auto mean = [&](size_t i) { return mu * past[i] + (1 - mu) * decayed(i) * decayed(i); };
  compareTo("mean", square, mean, 2);
  compareTo("rmsprop", rms, [&](size_t i) { return before[i] - lr * decayed(i) / (std::sqrt(mean(i)) + eps); }, 1);
  Device<float> adam(before), first(past), second(past);
  CALL(launch(element("adam_kernel"), {groups}, adam.at(), gradient.at(), first.at(), second.at(), lr, mu, 1 - mu, mu,
              1 - mu, 2.0f, eps, decay, 0.25f, int64_t{n}));
  auto shrunk = [&](size_t i) { return before[i] - 0.25 * before[i]; };
  auto with = [&](size_t i) { return g[i] + decay * shrunk(i); };
  auto one = [&](size_t i) { return mu * past[i] + (1 - mu) * with(i); };
  auto two = [&](size_t i) { return mu * past[i] + (1 - mu) * with(i) * with(i); };
  compareTo("first", first, one, 2);
  compareTo("second", second, two, 2);
  compareTo("adam", adam, [&](size_t i) { return shrunk(i) - lr * one(i) / (std::sqrt(2 * two(i)) + eps); }, 2);
}

void testRows(int rows, int n) {
  Random random(static_cast<uint64_t>(rows * 1000 + n));
  const int entries = 4, items = rows * n;
  auto count = static_cast<size_t>(items);
  unsigned groups = groupsFor(items);
  std::vector<float> x = numbers(count, random), b = numbers(static_cast<size_t>(n), random);
  std::vector<float> t = numbers(static_cast<size_t>(entries * n), random);
  std::vector<int> rowsOf(static_cast<size_t>(rows));
  for (int &row : rowsOf) row = random.below(entries + 1) - 1;
  about("rows, %d of %d", rows, n);
  Device<float> sum(x), given(x), bias(b), table(t), out(count, NOTHING);
  Device<int> index(rowsOf);
  auto row = [&](size_t i) { return i / static_cast<size_t>(n); };
  auto column = [&](size_t i) { return i % static_cast<size_t>(n); };
  CALL(launch(element("bias_add_kernel"), {groups}, sum.at(), bias.at(), n, int64_t{items}));
  compareTo("bias", sum, [&](size_t i) { return static_cast<double>(x[i]) + b[column(i)]; }, 2);
  CALL(launch(element("gather_rows_kernel"), {groups}, table.at(), index.at(), out.at(), n, int64_t{items}));
  compareTo("gather", out, [&](size_t i) {
    int from = rowsOf[row(i)];
    return from < 0 ? 0.0 : t[static_cast<size_t>(from * n) + column(i)];
  }, 0);
  CALL(launch(element("mask_rows_kernel"), {groups}, given.at(), index.at(), out.at(), n, int64_t{items}));
  compareTo("mask", out, [&](size_t i) { return rowsOf[row(i)] != 0 ? 0.0 : x[i]; }, 0);
  const int wide = n + 3;
  Device<float> spread(static_cast<size_t>(rows * wide), 0.5f);
  CALL(launch(element("copy_rows_kernel"), {groups}, given.at(), spread.at(), n, n, wide, 1.0f, int64_t{items}));
  compareTo("copy", spread, [&](size_t i) {
    size_t r = i / static_cast<size_t>(wide), c = i % static_cast<size_t>(wide);
    return 0.5 + (c < static_cast<size_t>(n) ? x[r * static_cast<size_t>(n) + c] : 0);
  }, 2);
}

// A draw belongs to its number, whichever launch makes it; about p are dropped, the rest is scaled.
void testDropout() {
  const int n = 4000, cut = 1234 + 1;
  const float p = 0.25f, scale = 1 / (1 - p);
  const int64_t seed = 0x123456789abcdef, counter = (int64_t{1} << 34) - 1001;
  about("dropout");
  Device<float> x(n, 3), whole(n, NOTHING), parts(n, NOTHING);
  void *dropout = element("dropout_kernel");
  CALL(launch(dropout, {2}, x.at(), whole.at(), p, scale, seed, counter, 0.0f, int64_t{n}));
  CALL(launch(dropout, {1}, x.at(), parts.at(), p, scale, seed, counter, 0.0f, int64_t{cut}));
  CALL(launch(dropout, {3}, x.at(cut), parts.at(cut), p, scale, seed, counter + cut, 0.0f, int64_t{n - cut}));
  std::vector<float> one = whole.read(), two = parts.read();
  int dropped = 0;
  for (int i = 0; i < n; i++) {
    auto at = static_cast<size_t>(i);
    compare("parts", i, two[at], one[at], 0);
    dropped += one[at] == 0 ? 1 : 0;
    if (one[at] != 0) compare("kept", i, one[at], 4, near(4));
  }
  compare("dropped", 0, dropped, p * n, 5 * std::sqrt(n * p * (1 - p)));
}

}  // namespace

void testElements() {
  Session session;
  for (int n : SIZES) {
    if (QUICK && n != 31) continue;
    testMaps(n);
    testInPlace(n);
    testOptimizers(n);
  }
  for (int n : {1, 7, 300}) {
    if (!QUICK || n == 7) testRows(5, n);
  }
  if (!QUICK) testDropout();
}

}  // namespace test
}  // namespace unroll
