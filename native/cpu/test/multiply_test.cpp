#include <cmath>

#include "check.h"

namespace unroll {
namespace test {
namespace {

struct Shape {
  int m, n, k;
};

// Below, at and past tiles and packs; past the depth of a panel (256), the rows of a block (224) and
// the columns and rows of a slab (4096); large enough for several threads.
const Shape SHAPES[] = {{1, 1, 1},     {1, 17, 5},    {17, 1, 33},   {3, 2, 300},   {7, 33, 257},
                        {16, 32, 64},  {13, 100, 31}, {5, 7, 0},     {64, 64, 64},  {129, 65, 255},
                        {230, 70, 520}, {3, 4100, 7}, {4100, 3, 7},  {2, 31, 1024}, {61, 129, 128},
                        {3100, 70, 260}};  // so many rows that the threads pack B together

// Rows apart by ld > columns; what lies between must not be read, so it is not a number.
struct Matrix {
  int rows, columns, ld;
  std::vector<float> values;

  Matrix(int rows, int columns, int gap, Random &random)
      : rows(rows), columns(columns), ld(columns + gap) {
    values.assign(static_cast<size_t>(rows) * ld, NOTHING);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) values[index(i, j)] = random.real();
    }
    // The last row ends with its last column, as a part of a larger array may.
    if (rows > 0) values.resize(static_cast<size_t>(index(rows - 1, columns)));
  }
  int index(int i, int j) const { return i * ld + j; }
  double at(int i, int j, bool transposed) const {
    return transposed ? values[index(j, i)] : values[index(i, j)];
  }
};

void testShape(Context &context, Shape shape, bool transposeA, bool transposeB, bool add) {
  about("%s multiply %dx%dx%d%s%s%s, %d threads", context.isa->name, shape.m, shape.n, shape.k,
        transposeA ? " A^T" : "", transposeB ? " B^T" : "", add ? " add" : "",
        context.pool.threads());
  Random random(static_cast<uint64_t>(shape.m + 10 * shape.n + 100 * shape.k));
  int m = shape.m, n = shape.n, k = shape.k;
  Matrix a(transposeA ? k : m, transposeA ? m : k, 3, random);
  Matrix b(transposeB ? n : k, transposeB ? k : n, 1, random);
  Matrix old(m, n, 2, random);
  Floats left(a.values), right(b.values), c(old.values);
  if (!add) {
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) c[old.index(i, j)] = NOTHING;
    }
  }
  Product product{transposeA, transposeB, m, n, k, left.data(), a.ld, right.data(), b.ld,
                  add, c.data(), old.ld};
  context.isa->multiply(context, product);
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      double exact = add ? old.at(i, j, false) : 0, size = std::fabs(exact);
      for (int d = 0; d < k; d++) {
        double term = a.at(i, d, transposeA) * b.at(d, j, transposeB);
        exact += term;
        size += std::fabs(term);
      }
      // What any order of the sum can lose: Higham, "Accuracy and stability of numerical
      // algorithms", section 3.1.
      compare("c", old.index(i, j), c[old.index(i, j)], exact, (k + 1) * std::ldexp(size, -24));
    }
    for (int j = n; j < old.ld && i + 1 < m; j++) {
      compare("between the rows of c", old.index(i, j), c[old.index(i, j)], NOTHING, 0);
    }
  }
}

}  // namespace

void testMultiply(const Isa &isa) {
  for (int threads : {1, 3}) {
    Context context(threads, &isa);
    for (Shape shape : SHAPES) {
      for (int bits = 0; bits < 8; bits++) {
        testShape(context, shape, bits & 1, bits & 2, bits & 4);
      }
    }
  }
}

}  // namespace test
}  // namespace unroll
