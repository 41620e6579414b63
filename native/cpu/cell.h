// One step of a cell over rows and packs of units: the shapes of CELL_FORWARD and CELL_BACKWARD of
// io.unroll.device.Kernel around the arithmetic of kernels/cells.
#pragma once

#include "isa.h"
#include "items.h"
#include "simd.h"

namespace unroll {
namespace ISA {

INLINE bool isPast(const int32_t *lengths, int row, int time) {
  return lengths != nullptr && time >= lengths[row];
}

// Whether a row begins anew in a step, of which resets are: docs/equations.md, "Resets".
INLINE bool isReset(const int32_t *resets, int row) {
  return resets != nullptr && resets[row] != 0;
}

// An array of so many, or of one that nobody uses.
constexpr int atLeastOne(int count) { return count > 0 ? count : 1; }

// The own weights of a pack of units out of [P*H]; nothing for a cell that has none.
template <class Cell>
INLINE void loadUnitWeights(const float *from, int hiddenSize, int unit, int count, real *own) {
  for (int p = 0; p < Cell::UNIT_WEIGHTS; p++) {
    own[p] = load(from + static_cast<int64_t>(p) * hiddenSize + unit, count);
  }
}

// Calls body(i, lanes) for each pack of so many units, i being its first one's place.
template <class Body>
INLINE void forPacks(int count, const Body &body) {
  int i = 0;
  for (; i + LANES <= count; i += LANES) body(i, LANES);
  if (i < count) body(i, count - i);
}

// Forward. Pointers are to the step's first row, lengths to those of all steps; keep and y may be null.
template <class Cell>
struct CellStep {
  int hiddenSize, time;
  int64_t stateStride, ldY;
  const int32_t *lengths, *resets;
  const float *zx, *biasIh, *biasHh, *unitWeights, *previous;
  float *next, *keep, *y;

  // What the recurrent products begin with. Where they are only ever added to the input's, both biases do.
  static INLINE_MEMBER real bias(const float *ih, const float *hh, int count) {
    real bias = load(hh, count);
    return Cell::INPUT_AND_RECURRENT_ADD ? bias + load(ih, count) : bias;
  }

  // Units unit .. unit+count of a row. The products come with that bias: a gate's pack of LANES at products,
  // the next gate's gateStride floats behind it, the next pack's packStride.
  INLINE_MEMBER void run(int row, int unit, int count, const float *products, int64_t packStride,
                         int64_t gateStride) const {
    if (isPast(lengths, row, time)) {
      int64_t state = static_cast<int64_t>(row) * hiddenSize + unit;
      forPacks(count, [&](int i, int lanes) EACH {
        for (int s = 0; s < Cell::STATES; s++) {
          int64_t at = s * stateStride + state + i;
          store(next + at, load(previous + at, lanes), lanes);
        }
        if (y != nullptr) store(y + row * ldY + unit + i, real{}, lanes);
      });
      return;
    }
    // Most rows are not: what is known when compiling leaves a third of the instructions out.
    if (isReset(resets, row)) {
      compute<true>(row, unit, count, products, packStride, gateStride);
    } else {
      compute<false>(row, unit, count, products, packStride, gateStride);
    }
  }

