#include <algorithm>
#include <cmath>
#include <cstdio>

#include "launch.h"

namespace unroll {
namespace test {
namespace {

// Below, at and past packs, and enough for several threads.
const int SIZES[] = {1, 3, 8, 16, 17, 33, 100, 1000, 70001};

class Kernels {
 public:
  explicit Kernels(const Isa &isa) : isa(isa), context(3, &isa) {}

  void testAll() {
    for (int n : SIZES) {
      testMaps(n);
      testGradients(n);
      testSums(n);
      testAdam(n);
    }
    for (int rows : {1, 5, 19}) {
      for (int n : {1, 7, 16, 37, 300}) testRows(rows, n);
    }
    testCrossEntropy();
    for (int columns : {1, 7, 16, 83}) {
      testSoftmax(columns);
      testAdditiveScores(columns);
    }
    for (int classes : {1, 4, 17, 83}) testSample(classes);
  }

 private:
  template <size_t COUNT>
  void run(const char *name, int64_t items, const Argument (&args)[COUNT]) {
    test::run(context, name, items, args);
  }

  static double near(double value) { return 8 * std::ldexp(std::fabs(value), -24) + 1e-30; }

  // y = f(x), element by element.
  void testMaps(int n) {
    Random random(static_cast<uint64_t>(n));
    Floats x(numbers(static_cast<size_t>(n), random, 4));
    struct {
      const char *name;
      double (*of)(double);
    } maps[] = {{"TANH_FORWARD", [](double v) { return std::tanh(v); }},
                {"SIGMOID_FORWARD", [](double v) { return 1 / (1 + std::exp(-v)); }},
                {"RELU_FORWARD", [](double v) { return v <= 0 ? 0 : v; }}};
    for (const auto &map : maps) {
      Floats y(static_cast<size_t>(n), NOTHING);
      run(map.name, n, {pointer(x.data()), pointer(y.data())});
      for (int i = 0; i < n; i++) compare("y", i, y[i], map.of(x[i]), near(map.of(x[i])));
    }
  }

  // With beta 0, which must not read what was there, and with 1.
  void testGradients(int n) {
    Random random(static_cast<uint64_t>(n) + 1);
    Floats y(numbers(static_cast<size_t>(n), random)), dY(numbers(static_cast<size_t>(n), random));
    for (int beta : {0, 1}) {
      Floats dX(static_cast<size_t>(n), beta == 0 ? NOTHING : 0.5f);
      Argument args[] = {pointer(y.data()), pointer(dY.data()), pointer(dX.data()), real(beta)};
      run("TANH_BACKWARD", n, args);
      for (int i = 0; i < n; i++) {
        double expected = dY[i] * (1 - static_cast<double>(y[i]) * y[i]) + beta * 0.5;
        compare("dX", i, dX[i], expected, near(1.5));
      }
      Floats out(static_cast<size_t>(n), beta == 0 ? NOTHING : 0.5f);
      run("MULTIPLY", n, {pointer(y.data()), pointer(dY.data()), pointer(out.data()), real(beta)});
      for (int i = 0; i < n; i++) {
        compare("out", i, out[i], static_cast<double>(y[i]) * dY[i] + beta * 0.5, near(1.5));
      }
      Floats z(static_cast<size_t>(n), beta == 0 ? NOTHING : 0.5f);
      run("AXPBY", n, {pointer(y.data()), pointer(z.data()), real(-1.25), real(beta)});
      for (int i = 0; i < n; i++) compare("y", i, z[i], -1.25 * y[i] + beta * 0.5, near(1.75));
    }
  }

  void testSums(int n) {
    Random random(static_cast<uint64_t>(n) + 2);
    const int parts = 7;
    Floats x(numbers(static_cast<size_t>(n), random)), partial(parts, NOTHING);
    run("SQUARE_SUM", parts,
        {pointer(x.data()), pointer(partial.data()), integer(n), integer(parts)});
    double exact = 0, found = 0;
    for (int i = 0; i < n; i++) exact += static_cast<double>(x[i]) * x[i];
    for (int i = 0; i < parts; i++) found += partial[i];
    compare("sum", 0, found, exact, n * near(exact));
    Floats out(2, NOTHING);
    run("CLIP_FACTOR", 1, {pointer(partial.data()), pointer(out.data()), integer(parts), real(0.5)});
    compare("norm", 0, out[0], std::sqrt(exact), n * near(std::sqrt(exact)));
    compare("factor", 1, out[1], std::fmin(1, 0.5 / (std::sqrt(exact) + 1e-6)), n * near(1));
  }

