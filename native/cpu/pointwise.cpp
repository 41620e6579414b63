// Kernels that treat each element by itself.
#include "pointwise.h"

#include "items.h"
#include "kernels.h"
#include "philox.h"

namespace unroll {
namespace ISA {
namespace {

// y = of(x): arguments x, y.
template <class Of>
INLINE void map(const Argument *args, int64_t from, int64_t to, const Of &of) {
  const float *x = reals(args[0]);
  float *y = reals(args[1]);
  packs(from, to, [&](int64_t i, int count) EACH { store(y + i, of(load(x + i, count)), count); });
}

// out = of(a, b) + beta*out: arguments a, b, out, beta.
template <class Of>
INLINE void combine(const Argument *args, int64_t from, int64_t to, const Of &of) {
  const float *a = reals(args[0]);
  const float *b = reals(args[1]);
  float *out = reals(args[2]);
  float beta = number(args[3]);
  packs(from, to, [&](int64_t i, int count) EACH {
    real value = of(load(a + i, count), load(b + i, count));
    store(out + i, blend(value, broadcast(beta), before(out + i, beta, count)), count);
  });
}

constexpr int BLOCK_WORDS = 4;  // of Philox

// a0 b0 a1 b1 ...: the lower half of the lanes of a and b in turn, and the upper half.
INLINE void interleave(natural a, natural b, natural &lower, natural &upper) {
  integer low, high;
#pragma GCC unroll 16
  for (int i = 0; i < LANES; i++) {
    low[i] = i / 2 + (i % 2) * LANES;
    high[i] = low[i] + LANES / 2;
  }
  lower = __builtin_shuffle(a, b, low);
  upper = __builtin_shuffle(a, b, high);
}

// The numbers at positions 4*block and on, for LANES blocks.
INLINE void drawBlocks(uint64_t seed, uint64_t block, unsigned *to) {
  natural lane = (natural)laneNumbers();
  natural low = static_cast<unsigned>(block) + lane;
  natural carry = (natural)(low < lane ? integer{} + 1 : integer{});
  natural words[BLOCK_WORDS], even[2], odd[2], numbers[BLOCK_WORDS];
  philox(low, static_cast<unsigned>(block >> 32) + carry, NATURAL(static_cast<unsigned>(seed)),
         NATURAL(static_cast<unsigned>(seed >> 32)), words);
  interleave(words[0], words[2], even[0], even[1]);
  interleave(words[1], words[3], odd[0], odd[1]);
  interleave(even[0], odd[0], numbers[0], numbers[1]);
  interleave(even[1], odd[1], numbers[2], numbers[3]);
  __builtin_memcpy(to, numbers, sizeof numbers);
}

INLINE natural loadNaturals(const unsigned *at) {
  natural pack;
  __builtin_memcpy(&pack, at, sizeof pack);
  return pack;
}

}  // namespace

void biasAdd(const Argument *args, int64_t from, int64_t to) {
  float *out = reals(args[0]);
  const float *bias = reals(args[1]);
  int64_t n = args[2].integer;
  pieces(from, to, n, [&](int64_t row, int64_t column, int64_t length) EACH {
    float *at = out + row * n + column;
    packs(0, length, [&](int64_t i, int count) EACH {
      store(at + i, load(at + i, count) + load(bias + column + i, count), count);
    });
  });
}

void tanhForward(const Argument *args, int64_t from, int64_t to) {
  map(args, from, to, [](real x) EACH { return TANH(x); });
}

void sigmoidForward(const Argument *args, int64_t from, int64_t to) {
  map(args, from, to, [](real x) EACH { return SIGMOID(x); });
}

void reluForward(const Argument *args, int64_t from, int64_t to) {
  map(args, from, to, [](real x) EACH { return relu_of(x); });
}

void tanhBackward(const Argument *args, int64_t from, int64_t to) {
  combine(args, from, to, [](real y, real dy) EACH { return tanh_gradient(y, dy); });
}

void sigmoidBackward(const Argument *args, int64_t from, int64_t to) {
  combine(args, from, to, [](real y, real dy) EACH { return sigmoid_gradient(y, dy); });
}

void reluBackward(const Argument *args, int64_t from, int64_t to) {
  combine(args, from, to, [](real y, real dy) EACH { return relu_gradient(y, dy); });
}

void multiplyElements(const Argument *args, int64_t from, int64_t to) {
  combine(args, from, to, [](real a, real b) EACH { return a * b; });
}

void axpby(const Argument *args, int64_t from, int64_t to) {
  const float *x = reals(args[0]);
  float *y = reals(args[1]);
  float a = number(args[2]);
  float beta = number(args[3]);
  packs(from, to, [&](int64_t i, int count) EACH {
    real value = a * load(x + i, count);
    store(y + i, blend(value, broadcast(beta), before(y + i, beta, count)), count);
  });
}

void dropout(const Argument *args, int64_t from, int64_t to) {
  const float *x = reals(args[0]);
  float *out = reals(args[1]);
  real least = broadcast(number(args[2]));
  real scale = broadcast(number(args[3]));
  uint64_t seed = static_cast<uint64_t>(args[4].integer);
  uint64_t counter = static_cast<uint64_t>(args[5].integer);
  float beta = number(args[6]);
  for (int64_t i = from; i < to;) {
    uint64_t position = counter + static_cast<uint64_t>(i);
    int skipped = static_cast<int>(position % BLOCK_WORDS);
    // A pack is read whole, also past the last number.
    alignas(64) unsigned numbers[(BLOCK_WORDS + 1) * LANES];
    __builtin_memset(numbers + BLOCK_WORDS * LANES, 0, sizeof(natural));
    drawBlocks(seed, position / BLOCK_WORDS, numbers);
    int64_t end = smaller(to, i + BLOCK_WORDS * LANES - skipped);
    const unsigned *drawn = numbers + skipped - i;
    packs(i, end, [&](int64_t j, int count) EACH {
      real value = drop(load(x + j, count), loadNaturals(drawn + j), least, scale);
      store(out + j, blend(value, broadcast(beta), before(out + j, beta, count)), count);
    });
    i = end;
  }
}

void scaleBy(const Argument *args, int64_t from, int64_t to) {
  float *x = reals(args[0]);
  float factor = *reals(args[1]);
  packs(from, to, [&](int64_t i, int count) EACH { store(x + i, load(x + i, count) * factor, count); });
}

void clamp(const Argument *args, int64_t from, int64_t to) {
  float *x = reals(args[0]);
  real limit = broadcast(number(args[1]));
  packs(from, to, [&](int64_t i, int count) EACH {
    store(x + i, clamped(load(x + i, count), limit), count);
  });
}

// x[n] = value, io.unroll.device.Device#fill. Items n. x, value.
void fill(const Argument *args, int64_t from, int64_t to) {
  float *x = reals(args[0]);
  real value = broadcast(number(args[1]));
  packs(from, to, [&](int64_t i, int count) EACH { store(x + i, value, count); });
}

}  // namespace ISA
}  // namespace unroll
