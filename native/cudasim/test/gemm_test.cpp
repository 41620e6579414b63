// kernels/gpu/gemm.h against plain loops: all transpositions, edges of the square, slices of k.
#include <cmath>

#include "driver.h"

namespace unroll {
namespace test {
namespace {

const int SQUARE = 64;

struct Shape {
  int m, n, k, slices;
};

void testProduct(const Shape &shape, bool transposeA, bool transposeB, float beta) {
  int m = shape.m, n = shape.n, k = shape.k, slices = shape.slices;
  std::string name = std::string("gemm_") + (transposeA ? 't' : 'n') + (transposeB ? 't' : 'n') + "_kernel";
  about("%s %d x %d x %d in %d slices, beta %g", name.c_str(), m, n, k, slices, beta);
  Random random(static_cast<uint64_t>(m * 10000 + n * 100 + k));
  int lda = (transposeA ? m : k) + 2, ldb = (transposeB ? k : n) + 1, ldc = slices > 1 ? n : n + 3;
  std::vector<float> a = numbers(static_cast<size_t>(lda * (transposeA ? k : m)), random);
  std::vector<float> b = numbers(static_cast<size_t>(ldb * (transposeB ? n : k)), random);
  std::vector<float> before(static_cast<size_t>(slices * m * ldc), 0.25f);
  Device<float> left(a), right(b), out(before);
  int items = slices * ((m + SQUARE - 1) / SQUARE) * ((n + SQUARE - 1) / SQUARE);
  CALL(launch(function("gemm", name.c_str()), {static_cast<unsigned>(items > 1 ? items - 1 : 1)}, left.at(),
              right.at(), out.at(), m, n, k, lda, ldb, ldc, slices, beta, int64_t{items}));
  int depth = (k + slices - 1) / slices;
  std::vector<double> exact(before.begin(), before.end());
  std::vector<float> plain = before;
  for (int i = 0; i < slices * m * n; i++) {
    int slice = i / (m * n), row = i / n % m, column = i % n;
    double sum = 0;
    float single = 0;
    for (int p = slice * depth; p < k && p < (slice + 1) * depth; p++) {
      float x = a[static_cast<size_t>(transposeA ? p * lda + row : row * lda + p)];
      float y = b[static_cast<size_t>(transposeB ? column * ldb + p : p * ldb + column)];
      sum += static_cast<double>(x) * y;
      single += x * y;
    }
    auto at = static_cast<size_t>((slice * m + row) * ldc + column);
    exact[at] = sum + beta * exact[at];
    plain[at] = single + beta * plain[at];
  }
  compareDevice("c", out, exact, plain);
}

}  // namespace

void testGemm() {
  Session session;
  const Shape shapes[] = {{1, 1, 1, 1}, {65, 3, 17, 1}, {64, 64, 16, 1}, {7, 130, 40, 3}};
  for (const Shape &shape : shapes) {
    if (QUICK && shape.slices == 1) continue;
    for (int flags = 0; flags < 4; flags++) testProduct(shape, (flags & 1) != 0, (flags & 2) != 0, 0);
  }
  testProduct({65, 66, 20, 1}, true, false, 1);
}

}  // namespace test
}  // namespace unroll
