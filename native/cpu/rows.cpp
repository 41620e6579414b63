// Kernels that move and add rows.
#include "items.h"
#include "kernels.h"
#include "pack.h"
#include "pointwise.h"

namespace unroll {
namespace ISA {
namespace {

INLINE void copy(float *to, const float *from, int64_t length) {
  packs(0, length, [&](int64_t i, int count) EACH { store(to + i, load(from + i, count), count); });
}

// A matrix of which transposeMatrix writes the elements [from, to).
struct Transposed {
  const float *x;
  float *out;
  int64_t rows, columns;  // of x
  float beta;
  int64_t from, to;
};

// Writes lane i of packs to element (column, row + i) of out where that is among the items.
INLINE void storeTransposed(const Transposed &t, real pack, int64_t column, int64_t row, int count) {
  int64_t at = column * t.rows + row;
  if (at < t.from) {  // shifts the lanes, which happens in the first row of the items only
    int skipped = static_cast<int>(smaller(t.from - at, count));
    float lanes[2 * LANES] = {};
    store(lanes, pack);
    pack = load(lanes + skipped);
    at += skipped;
    count -= skipped;
  }
  count = static_cast<int>(smaller(count, t.to - at));
  if (count <= 0) return;
  float *out = t.out + at;
  store(out, blend(pack, broadcast(t.beta), before(out, t.beta, count)), count);
}

}  // namespace

void gatherRows(const Argument *args, int64_t from, int64_t to) {
  const float *table = reals(args[0]);
  const int32_t *index = integers(args[1]);
  float *out = reals(args[2]);
  int64_t n = args[3].integer;
  pieces(from, to, n, [&](int64_t row, int64_t column, int64_t length) EACH {
    float *at = out + row * n + column;
    int64_t source = index[row];
    if (source >= 0) {
      copy(at, table + source * n + column, length);
    } else {
      packs(0, length, [&](int64_t i, int count) EACH { store(at + i, real{}, count); });
    }
  });
}

void maskRows(const Argument *args, int64_t from, int64_t to) {
  const float *x = reals(args[0]);
  const int32_t *mask = integers(args[1]);
  float *out = reals(args[2]);
  int64_t n = args[3].integer;
  pieces(from, to, n, [&](int64_t row, int64_t column, int64_t length) EACH {
    int64_t at = row * n + column;
    bool masked = mask[row] != 0;
    packs(0, length, [&](int64_t i, int count) EACH {
      store(out + at + i, masked ? real{} : load(x + at + i, count), count);
    });
  });
}

void scatterAddRows(const Argument *args, int64_t from, int64_t to) {
  const float *x = reals(args[0]);
  const int32_t *index = integers(args[1]);
  float *table = reals(args[2]);
  int64_t rows = args[3].integer, n = args[4].integer;
  for (int64_t row = 0; row < rows; row++) {
    int64_t target = index[row];
    if (target < 0) continue;
    const float *source = x + row * n;
    float *sum = table + target * n;
    packs(from, to, [&](int64_t i, int count) EACH {
      store(sum + i, load(sum + i, count) + load(source + i, count), count);
    });
  }
}

void copyRows(const Argument *args, int64_t from, int64_t to) {
  const float *x = reals(args[0]);
  float *out = reals(args[1]);
  int64_t columns = args[2].integer, ldX = args[3].integer, ldOut = args[4].integer;
  float beta = number(args[5]);
  pieces(from, to, columns, [&](int64_t row, int64_t column, int64_t length) EACH {
    const float *source = x + row * ldX + column;
    float *target = out + row * ldOut + column;
    packs(0, length, [&](int64_t i, int count) EACH {
      real value = load(source + i, count);
      store(target + i, blend(value, broadcast(beta), before(target + i, beta, count)), count);
    });
  });
}

// out[c,r] = x[r,c] + beta*out[c,r] by tiles of LANES x LANES; x [rows,columns].
void transposeMatrix(const Argument *args, int64_t from, int64_t to) {
  Transposed t{reals(args[0]), reals(args[1]), args[2].integer, args[3].integer,
               number(args[4]), from, to};
  int64_t lastColumn = (to - 1) / t.rows;
  for (int64_t column = from / t.rows; column <= lastColumn; column += LANES) {
    int columns = static_cast<int>(smaller(LANES, lastColumn + 1 - column));
    for (int64_t row = 0; row < t.rows; row += LANES) {
      int rows = static_cast<int>(smaller(LANES, t.rows - row));
      real tile[LANES];
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) {
        tile[i] = i < rows ? load(t.x + (row + i) * t.columns + column, columns) : real{};
      }
      transpose(tile);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) {
        if (i < columns) storeTransposed(t, tile[i], column + i, row, rows);
      }
    }
  }
}

}  // namespace ISA
}  // namespace unroll
