// What the tests share: memory with fences, numbers, comparisons.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../cpu.h"

namespace unroll {
namespace test {

// Prints a failure, as printf does, and counts it.
__attribute__((format(printf, 1, 2))) void fail(const char *format, ...);
int failures();

// What the comparisons say they are about, as printf does; kept until the next call.
__attribute__((format(printf, 1, 2))) void about(const char *format, ...);

// The same numbers in every run.
class Random {
 public:
  explicit Random(uint64_t seed) : state(seed) {}
  float real();         // in [-1, 1)
  int below(int limit);  // in [0, limit)

 private:
  uint64_t next();
  uint64_t state;
};

// Memory that ends where a page without access begins, so that the first byte past its end cannot be
// touched, not even read; under AddressSanitizer it is that one's own. Bytes before it are watched.
void *fenced(size_t bytes);
void unfence(void *memory);
// Makes a touched fence end the program with a line that says "out of bounds".
void reportFences();

// An array of exactly that length between fences.
template <class T>
class Array {
 public:
  Array(size_t count, T value) : count(count), at(static_cast<T *>(fenced(count * sizeof(T)))) {
    for (size_t i = 0; i < count; i++) at[i] = value;
  }
  explicit Array(const std::vector<T> &values) : Array(values.size(), T{}) {
    for (size_t i = 0; i < count; i++) at[i] = values[i];
  }
  ~Array() { unfence(at); }
  Array(const Array &) = delete;

  T *data() { return at; }
  T &operator[](size_t i) { return at[i]; }
  size_t size() const { return count; }

 private:
  size_t count;
  T *at;
};

using Floats = Array<float>;

// Not a number: what must neither be read nor stay.
extern const float NOTHING;

std::vector<float> numbers(size_t count, Random &random, float scale = 1);

// Fails unless |found - expected| <= tolerance, which NaN never is; both may be NaN.
void compare(const char *what, int index, double found, double expected, double tolerance);

// Fails unless found is as near to exact as docs/numerics.md wants it, plain being the same in plain
// float32, or at most slack further. Elements of exact that are NaN must be NaN.
void compareAll(const char *what, Floats &found, const std::vector<double> &exact,
                const std::vector<float> &plain, double slack = 0);

void testPool();
void testMemory();
void testMath(const Isa &isa);
void testMultiply(const Isa &isa);
void testRecurrence(const Isa &isa);
void testKernels(const Isa &isa);
void testCtc(const Isa &isa);

}  // namespace test
}  // namespace unroll