  void testAdam(int n) {
    Random random(static_cast<uint64_t>(n) + 3);
    const double lr = 0.01, b1 = 0.9, b2 = 0.999, eps = 1e-8, decay = 0.1, decoupled = 0.2;
    const double c1 = 1 - b1, c2 = 1 - b2;
    size_t count = static_cast<size_t>(n);
    std::vector<float> before = numbers(count, random);
    Floats w(before), g(numbers(count, random)), m(count, 0), v(count, 0);
    run("ADAM", n,
        {pointer(w.data()), pointer(g.data()), pointer(m.data()), pointer(v.data()), real(lr / c1),
         real(b1), real(1 - b1), real(b2), real(1 - b2), real(1 / c2), real(eps), real(decay),
         real(lr * decoupled)});
    for (int i = 0; i < n; i++) {
      double weight = before[i] - lr * decoupled * before[i];
      double gradient = g[i] + decay * weight;
      double mean = (1 - b1) * gradient, square = (1 - b2) * gradient * gradient;
      compare("m", i, m[i], mean, near(1));
      compare("v", i, v[i], square, near(1));
      compare("w", i, w[i], weight - lr * (mean / c1) / (std::sqrt(square / c2) + eps), near(1));
    }
  }

  void testRows(int rows, int n) {
    Random random(static_cast<uint64_t>(rows * 1000 + n));
    int items = rows * n;
    size_t count = static_cast<size_t>(items);
    std::vector<float> before = numbers(count, random);
    Floats x(before), bias(numbers(static_cast<size_t>(n), random));
    run("BIAS_ADD", items, {pointer(x.data()), pointer(bias.data()), integer(n)});
    for (int i = 0; i < items; i++) {
      compare("out", i, x[i], static_cast<double>(before[i]) + bias[i % n], near(2));
    }
    Floats sums(static_cast<size_t>(n), 0.5f);
    run("COLUMN_SUM", n, {pointer(x.data()), pointer(sums.data()), integer(rows), integer(n), real(1)});
    for (int j = 0; j < n; j++) {
      double exact = 0.5;
      for (int r = 0; r < rows; r++) exact += x[r * n + j];
      compare("out", j, sums[j], exact, rows * near(2));
    }
    Floats turned(count, NOTHING);
    run("TRANSPOSE", items,
        {pointer(x.data()), pointer(turned.data()), integer(rows), integer(n), real(0)});
    for (int i = 0; i < items; i++) compare("out", i, turned[i], x[i % rows * n + i / rows], 0);
    testIndexed(rows, n, random);
  }

  void testIndexed(int rows, int n, Random &random) {
    const int entries = 4;
    Floats table(numbers(static_cast<size_t>(entries) * n, random));
    Array<int32_t> index(static_cast<size_t>(rows), 0);
    for (int r = 0; r < rows; r++) index[r] = random.below(entries + 1) - 1;
    Floats out(static_cast<size_t>(rows) * n, NOTHING);
    run("GATHER_ROWS", rows * n,
        {pointer(table.data()), pointer(index.data()), pointer(out.data()), integer(n)});
    Floats sums(static_cast<size_t>(entries) * n, 0);
    run("SCATTER_ADD_ROWS", n, {pointer(out.data()), pointer(index.data()), pointer(sums.data()),
                                integer(rows), integer(n), integer(entries)});
    int times[entries] = {};
    for (int r = 0; r < rows; r++) {
      if (index[r] >= 0) times[index[r]]++;
      for (int j = 0; j < n; j++) {
        compare("gathered", r * n + j, out[r * n + j], index[r] < 0 ? 0 : table[index[r] * n + j], 0);
      }
    }
    Floats masked(static_cast<size_t>(rows) * n, NOTHING);
    run("MASK_ROWS", rows * n,
        {pointer(out.data()), pointer(index.data()), pointer(masked.data()), integer(n)});
    for (int i = 0; i < rows * n; i++) {
      compare("masked", i, masked[i], index[i / n] != 0 ? 0 : out[i], 0);
    }
    for (int i = 0; i < entries * n; i++) {
      compare("scattered", i, sums[i], times[i / n] * static_cast<double>(table[i]), rows * near(1));
    }
  }

