// kernels/gpu/reductions.h against plain loops in double precision.
#include <cmath>

#include "driver.h"

namespace unroll {
namespace test {
namespace {

void *reduction(const char *name) { return function("reductions", name); }

double near(double value) { return 8 * std::ldexp(std::fabs(value), -24) + 1e-30; }

void testColumns(int rows, int n) {
  Random random(static_cast<uint64_t>(rows * 1000 + n));
  auto count = static_cast<size_t>(rows * n);
  std::vector<float> x = numbers(count, random);
  about("columns, %d x %d", rows, n);
  Device<float> given(x), sums(static_cast<size_t>(n), 0.5f), turned(count, NOTHING);
  CALL(launch(reduction("column_sum_kernel"), {2}, given.at(), sums.at(), rows, n, 1.0f, int64_t{n}));
  std::vector<float> found = sums.read();
  for (int j = 0; j < n; j++) {
    double exact = 0.5;
    for (int r = 0; r < rows; r++) exact += x[static_cast<size_t>(r * n + j)];
    compare("sum", j, found[static_cast<size_t>(j)], exact, rows * near(2));
  }
  CALL(launch(reduction("transpose_kernel"), {2}, given.at(), turned.at(), rows, n, 0.0f, int64_t{rows} * n));
  found = turned.read();
  for (int i = 0; i < rows * n; i++) {
    compare("transposed", i, found[static_cast<size_t>(i)], x[static_cast<size_t>(i % rows * n + i / rows)], 0);
  }
}

void testScatter(int rows, int n) {
  Random random(static_cast<uint64_t>(rows + n));
  const int entries = 5;
  std::vector<float> x = numbers(static_cast<size_t>(rows * n), random);
  std::vector<int> to(static_cast<size_t>(rows));
  for (int &row : to) row = random.below(entries + 1) - 1;
  about("scattered rows, %d of %d", rows, n);
  Device<float> given(x), table(static_cast<size_t>(entries * n), 1);
  Device<int> index(to);
  CALL(launch(reduction("scatter_add_rows_kernel"), {3}, given.at(), index.at(), table.at(), rows, n, entries,
              int64_t{n}));
  std::vector<float> found = table.read();
  for (int i = 0; i < entries * n; i++) {
    double exact = 1;
    for (int r = 0; r < rows; r++) {
      if (to[static_cast<size_t>(r)] == i / n) exact += x[static_cast<size_t>(r * n + i % n)];
    }
    compare("table", i, found[static_cast<size_t>(i)], exact, rows * near(2));
  }
}

void testCrossEntropy(int classes) {
  const int rows = 6, ignored = -7;
  Random random(static_cast<uint64_t>(classes));
  std::vector<float> x = numbers(static_cast<size_t>(rows * classes), random, 20);
  std::vector<int> wanted(rows, ignored);
  for (int r = 1; r < rows; r++) wanted[static_cast<size_t>(r)] = random.below(classes);
  about("cross entropy of %d classes", classes);
  Device<float> logits(x), lse(rows, NOTHING), loss(rows, NOTHING), mean(2, NOTHING), dLoss(1, 3.0f);
  Device<float> dLogits(x.size(), NOTHING);
  Device<int> target(wanted);
  CALL(launch(reduction("cross_entropy_forward_kernel"), {2}, logits.at(), target.at(), lse.at(), loss.at(), classes,
              ignored, 1.0f, 0.0f, int64_t{rows}));
  CALL(launch(reduction("cross_entropy_mean_kernel"), {2}, loss.at(), target.at(), mean.at(), rows, ignored,
              int64_t{1}));
  CALL(launch(reduction("cross_entropy_backward_kernel"), {2}, logits.at(), target.at(), lse.at(), mean.at(),
              dLoss.at(), dLogits.at(), classes, ignored, 1.0f, 0.0f, 0.0f, int64_t{rows} * classes));
  std::vector<float> losses = loss.read(), gradients = dLogits.read();
  double total = 0;
  for (int r = 0; r < rows; r++) {
    const float *row = x.data() + r * classes;
    bool counts = wanted[static_cast<size_t>(r)] != ignored;
    double sum = 0;
    for (int c = 0; c < classes; c++) sum += std::exp(static_cast<double>(row[c]));
    double exact = counts ? std::log(sum) - row[wanted[static_cast<size_t>(r)]] : 0;
    compare("loss", r, losses[static_cast<size_t>(r)], exact, near(40));
    total += exact;
    for (int c = 0; c < classes; c++) {
      double hit = c == wanted[static_cast<size_t>(r)] ? 1 : 0;
      double gradient = counts ? (std::exp(row[c]) / sum - hit) * 3 / (rows - 1) : 0;
      compare("gradient", r * classes + c, gradients[static_cast<size_t>(r * classes + c)], gradient, 4 * near(10));
    }
  }
  compare("mean", 0, mean.read()[0], total / (rows - 1), near(40));
}

void testSums(int n) {
  const int parts = 3;
  Random random(static_cast<uint64_t>(n));
  auto count = static_cast<size_t>(n);
  std::vector<float> x = numbers(count, random), y = numbers(count, random), w = numbers(count, random);
  for (float &value : w) value = std::fabs(value) + 0.1f;
  about("sums of %d", n);
  Device<float> given(x), target(y), weights(w), partial(parts, NOTHING), clip(2, NOTHING), mean(2, NOTHING);
  Device<float> dLoss(1, 2.0f), dX(count, NOTHING);
  CALL(launch(reduction("square_sum_kernel"), {2}, given.at(), partial.at(), int64_t{n}, parts, int64_t{parts}));
  CALL(launch(reduction("clip_factor_kernel"), {1}, partial.at(), clip.at(), parts, 0.5f, int64_t{1}));
  CALL(launch(reduction("squared_error_mean_kernel"), {1}, given.at(), target.at(), weights.at(), mean.at(), n,
              int64_t{1}));
  CALL(launch(reduction("squared_error_backward_kernel"), {2}, given.at(), target.at(), weights.at(), mean.at(),
              dLoss.at(), dX.at(), 0.0f, int64_t{n}));
  double square = 0, error = 0, weight = 0;
  for (size_t i = 0; i < count; i++) {
    square += static_cast<double>(x[i]) * x[i];
    error += w[i] * (static_cast<double>(x[i]) - y[i]) * (static_cast<double>(x[i]) - y[i]);
    weight += w[i];
  }
  compare("norm", 0, clip.read()[0], std::sqrt(square), n * near(std::sqrt(square)));
  compare("factor", 1, clip.read()[1], std::fmin(1, 0.5 / (std::sqrt(square) + 1e-6)), n * near(1));
  compare("mean", 0, mean.read()[0], error / weight, n * near(error / weight));
  std::vector<float> gradients = dX.read();
  for (size_t i = 0; i < count; i++) {
    double exact = 2 * 2.0 * w[i] * (static_cast<double>(x[i]) - y[i]) / weight;
    compare("dx", static_cast<int>(i), gradients[i], exact, n * near(8 / weight));
  }
}

// Without temperature the largest; with it, shares as the softmax has them.
void testSample() {
  const int rows = 400, classes = 7;
  about("sampling");
  std::vector<float> x;
  for (int i = 0; i < rows * classes; i++) x.push_back(static_cast<float>((i % classes) * 3 % classes) / 2);
  Device<float> logits(x);
  Device<int> greedy(rows, -7), drawn(rows, -7);
  void *sample = reduction("sample_kernel");
  CALL(launch(sample, {2}, logits.at(), greedy.at(), classes, 0, 0.0f, int64_t{5}, int64_t{9}, int64_t{rows}));
  CALL(launch(sample, {3}, logits.at(), drawn.at(), classes, 0, 1.0f, int64_t{5}, int64_t{9}, int64_t{rows}));
  std::vector<int> first = greedy.read(), second = drawn.read();
  double sum = 0;
  int times[classes] = {};
  for (int c = 0; c < classes; c++) sum += std::exp(x[static_cast<size_t>(c)]);
  for (int r = 0; r < rows; r++) {
    compare("greedy", r, first[static_cast<size_t>(r)], 2, 0);
    int found = second[static_cast<size_t>(r)];
    if (found < 0 || found >= classes) fail("row %d gives class %d", r, found);
    else times[found]++;
  }
  for (int c = 0; c < classes; c++) {
    double share = std::exp(x[static_cast<size_t>(c)]) / sum;
    compare("share", c, times[c], rows * share, 5 * std::sqrt(rows * share));
  }
}

}  // namespace

void testReductions() {
  Session session;
  for (int rows : {1, 33, 70}) {
    for (int n : {1, 32, 67}) {
      if (!QUICK || rows + n == 100) testColumns(rows, n);
    }
  }
  if (!QUICK) testScatter(3, 2);
  testScatter(300, 65);
  for (int classes : {2, 17, 300}) {
    if (!QUICK || classes == 300) testCrossEntropy(classes);
  }
  for (int n : {1, 255, 700}) {
    if (!QUICK || n == 255) testSums(n);
  }
  if (!QUICK) testSample();
}

}  // namespace test
}  // namespace unroll