 private:
  template <bool RESET>
  INLINE_MEMBER void compute(int row, int unit, int count, const float *products, int64_t packStride,
                             int64_t gateStride) const {
    const int64_t width = hiddenSize, states = stateStride;
    const float *x = zx + row * Cell::GATES * width + unit, *ih = biasIh + unit, *hh = biasHh + unit;
    const float *from = previous + row * width + unit, *weights = unitWeights;
    float *to = next + row * width + unit, *out = y == nullptr ? nullptr : y + row * ldY + unit;
    float *reserve = keep == nullptr ? nullptr : keep + row * Cell::RESERVED * width + unit;
    forPacks(count, [&](int i, int lanes) EACH {
      real in[Cell::GATES], zh[Cell::GATES], before[Cell::STATES], after[Cell::STATES];
      real own[atLeastOne(Cell::UNIT_WEIGHTS)], kept[atLeastOne(Cell::RESERVED)];
      for (int g = 0; g < Cell::GATES; g++) {
        in[g] = load(x + g * width + i, lanes);
        if (!Cell::INPUT_AND_RECURRENT_ADD) in[g] += load(ih + g * width + i, lanes);
        zh[g] = RESET ? bias(ih + g * width + i, hh + g * width + i, lanes)
                      : load(products + i / LANES * packStride + g * gateStride);
      }
      for (int s = 0; s < Cell::STATES; s++) before[s] = RESET ? real{} : load(from + s * states + i, lanes);
      loadUnitWeights<Cell>(weights, hiddenSize, unit + i, lanes, own);
      Cell::cell_forward(in, zh, before, own, after, kept);
      for (int s = 0; s < Cell::STATES; s++) store(to + s * states + i, after[s], lanes);
      for (int r = 0; r < Cell::RESERVED && reserve != nullptr; r++) {
        store(reserve + r * width + i, kept[r], lanes);
      }
      if (out != nullptr) store(out + i, after[0], lanes);
    });
  }
};

// Backward. Pointers are to the step's first row; keep and dy may be null; dzx and dzh are the same
// for a cell that adds its products.
template <class Cell>
struct CellGradient {
  int hiddenSize, time;
  int64_t stateStride, gradientStride, ldDy;
  const int32_t *lengths, *resets;
  const float *keep, *unitWeights, *previous, *next;
  float *ds, *dUnit;
  const float *dy;
  float *dzx, *dzh;

  // ds[h] += dh for units unit .. unit+count of a row; dh is null for zero.
  INLINE_MEMBER void addToState(int row, int unit, int count, const float *dh) const {
    float *at = ds + static_cast<int64_t>(row) * hiddenSize + unit;
    forPacks(count, [&](int i, int lanes) EACH {
      if (dh != nullptr) store(at + i, load(at + i, lanes) + load(dh + i), lanes);
    });
  }

  // Units unit .. unit+count of a row; dh, whole packs or null for zero, is added to the gradient of the
  // state h after the step.
  INLINE_MEMBER void run(int row, int unit, int count, const float *dh) const {
    if (isPast(lengths, row, time)) {
      addToState(row, unit, count, dh);
      int64_t product = static_cast<int64_t>(row) * Cell::GATES * hiddenSize + unit;
      for (int g = 0; g < Cell::GATES; g++, product += hiddenSize) {
        forPacks(count, [&](int i, int lanes) EACH {
          store(dzx + product + i, real{}, lanes);
          store(dzh + product + i, real{}, lanes);
        });
      }
      return;
    }
    if (isReset(resets, row)) {
      compute<true>(row, unit, count, dh);
    } else {
      compute<false>(row, unit, count, dh);
    }
  }