  void testCrossEntropy() {
    const int rows = 9, ignored = -7;
    for (int classes : {2, 17, 83}) {
      Random random(static_cast<uint64_t>(classes));
      Floats logits(numbers(static_cast<size_t>(rows) * classes, random, 20));
      Array<int32_t> target(rows, ignored);
      for (int r = 1; r < rows; r++) target[r] = random.below(classes);
      Floats lse(rows, NOTHING), loss(rows, NOTHING);
      run("CROSS_ENTROPY_FORWARD", rows,
          {pointer(logits.data()), pointer(target.data()), pointer(lse.data()), pointer(loss.data()),
           integer(classes), integer(ignored), real(0.75), real(0.25)});
      compare("ignored", 0, loss[0], 0, 0);
      for (int r = 1; r < rows; r++) {
        double sum = 0, wanted = 0;
        for (int c = 0; c < classes; c++) {
          sum += std::exp(static_cast<double>(logits[r * classes + c]));
          wanted += (c == target[r] ? 0.75 : 0.25) * logits[r * classes + c];
        }
        compare("lse", r, lse[r], std::log(sum), near(20));
        compare("loss", r, loss[r], std::log(sum) - wanted, classes * near(20));
      }
    }
  }

  // Rows of which the first columns count, none of them in the first row.
  void testSoftmax(int columns) {
    const int rows = 6, batch = 3;
    const double scale = 0.5;
    Random random(static_cast<uint64_t>(columns));
    size_t count = static_cast<size_t>(rows) * columns;
    Floats x(numbers(count, random, 20)), y(count, NOTHING), dY(numbers(count, random)), dX(count, NOTHING);
    Array<int32_t> lengths(batch, 0);
    lengths[1] = columns;
    lengths[2] = 1 + random.below(columns);
    run("SOFTMAX_FORWARD", rows,
        {pointer(x.data()), pointer(lengths.data()), pointer(y.data()), integer(columns), integer(batch),
         real(scale)});
    run("SOFTMAX_BACKWARD", rows,
        {pointer(y.data()), pointer(dY.data()), pointer(lengths.data()), pointer(dX.data()), integer(columns),
         integer(batch), real(scale), real(0)});
    for (int r = 0; r < rows; r++) {
      double sum = 0, dot = 0;
      for (int c = 0; c < lengths[r % batch]; c++) {
        double term = std::exp(scale * x[r * columns + c]);
        sum += term;
        dot += term * dY[r * columns + c];
      }
      for (int c = 0; c < columns; c++) {
        int i = r * columns + c;
        bool counts = c < lengths[r % batch];
        double share = counts ? std::exp(scale * x[i]) / sum : 0;
        compare("y", i, y[i], share, near(10));
        compare("dX", i, dX[i], counts ? scale * share * (dY[i] - dot / sum) : 0, near(10));
      }
    }
  }

