// kernels/gpu/gemm.h and kernels/cuda/gemm.h against plain loops: all transpositions, edges of the tile, slices of k.
#include <cmath>

#include "driver.h"

namespace unroll {
namespace test {
namespace {

struct Shape {
  int m, n, k, slices;
};

// A module, what its groups compute of C, what its slices are a multiple of, and the bits that its operands lose.
struct Kind {
  const char *module;
  int tile, depth, dropped;
  bool tiesAway;
};
const Kind PLAIN = {"gemm", 64, 1, 0, false};
const Kind TILED[] = {{"gemm-PRECISION=0-TILE=64", 64, 16, 0, false},
                      {"gemm-PRECISION=0-TILE=128", 128, 16, 0, false},
                      {"gemm-PRECISION=1-TILE=64", 64, 16, 13, true},
                      {"gemm-PRECISION=1-TILE=128", 128, 16, 13, true},
                      {"gemm-PRECISION=2-TILE=64", 64, 16, 16, false},
                      {"gemm-PRECISION=2-TILE=128", 128, 16, 16, false}};

float rounded(float x, const Kind &kind) {
  if (kind.dropped == 0 || x != x) return x;
  uint32_t bits, half = 1u << (kind.dropped - 1);
  std::memcpy(&bits, &x, sizeof bits);
  uint32_t last = bits >> kind.dropped & 1;
  bits = (bits + (kind.tiesAway ? half : half - 1 + last)) & ~(2 * half - 1);
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}

// pad: how much longer rows are than needed; 0 may be read 16 bytes at once.
void testProduct(const Kind &kind, const Shape &shape, bool transposeA, bool transposeB, float beta, int pad) {
  int m = shape.m, n = shape.n, k = shape.k, slices = shape.slices;
  std::string name = std::string("gemm_") + (transposeA ? 't' : 'n') + (transposeB ? 't' : 'n') + "_kernel";
  about("%s of %s %d x %d x %d in %d slices, beta %g, pad %d", name.c_str(), kind.module, m, n, k, slices, beta, pad);
  Random random(static_cast<uint64_t>(m * 10000 + n * 100 + k));
  int lda = (transposeA ? m : k) + 2 * pad, ldb = (transposeB ? k : n) + pad, ldc = slices > 1 ? n : n + 3 * pad;
  std::vector<float> a = numbers(static_cast<size_t>(lda * (transposeA ? k : m)), random);
  std::vector<float> b = numbers(static_cast<size_t>(ldb * (transposeB ? n : k)), random);
  std::vector<float> before(static_cast<size_t>(slices * m * ldc), 0.25f);
  Device<float> left(a), right(b), out(before);
  int items = slices * ((m + kind.tile - 1) / kind.tile) * ((n + kind.tile - 1) / kind.tile);
  bool goesRound = kind.depth == 1 && items > 1;
  CALL(launch(function(kind.module, name.c_str()), {static_cast<unsigned>(goesRound ? items - 1 : items)}, left.at(),
              right.at(), out.at(), m, n, k, lda, ldb, ldc, slices, beta, int64_t{items}));
  int depth = (k + slices - 1) / slices;
  if (kind.depth > 1) depth = (k / slices + kind.depth) / kind.depth * kind.depth;
  std::vector<double> exact(before.begin(), before.end());
  std::vector<float> plain = before;
  for (int i = 0; i < slices * m * n; i++) {
    int slice = i / (m * n), row = i / n % m, column = i % n;
    double sum = 0;
    float single = 0;
    for (int p = slice * depth; p < k && p < (slice + 1) * depth; p++) {
      float x = a[static_cast<size_t>(transposeA ? p * lda + row : row * lda + p)];
      float y = b[static_cast<size_t>(transposeB ? column * ldb + p : p * ldb + column)];
      x = rounded(x, kind);
      y = rounded(y, kind);
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
    for (int flags = 0; flags < 4; flags++) testProduct(PLAIN, shape, (flags & 1) != 0, (flags & 2) != 0, 0, 1);
  }
  testProduct(PLAIN, {65, 66, 20, 1}, true, false, 1, 1);
  const Shape tiledShapes[] = {{1, 1, 1, 1}, {130, 66, 17, 1}, {64, 128, 44, 1}, {9, 131, 75, 3}};
  for (const Kind &kind : TILED) {
    for (const Shape &shape : tiledShapes) {
      if (QUICK && shape.slices == 1) continue;
      for (int flags = 0; flags < 4; flags++) {
        for (int pad : {0, 1}) testProduct(kind, shape, (flags & 1) != 0, (flags & 2) != 0, 0, pad);
      }
    }
    testProduct(kind, {65, 66, 20, 1}, true, false, 1, 1);
  }
}

}  // namespace test
}  // namespace unroll