 private:
  template <bool RESET>
  INLINE_MEMBER void compute(int row, int unit, int count, const float *dh) const {
    const int64_t width = hiddenSize, states = stateStride, gradients = gradientStride;
    const int64_t state = row * width + unit, product = row * Cell::GATES * width + unit;
    const float *reserve = keep == nullptr ? nullptr : keep + row * Cell::RESERVED * width + unit;
    const float *dOut = dy == nullptr ? nullptr : dy + row * ldDy + unit, *weights = unitWeights;
    const float *from = previous + state, *to = next + state;
    float *dState = ds + state, *dx = dzx + product, *dProducts = dzh + product;
    float *dWeights = dUnit == nullptr ? nullptr : dUnit + row * Cell::UNIT_WEIGHTS * width + unit;
    forPacks(count, [&](int i, int lanes) EACH {
      real kept[atLeastOne(Cell::RESERVED)], own[atLeastOne(Cell::UNIT_WEIGHTS)];
      real before[Cell::STATES], after[Cell::STATES], gradient[Cell::STATES];
      real dOwn[atLeastOne(Cell::UNIT_WEIGHTS)];
      real dIn[Cell::GATES], dRecurrent[Cell::GATES], dBefore[Cell::STATES];
      for (int r = 0; r < Cell::RESERVED; r++) kept[r] = load(reserve + r * width + i, lanes);
      for (int s = 0; s < Cell::STATES; s++) {
        before[s] = RESET ? real{} : load(from + s * states + i, lanes);
        after[s] = load(to + s * states + i, lanes);
        gradient[s] = load(dState + s * gradients + i, lanes);
      }
      if (dh != nullptr) gradient[0] += load(dh + i);
      if (dOut != nullptr) gradient[0] += load(dOut + i, lanes);
      loadUnitWeights<Cell>(weights, hiddenSize, unit + i, lanes, own);
      Cell::cell_backward(kept, before, after, own, gradient, dIn, dRecurrent, dBefore, dOwn);
      for (int g = 0; g < Cell::GATES; g++) {
        store(dx + g * width + i, dIn[g], lanes);
        if (!Cell::INPUT_AND_RECURRENT_ADD) store(dProducts + g * width + i, dRecurrent[g], lanes);
      }
      for (int s = 0; s < Cell::STATES; s++) {
        store(dState + s * gradients + i, RESET ? real{} : dBefore[s], lanes);
      }
      for (int p = 0; p < Cell::UNIT_WEIGHTS; p++) {
        float *sum = dWeights + p * width + i;
        store(sum, load(sum, lanes) + dOwn[p], lanes);
      }
    });
  }
};

// Calls body(row, unit, count) for packs of the items [from, to), item = row*hiddenSize + unit.
template <class Body>
INLINE void forItems(int64_t from, int64_t to, int hiddenSize, const Body &body) {
  while (from < to) {
    int row = static_cast<int>(from / hiddenSize);
    int unit = static_cast<int>(from % hiddenSize);
    int64_t left = to - from < hiddenSize - unit ? to - from : hiddenSize - unit;
    int count = left < LANES ? static_cast<int>(left) : LANES;
    body(row, unit, count);
    from += count;
  }
}

// CELL_FORWARD.
template <class Cell>
void launchForward(const Argument *args, int64_t from, int64_t to) {
  CellStep<Cell> at{};
  at.zx = static_cast<const float *>(args[0].pointer);
  const float *zh = static_cast<const float *>(args[1].pointer);
  at.biasIh = static_cast<const float *>(args[2].pointer);
  at.biasHh = static_cast<const float *>(args[3].pointer);
  at.unitWeights = static_cast<const float *>(args[4].pointer);
  at.lengths = static_cast<const int32_t *>(args[5].pointer);
  at.resets = static_cast<const int32_t *>(args[6].pointer);
  at.previous = static_cast<const float *>(args[7].pointer);
  at.next = static_cast<float *>(args[8].pointer);
  at.keep = static_cast<float *>(args[9].pointer);
  at.y = static_cast<float *>(args[10].pointer);
  at.hiddenSize = static_cast<int>(args[12].integer);
  at.stateStride = args[13].integer;
  at.ldY = args[14].integer;
  at.time = static_cast<int>(args[15].integer);
  forItems(from, to, at.hiddenSize, [&](int row, int unit, int count) {
    float products[Cell::GATES * LANES];
    for (int g = 0; g < Cell::GATES; g++) {
      int64_t weights = static_cast<int64_t>(g) * at.hiddenSize + unit;
      store(products + g * LANES,
            load(zh + static_cast<int64_t>(row) * Cell::GATES * at.hiddenSize + weights, count) +
                CellStep<Cell>::bias(at.biasIh + weights, at.biasHh + weights, count));
    }
    at.run(row, unit, count, products, 0, LANES);
  });
}

// CELL_BACKWARD.
template <class Cell>
void launchBackward(const Argument *args, int64_t from, int64_t to) {
  CellGradient<Cell> at{};
  at.keep = static_cast<const float *>(args[0].pointer);
  at.unitWeights = static_cast<const float *>(args[1].pointer);
  at.lengths = static_cast<const int32_t *>(args[2].pointer);
  at.resets = static_cast<const int32_t *>(args[3].pointer);
  at.previous = static_cast<const float *>(args[4].pointer);
  at.next = static_cast<const float *>(args[5].pointer);
  at.ds = static_cast<float *>(args[6].pointer);
  at.dUnit = static_cast<float *>(args[7].pointer);
  at.dy = static_cast<const float *>(args[8].pointer);
  at.dzx = static_cast<float *>(args[9].pointer);
  at.dzh = static_cast<float *>(args[10].pointer);
  int64_t batch = args[11].integer;
  at.hiddenSize = static_cast<int>(args[12].integer);
  at.stateStride = args[13].integer;
  at.gradientStride = batch * at.hiddenSize;
  at.ldDy = args[14].integer;
  at.time = static_cast<int>(args[15].integer);
  forItems(from, to, at.hiddenSize,
           [&](int row, int unit, int count) { at.run(row, unit, count, nullptr); });
}

}  // namespace ISA
}  // namespace unroll
