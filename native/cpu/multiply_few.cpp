// Products of few rows: B is read once where it lies, because packing it would take as long as the
// product.
#include "multiply.h"

#include "tile.h"

namespace unroll {
namespace ISA {
namespace {

constexpr int DOTS = 4;                    // columns of B whose depth runs along the lanes
constexpr int64_t WORTH_A_THREAD = 200000;  // multiplications

float sumOfLanes(real pack) {
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += pack[i];
  return sum;
}

// Columns from .. to of C for B stored as [n,k]: dot products of rows of A with rows of B.
template <int ROWS>
void dots(const Product &p, int from, int to) {
  for (int j = from; j < to; j += DOTS) {
    int columns = minimum(DOTS, to - j);
    real sum[ROWS][DOTS] = {};
    const float *b[DOTS];
    for (int d = 0; d < DOTS; d++) b[d] = p.b + (j + minimum(d, columns - 1)) * p.ldb;
    for (int k = 0; k < p.k; k += LANES) {
      int count = minimum(LANES, p.k - k);
      real right[DOTS];
#pragma GCC unroll 8
      for (int d = 0; d < DOTS; d++) right[d] = load(b[d] + k, count);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; r++) {
        real left = load(p.a + r * p.lda + k, count);
#pragma GCC unroll 8
        for (int d = 0; d < DOTS; d++) sum[r][d] += left * right[d];
      }
    }
    for (int r = 0; r < ROWS; r++) {
      float *c = p.c + r * p.ldc + j;
      for (int d = 0; d < columns; d++) {
        float value = sumOfLanes(sum[r][d]);
        c[d] = p.add ? c[d] + value : value;
      }
    }
  }
}

// Columns from .. to of C for B stored as [k,n]: rows of B, scaled and added.
template <int ROWS>
void sums(const Product &p, int from, int to) {
  constexpr int PACKS = 4;
  for (int j = from; j < to; j += PACKS * LANES) {
    real sum[ROWS][PACKS] = {};
    for (int k = 0; k < p.k; k++) {
      const float *b = p.b + k * p.ldb + j;
      real right[PACKS];
#pragma GCC unroll 4
      for (int q = 0; q < PACKS; q++) right[q] = load(b + q * LANES, to - j - q * LANES);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; r++) {
        real left = broadcast(p.a[p.transposeA ? k * p.lda + r : r * p.lda + k]);
#pragma GCC unroll 4
        for (int q = 0; q < PACKS; q++) sum[r][q] += left * right[q];
      }
    }
    for (int r = 0; r < ROWS; r++) {
      for (int q = 0; q < PACKS; q++) {
        float *c = p.c + r * p.ldc + j + q * LANES;
        int count = to - j - q * LANES;
        store(c, p.add ? load(c, count) + sum[r][q] : sum[r][q], count);
      }
    }
  }
}

}  // namespace

bool multiplyFew(Context &context, const Product &p) {
  if (p.m > FEW_ROWS || (p.transposeA && p.transposeB)) return false;
  int64_t work = static_cast<int64_t>(p.m) * p.n * p.k;
  int lines = (p.n + LANES - 1) / LANES;
  int parts = work < WORTH_A_THREAD ? 1 : minimum(lines, 2 * context.pool.threads());
  context.pool.run(parts, [&](int part, int) {
    int from = partBegin(lines, parts, part) * LANES;
    int to = minimum(p.n, partBegin(lines, parts, part + 1) * LANES);
    withRows<FEW_ROWS>(p.m, [&](auto rows) __attribute__((always_inline)) {
      constexpr int R = static_cast<int>(static_cast<int64_t>(decltype(rows){}));
      if (p.transposeB) {
        dots<R>(p, from, to);
      } else {
        sums<R>(p, from, to);
      }
    });
  });
  return true;
}

}  // namespace ISA
}  // namespace unroll
