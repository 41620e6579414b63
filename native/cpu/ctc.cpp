// Kernels of connectionist temporal classification, a pack of states at a time; their layout is that of
// io.unroll.device.Kernel. The sum over the frames is in float64.
#include "ctc.h"

#include "items.h"
#include "kernels.h"
#include "log_sum.h"
#include "pointwise.h"

namespace unroll {
namespace ISA {
namespace {

const float NEVER = -__builtin_inff();

// Whether row b has a frame t, by its length if there is one.
INLINE bool isFrame(const Argument &lengths, int64_t t, int64_t b) {
  return lengths.pointer == nullptr || t < integers(lengths)[b];
}

// A row that is walked through in one direction: 0 from the first frame on, 1 from the last one back.
struct Walk {
  const int32_t *symbols;
  int64_t labels, longest, direction;

  // The states of a frame, and in it where the blanks begin.
  int64_t width() const { return 2 * longest + 3; }
  int64_t blanks() const { return longest + 2; }
};

INLINE integer loadSymbols(const int32_t *at, int count) {
  integer pack{};
  __builtin_memcpy(&pack, at, sizeof(int32_t) * static_cast<size_t>(count));
  return pack;
}

INLINE real largestOfBoth(real state, real largest, int count) {
  return MAXIMUM(count == LANES ? state : laneNumbers() < count ? state : broadcast(NEVER), largest);
}

// The states of the first frame: where a path may begin, its emission.
float begin(const Walk &row, const float *emission, float *frame) {
  for (int64_t k = 0; k < row.labels; k++) frame[k + 1] = NEVER;
  for (int64_t k = 0; k <= row.labels; k++) frame[row.blanks() + k] = NEVER;
  float *blank = frame + row.blanks() + row.direction * row.labels;
  *blank = emission[0];
  if (row.labels == 0) return *blank;
  int64_t first = 1 + row.direction * (row.labels - 1);
  frame[first] = emission[first];
  return MAXIMUM(broadcast(frame[first]), broadcast(*blank))[0];
}

// The states of a frame out of those before it; gives the largest.
float goOn(const Walk &row, const float *emission, const float *before, float *frame, float shift) {
  real less = broadcast(shift), largest = broadcast(NEVER);
  const int64_t other = 2 * row.direction;  // from a label to the label before
  const float *blank = before + row.blanks();
  packs(0, row.labels, [&](int64_t k, int count) EACH {
    integer repeats = loadSymbols(row.symbols + k + other, count) == loadSymbols(row.symbols + k + 1, count);
    real skipped = repeats ? broadcast(NEVER) : load(before + k + other, count);
    real ways = log_add_three(load(before + k + 1, count), load(blank + k + row.direction, count), skipped);
    real state = ways - less + load(emission + k + 1, count);
    store(frame + k + 1, state, count);
    largest = largestOfBoth(state, largest, count);
  });
  real emitted = broadcast(emission[0]);
  packs(0, row.labels + 1, [&](int64_t k, int count) EACH {
    real ways = log_add(load(blank + k, count), load(before + k + row.direction, count));
    real state = ways - less + emitted;
    store(frame + row.blanks() + k, state, count);
    largest = largestOfBoth(state, largest, count);
  });
  return largestLane(largest);
}

// Writes all frames of row b; gives its log probability.
double walk(const Argument *args, const Walk &row, int64_t b) {
  int64_t steps = args[8].integer, batch = args[9].integer;
  int64_t frames = args[3].pointer != nullptr ? integers(args[3])[b] : steps;
  float *paths = reals(args[5]) + row.direction * steps * batch * row.width();
  const float *before = nullptr;
  float shift = 0;
  double total = 0;
  for (int64_t n = 0; n < frames; n++) {
    int64_t r = (row.direction == 0 ? n : frames - 1 - n) * batch + b;
    const float *emission = reals(args[0]) + r * (row.longest + 1);
    float *frame = paths + r * row.width();
    frame[0] = frame[row.labels + 1] = NEVER;
    total += shift;
    float largest = n == 0 ? begin(row, emission, frame) : goOn(row, emission, before, frame, shift);
    shift = largest == NEVER ? 0 : largest;
    before = frame;
  }
  if (frames == 0) return row.labels == 0 ? 0 : NEVER;
  real last = log_add(broadcast(before[row.blanks() + row.labels]), broadcast(before[row.labels]));
  return total + last[0];
}

void finish(const Argument *args, int64_t b, double logP) {
  float weight = reals(args[4])[b];
  bool impossible = logP == static_cast<double>(NEVER), zero = impossible && args[11].integer != 0;
  reals(args[6])[b] = zero ? 0 : static_cast<float>(-weight * logP);
  reals(args[7])[b] = !impossible ? weight : zero ? 0 : __builtin_nanf("");
}

// The paths of a frame in both directions, to its states and from them on.
struct Frame {
  const float *to, *on, *emission;
  const int32_t *symbols;
  int64_t labels, blanks;

