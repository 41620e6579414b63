// docs/equations.md in plain loops, in whatever number the template is given.
#pragma once

#include <vector>

#include "check.h"
#include "plain_cells.h"

namespace unroll {
namespace test {

// What a recurrence is given: the shapes of io.unroll.device.RecurrentCall.
struct Sequence {
  PlainCell cell;
  int steps, batch, hiddenSize, ldY, ldDy;
  bool reverse;
  std::vector<int32_t> lengths;  // or empty
  std::vector<int32_t> resets;   // or empty
  std::vector<float> zx, weightHh, biasIh, biasHh, unit, first, dLast, dUnitBefore;
  std::vector<float> dy;  // or empty

  size_t product(int t, int b, int g, int j) const {
    return ((static_cast<size_t>(t) * batch + b) * cell.gates + g) * hiddenSize + j;
  }
  size_t reserve(int t, int b, int k, int j) const {
    return ((static_cast<size_t>(t) * batch + b) * cell.reserved + k) * hiddenSize + j;
  }
  size_t own(int b, int p, int j) const {
    return (static_cast<size_t>(b) * cell.unitWeights + p) * hiddenSize + j;
  }
  // index counts the steps from 0 to steps, before the first and after each.
  size_t state(int s, int index, int b, int j) const {
    return ((static_cast<size_t>(s) * (steps + 1) + index) * batch + b) * hiddenSize + j;
  }
  size_t gradient(int s, int b, int j) const {
    return (static_cast<size_t>(s) * batch + b) * hiddenSize + j;
  }
  int time(int k) const { return reverse ? steps - 1 - k : k; }
  int before(int t) const { return reverse ? t + 1 : t; }
  int after(int t) const { return reverse ? t : t + 1; }
  bool isReset(int t, int b) const {
    return !resets.empty() && resets[static_cast<size_t>(t) * batch + b] != 0;
  }
  bool past(int t, int b) const { return !lengths.empty() && t >= lengths[static_cast<size_t>(b)]; }
};

// What becomes of an operand before it is multiplied.
using Rounding = double (*)(double);
inline double unrounded(double x) { return x; }

// What a recurrence gives; elements that it must not write are not numbers.
template <class Real>
struct Outcome {
  std::vector<Real> states, keep, y, ds, dzx, dzh, dUnit;

  explicit Outcome(const Sequence &of, Rounding rounding = unrounded) : rounding(rounding) {
    size_t rows = static_cast<size_t>(of.steps) * of.batch, units = rows * of.hiddenSize;
    states.resize(of.state(of.cell.states, 0, 0, 0));
    keep.assign(units * of.cell.reserved, NOTHING);
    y.assign(rows * of.ldY, NOTHING);
    ds.assign(of.dLast.begin(), of.dLast.end());
    dUnit.assign(of.dUnitBefore.begin(), of.dUnitBefore.end());
    dzx.resize(units * of.cell.gates);
    dzh.resize(units * of.cell.gates);
    for (int s = 0; s < of.cell.states; s++) {
      for (int b = 0; b < of.batch; b++) {
        for (int j = 0; j < of.hiddenSize; j++) {
          states[of.state(s, of.reverse ? of.steps : 0, b, j)] = of.first[of.gradient(s, b, j)];
        }
      }
    }
    forward(of);
    backward(of);
  }

 private:
  Rounding rounding;

  Real operand(Real x) const { return static_cast<Real>(rounding(static_cast<double>(x))); }
  Real weight(const Sequence &of, int row, int column) const {
    return operand(static_cast<Real>(of.weightHh[static_cast<size_t>(row) * of.hiddenSize + column]));
  }
  // The states before a step as that step sees them.
  Real previousState(const Sequence &of, int s, int t, int b, int j) const {
    return of.isReset(t, b) ? Real{0} : states[of.state(s, of.before(t), b, j)];
  }