  // Both gradients of v tanh(x + other), of x, and of other by the same kernel turned round.
  void testAdditiveScores(int size) {
    const int n = 3, batch = 2, m = 5;
    Random random(static_cast<uint64_t>(size));
    auto width = static_cast<size_t>(size);
    Floats x(numbers(n * batch * width, random)), other(numbers(m * batch * width, random)), v(numbers(width, random));
    Floats score(n * batch * m, NOTHING), dScore(numbers(n * batch * m, random));
    Floats dX(n * batch * width, NOTHING), dV(n * batch * width, NOTHING), dOther(m * batch * width, 1);
    run("ADDITIVE_SCORE_FORWARD", n * batch * m,
        {pointer(x.data()), pointer(other.data()), pointer(v.data()), pointer(score.data()), integer(batch),
         integer(m), integer(size)});
    run("ADDITIVE_SCORE_BACKWARD", n * batch * size,
        {pointer(x.data()), pointer(other.data()), pointer(v.data()), pointer(dScore.data()), pointer(dX.data()),
         pointer(dV.data()), integer(batch), integer(n), integer(m), integer(size), integer(0), real(0)});
    run("ADDITIVE_SCORE_BACKWARD", m * batch * size,
        {pointer(other.data()), pointer(x.data()), pointer(v.data()), pointer(dScore.data()), pointer(dOther.data()),
         pointer(nullptr), integer(batch), integer(m), integer(n), integer(size), integer(1), real(1)});
    std::vector<double> exactX(n * batch * width), exactV(n * batch * width), exactOther(m * batch * width, 1);
    for (int item = 0; item < n * batch * m; item++) {
      int row = item / m, column = item % m * batch + row % batch;
      double sum = 0;
      for (int a = 0; a < size; a++) {
        double u = std::tanh(x[row * size + a] + other[column * size + a]);
        double d = dScore[item], inner = d * v[a] * (1 - u * u);
        sum += v[a] * u;
        exactX[static_cast<size_t>(row * size + a)] += inner;
        exactV[static_cast<size_t>(row * size + a)] += d * u;
        exactOther[static_cast<size_t>(column * size + a)] += inner;
      }
      compare("score", item, score[item], sum, size * near(1));
    }
    for (int i = 0; i < n * batch * size; i++) {
      compare("dX", i, dX[i], exactX[static_cast<size_t>(i)], m * near(1));
      compare("dV", i, dV[i], exactV[static_cast<size_t>(i)], m * near(1));
    }
    for (int i = 0; i < m * batch * size; i++) {
      compare("dOther", i, dOther[i], exactOther[static_cast<size_t>(i)], n * near(2));
    }
  }

  std::vector<int32_t> draw(Floats &logits, int rows, int classes, int topK, double inverseTemperature) {
    Array<int32_t> out(static_cast<size_t>(rows), -7);
    run("SAMPLE", rows,
        {pointer(logits.data()), pointer(out.data()), integer(classes), integer(topK),
         real(inverseTemperature), integer(0x123456789), integer((1LL << 34) - 30)});
    return std::vector<int32_t>(out.data(), out.data() + rows);
  }

  // The largest class, NaN in any, and shares of many draws from one row: those of the softmax over the
  // k largest, among which two are equal.
  void testSample(int classes) {
    const int rows = 20000, topK = 3;
    Random random(static_cast<uint64_t>(classes));
    std::vector<float> row = numbers(static_cast<size_t>(classes), random, 2);
    if (classes > topK) row[1] = row[static_cast<size_t>(classes) - 1];
    int best = 0;
    for (int c = 0; c < classes; c++) best = row[c] > row[best] ? c : best;
    Floats logits(static_cast<size_t>(rows) * classes, 0);
    for (int i = 0; i < rows * classes; i++) logits[i] = row[i % classes];
    for (int k : {0, topK}) {
      double least = -INFINITY, sum = 0;
      if (k > 0 && k < classes) {
        std::vector<float> sorted = row;
        std::sort(sorted.begin(), sorted.end());
        least = sorted[static_cast<size_t>(classes - k)];
      }
      for (float logit : row) sum += logit >= least ? std::exp(1.5 * logit) : 0;
      std::vector<int32_t> drawn = draw(logits, rows, classes, k, 1.5);
      std::vector<double> shares(static_cast<size_t>(classes) + 1, 0);
      for (int r = 0; r < rows; r++) {
        bool known = drawn[r] >= 0 && drawn[r] < classes;
        shares[static_cast<size_t>(known ? drawn[r] : classes)] += 1.0 / rows;
      }
      for (int c = 0; c < classes; c++) {
        double share = row[c] >= least ? std::exp(1.5 * row[c]) / sum : 0;
        compare("share", c, shares[c], share, share == 0 ? 0 : 0.02);
      }
      compare("share of no class", classes, shares[classes], 0, 0);
    }
    logits[2 * classes - 1] = logits[3 * classes] = NAN;
    std::vector<int32_t> greedy = draw(logits, 5, classes, 0, 0);
    for (int r = 0; r < 5; r++) compare("greedy", r, greedy[r], r % 2 == 1 ? -1 : best, 0);
  }

  const Isa &isa;
  Context context;
};

}  // namespace

void testKernels(const Isa &isa) {
  if (isa.kernelCount == 0) {
    std::printf("NOT TESTED: %s has no kernels yet\n", isa.name);
    return;
  }
  Kernels(isa).testAll();
  testCtc(isa);
}

}  // namespace test
}  // namespace unroll