  INLINE_MEMBER real throughLabels(int64_t k, int count) const {
    return ctc_through(load(to + k + 1, count), load(on + k + 1, count), load(emission + k + 1, count));
  }

  INLINE_MEMBER real throughBlanks(int64_t k, int count) const {
    return ctc_through(load(to + blanks + k, count), load(on + blanks + k, count), broadcast(emission[0]));
  }
};

// Takes from a frame's gradient the shares of the symbols that its row emits there.
void takeShares(const Frame &frame, float factor, float *gradient) {
  real largest = broadcast(NEVER);
  packs(0, frame.labels, [&](int64_t k, int count) EACH {
    largest = largestOfBoth(frame.throughLabels(k, count), largest, count);
  });
  packs(0, frame.labels + 1, [&](int64_t k, int count) EACH {
    largest = largestOfBoth(frame.throughBlanks(k, count), largest, count);
  });
  largest = broadcast(largestLane(largest));
  WideSum labels, blanks;
  packs(0, frame.labels, [&](int64_t k, int count) EACH {
    real share = EXP(frame.throughLabels(k, count) - largest);
    labels.add(laneNumbers() < count ? share : real{});
  });
  packs(0, frame.labels + 1, [&](int64_t k, int count) EACH {
    real share = EXP(frame.throughBlanks(k, count) - largest);
    blanks.add(laneNumbers() < count ? share : real{});
  });
  double ofBlanks = blanks.total(), all = ofBlanks + labels.total();
  gradient[frame.symbols[0]] -= static_cast<float>(ofBlanks / all * factor);
  real each = broadcast(static_cast<float>(factor / all));
  packs(0, frame.labels, [&](int64_t k, int count) EACH {
    real share = EXP(frame.throughLabels(k, count) - largest) * each;
    for (int lane = 0; lane < count; lane++) gradient[frame.symbols[1 + k + lane]] -= share[lane];
  });
}

}  // namespace

void ctcEmissions(const Argument *args, int64_t from, int64_t to) {
  int64_t batch = args[5].integer, classes = args[6].integer, longest = args[7].integer;
  for (int64_t r = from; r < to; r++) {
    int64_t b = r % batch;
    if (!isFrame(args[2], r / batch, b)) continue;
    const float *logits = reals(args[0]) + r * classes;
    const int32_t *symbols = integers(args[1]) + b * (longest + 2);
    float *emission = reals(args[4]) + r * (longest + 1);
    double log = logSumExp(logits, classes);
    reals(args[3])[r] = static_cast<float>(log);
    for (int64_t k = 0; k <= longest; k++) emission[k] = static_cast<float>(logits[symbols[k]] - log);
  }
}

void ctcPaths(const Argument *args, int64_t from, int64_t to) {
  int64_t batch = args[9].integer, longest = args[10].integer;
  for (int64_t i = from; i < to; i++) {
    int64_t b = i % batch;
    Walk row{integers(args[1]) + b * (longest + 2), integers(args[2])[b], longest, i / batch};
    double logP = walk(args, row, b);
    if (row.direction == 0) finish(args, b, logP);
  }
}

void ctcBackward(const Argument *args, int64_t from, int64_t to) {
  int64_t steps = args[10].integer, batch = args[11].integer;
  int64_t classes = args[12].integer, longest = args[13].integer, width = 2 * longest + 3;
  float beta = number(args[14]);
  for (int64_t r = from; r < to; r++) {
    int64_t b = r % batch;
    const float *logits = reals(args[0]) + r * classes;
    float *gradient = reals(args[9]) + r * classes;
    float factor = reals(args[7])[b] * reals(args[8])[0];
    bool counts = isFrame(args[3], r / batch, b) && reals(args[7])[b] != 0;
    real log = broadcast(counts ? reals(args[4])[r] : 0);
    packs(0, classes, [&](int64_t i, int count) EACH {
      real value = cross_entropy_gradient(load(logits + i, count), log, real{}, broadcast(factor));
      value = counts ? value : real{};
      store(gradient + i, blend(value, broadcast(beta), before(gradient + i, beta, count)), count);
    });
    if (!counts) continue;
    const float *paths = reals(args[6]) + r * width;
    takeShares({paths, paths + steps * batch * width, reals(args[5]) + r * (longest + 1),
                integers(args[1]) + b * (longest + 2), integers(args[2])[b], longest + 2},
               factor, gradient);
  }
}

}  // namespace ISA
}  // namespace unroll