  void forward(const Sequence &of) {
    for (int k = 0; k < of.steps; k++) {
      int t = of.time(k);
      for (int b = 0; b < of.batch; b++) {
        for (int j = 0; j < of.hiddenSize; j++) forwardUnit(of, t, b, j);
      }
    }
  }

  void ownWeights(const Sequence &of, int j, Real *unit) const {
    for (int p = 0; p < of.cell.unitWeights; p++) unit[p] = of.unit[of.own(0, p, j)];
  }

  void forwardUnit(const Sequence &of, int t, int b, int j) {
    Real zx[MOST] = {}, zh[MOST] = {}, previous[MOST] = {}, s[MOST] = {}, kept[MOST] = {};
    Real unit[MOST] = {};
    ownWeights(of, j, unit);
    for (int i = 0; i < of.cell.states; i++) {
      previous[i] = previousState(of, i, t, b, j);
      s[i] = states[of.state(i, of.before(t), b, j)];
    }
    bool past = of.past(t, b);
    if (!past) {
      for (int g = 0; g < of.cell.gates; g++) {
        int row = g * of.hiddenSize + j;
        zx[g] = static_cast<Real>(of.zx[of.product(t, b, g, j)]) + of.biasIh[row];
        zh[g] = of.biasHh[row];
        for (int i = 0; i < of.hiddenSize; i++) {
          zh[g] += weight(of, row, i) * operand(previousState(of, 0, t, b, i));
        }
      }
      plainForward(of.cell, zx, zh, previous, unit, s, kept);
      for (int i = 0; i < of.cell.reserved; i++) keep[of.reserve(t, b, i, j)] = kept[i];
    }
    for (int i = 0; i < of.cell.states; i++) states[of.state(i, of.after(t), b, j)] = s[i];
    y[(static_cast<size_t>(t) * of.batch + b) * of.ldY + j] = past ? 0 : s[0];
  }

  void backward(const Sequence &of) {
    for (int k = of.steps - 1; k >= 0; k--) {
      int t = of.time(k);
      for (int b = 0; b < of.batch; b++) {
        if (of.past(t, b)) continue;
        for (int j = 0; j < of.hiddenSize; j++) backwardUnit(of, t, b, j);
        for (int j = 0; j < of.hiddenSize && !of.isReset(t, b); j++) {
          Real sum = 0;
          for (int row = 0; row < of.cell.gates * of.hiddenSize; row++) {
            sum += operand(dzh[of.product(t, b, 0, row)]) * weight(of, row, j);
          }
          ds[of.gradient(0, b, j)] += sum;
        }
      }
    }
  }

  void backwardUnit(const Sequence &of, int t, int b, int j) {
    Real kept[MOST] = {}, previous[MOST] = {}, s[MOST] = {}, d[MOST] = {}, dPrevious[MOST] = {};
    Real dx[MOST] = {}, dh[MOST] = {}, unit[MOST] = {}, dOwn[MOST] = {};
    ownWeights(of, j, unit);
    for (int i = 0; i < of.cell.reserved; i++) kept[i] = keep[of.reserve(t, b, i, j)];
    for (int i = 0; i < of.cell.states; i++) {
      previous[i] = previousState(of, i, t, b, j);
      s[i] = states[of.state(i, of.after(t), b, j)];
      d[i] = ds[of.gradient(i, b, j)];
    }
    if (!of.dy.empty()) d[0] += of.dy[(static_cast<size_t>(t) * of.batch + b) * of.ldDy + j];
    plainBackward(of.cell, kept, previous, s, unit, d, dx, dh, dPrevious, dOwn);
    for (int g = 0; g < of.cell.gates; g++) {
      dzx[of.product(t, b, g, j)] = dx[g];
      dzh[of.product(t, b, g, j)] = dh[g];
    }
    for (int i = 0; i < of.cell.states; i++) ds[of.gradient(i, b, j)] = of.isReset(t, b) ? Real{0} : dPrevious[i];
    for (int p = 0; p < of.cell.unitWeights; p++) dUnit[of.own(b, p, j)] += dOwn[p];
  }
};

}  // namespace test
}  // namespace unroll
