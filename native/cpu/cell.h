// One step of a cell over rows and packs of units: the shapes of CELL_FORWARD and CELL_BACKWARD of
// io.unroll.device.Kernel around the arithmetic of kernels/cells.
#pragma once

#include "isa.h"
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

// Forward. Pointers are to the step's first row, lengths to those of all steps; keep and y may be null.
template <class Cell>
struct CellStep {
  int hiddenSize, time;
  int64_t stateStride, ldY;
  const int32_t *lengths, *resets;
  const float *zx, *biasIh, *biasHh, *unitWeights, *previous;
  float *next, *keep, *y;

  // Units unit .. unit+most of a row, as far as there are such; zh comes without its bias.
  INLINE_MEMBER void run(int row, int unit, int most, const real *products) const {
    int count = minimum(most, hiddenSize - unit);
    int64_t state = static_cast<int64_t>(row) * hiddenSize + unit;
    if (isPast(lengths, row, time)) {
      for (int s = 0; s < Cell::STATES; s++) {
        int64_t at = s * stateStride + state;
        store(next + at, load(previous + at, count), count);
      }
      if (y != nullptr) store(y + row * ldY + unit, real{}, count);
      return;
    }
    bool reset = isReset(resets, row);
    if (count == LANES && !reset) {  // most are: known when compiling, they take half the instructions
      compute(row, unit, LANES, false, products);
    } else {
      compute(row, unit, count, reset, products);
    }
  }

 private:
  INLINE_MEMBER void compute(int row, int unit, int count, bool reset, const real *products) const {
    int64_t state = static_cast<int64_t>(row) * hiddenSize + unit;
    real in[Cell::GATES], zh[Cell::GATES], before[Cell::STATES], after[Cell::STATES];
    real own[atLeastOne(Cell::UNIT_WEIGHTS)], kept[atLeastOne(Cell::RESERVED)];
    const float *x = zx + static_cast<int64_t>(row) * Cell::GATES * hiddenSize + unit;
    for (int g = 0; g < Cell::GATES; g++) {
      int64_t at = static_cast<int64_t>(g) * hiddenSize;
      in[g] = load(x + at, count) + load(biasIh + unit + at, count);
      zh[g] = (reset ? real{} : products[g]) + load(biasHh + unit + at, count);
    }
    for (int s = 0; s < Cell::STATES; s++) {
      before[s] = reset ? real{} : load(previous + s * stateStride + state, count);
    }
    loadUnitWeights<Cell>(unitWeights, hiddenSize, unit, count, own);
    Cell::cell_forward(in, zh, before, own, after, kept);
    for (int s = 0; s < Cell::STATES; s++) store(next + s * stateStride + state, after[s], count);
    for (int r = 0; r < Cell::RESERVED && keep != nullptr; r++) {
      store(keep + (static_cast<int64_t>(row) * Cell::RESERVED + r) * hiddenSize + unit, kept[r], count);
    }
    if (y != nullptr) store(y + row * ldY + unit, after[0], count);
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

  // ds[h] += dh.
  INLINE_MEMBER void addToState(int row, int unit, real dh) const {
    int count = minimum(LANES, hiddenSize - unit);
    float *at = ds + static_cast<int64_t>(row) * hiddenSize + unit;
    store(at, load(at, count) + dh, count);
  }

  // Units unit .. unit+most of a row; dh is added to the gradient of the state h after the step.
  INLINE_MEMBER void run(int row, int unit, int most, real dh) const {
    int count = minimum(most, hiddenSize - unit);
    int64_t state = static_cast<int64_t>(row) * hiddenSize + unit;
    int64_t product = static_cast<int64_t>(row) * Cell::GATES * hiddenSize + unit;
    if (isPast(lengths, row, time)) {
      store(ds + state, load(ds + state, count) + dh, count);
      for (int g = 0; g < Cell::GATES; g++, product += hiddenSize) {
        store(dzx + product, real{}, count);
        store(dzh + product, real{}, count);
      }
      return;
    }
    bool reset = isReset(resets, row);
    if (count == LANES && !reset) {
      compute(row, unit, LANES, false, dh);
    } else {
      compute(row, unit, count, reset, dh);
    }
  }

 private:
  INLINE_MEMBER void compute(int row, int unit, int count, bool reset, real dh) const {
    int64_t state = static_cast<int64_t>(row) * hiddenSize + unit;
    int64_t product = static_cast<int64_t>(row) * Cell::GATES * hiddenSize + unit;
    real kept[atLeastOne(Cell::RESERVED)], own[atLeastOne(Cell::UNIT_WEIGHTS)];
    real before[Cell::STATES], after[Cell::STATES], gradient[Cell::STATES];
    real dOwn[atLeastOne(Cell::UNIT_WEIGHTS)];
    real dIn[Cell::GATES], dRecurrent[Cell::GATES], dBefore[Cell::STATES];
    for (int r = 0; r < Cell::RESERVED; r++) {
      kept[r] =
          load(keep + (static_cast<int64_t>(row) * Cell::RESERVED + r) * hiddenSize + unit, count);
    }
    for (int s = 0; s < Cell::STATES; s++) {
      before[s] = reset ? real{} : load(previous + s * stateStride + state, count);
      after[s] = load(next + s * stateStride + state, count);
      gradient[s] = load(ds + s * gradientStride + state, count);
    }
    gradient[0] += dh;
    if (dy != nullptr) gradient[0] += load(dy + row * ldDy + unit, count);
    loadUnitWeights<Cell>(unitWeights, hiddenSize, unit, count, own);
    Cell::cell_backward(kept, before, after, own, gradient, dIn, dRecurrent, dBefore, dOwn);
    for (int g = 0; g < Cell::GATES; g++, product += hiddenSize) {
      store(dzx + product, dIn[g], count);
      if (!Cell::INPUT_AND_RECURRENT_ADD) store(dzh + product, dRecurrent[g], count);
    }
    for (int s = 0; s < Cell::STATES; s++) {
      store(ds + s * gradientStride + state, reset ? real{} : dBefore[s], count);
    }
    for (int p = 0; p < Cell::UNIT_WEIGHTS; p++) {
      float *sum = dUnit + (static_cast<int64_t>(row) * Cell::UNIT_WEIGHTS + p) * hiddenSize + unit;
      store(sum, load(sum, count) + dOwn[p], count);
    }
  }
};

// Calls body(row, unit, count) for packs of the items [from, to), item = row*hiddenSize + unit.
template <class Body>
INLINE void forPacks(int64_t from, int64_t to, int hiddenSize, const Body &body) {
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
  forPacks(from, to, at.hiddenSize, [&](int row, int unit, int count) {
    real products[Cell::GATES];
    for (int g = 0; g < Cell::GATES; g++) {
      products[g] =
          load(zh + (static_cast<int64_t>(row) * Cell::GATES + g) * at.hiddenSize + unit, count);
    }
    at.run(row, unit, count, products);
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
  forPacks(from, to, at.hiddenSize,
           [&](int row, int unit, int count) { at.run(row, unit, count, real{}); });
}

}  // namespace ISA
}  // namespace unroll
