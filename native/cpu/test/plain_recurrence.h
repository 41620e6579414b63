// docs/equations.md in plain loops, in whatever number the template is given.
#pragma once

#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"

namespace unroll {
namespace test {

struct PlainCell {
  const char *name;
  int gates, states, reserved;
};

const PlainCell PLAIN_CELLS[] = {{"tanh", 1, 1, 0}, {"relu", 1, 1, 0}, {"gru", 3, 1, 4}, {"lstm", 4, 2, 4}};

template <class Real>
Real sigmoid(Real x) {
  return 1 / (1 + std::exp(-x));
}

// One step of one unit.
template <class Real>
void plainForward(const PlainCell &cell, const Real *zx, const Real *zh, const Real *previous, Real *s,
                  Real *keep) {
  if (std::strcmp(cell.name, "tanh") == 0) {
    s[0] = std::tanh(zx[0] + zh[0]);
  } else if (std::strcmp(cell.name, "relu") == 0) {
    Real z = zx[0] + zh[0];
    s[0] = z <= 0 ? 0 : z;
  } else if (std::strcmp(cell.name, "gru") == 0) {
    keep[0] = sigmoid(zx[0] + zh[0]);
    keep[1] = sigmoid(zx[1] + zh[1]);
    keep[2] = std::tanh(zx[2] + keep[0] * zh[2]);
    keep[3] = zh[2];
    s[0] = (1 - keep[1]) * keep[2] + keep[1] * previous[0];
  } else {
    keep[0] = sigmoid(zx[0] + zh[0]);
    keep[1] = sigmoid(zx[1] + zh[1]);
    keep[2] = std::tanh(zx[2] + zh[2]);
    keep[3] = sigmoid(zx[3] + zh[3]);
    s[1] = keep[1] * previous[1] + keep[0] * keep[2];
    s[0] = keep[3] * std::tanh(s[1]);
  }
}

template <class Real>
void plainBackward(const PlainCell &cell, const Real *keep, const Real *previous, const Real *s,
                   const Real *ds, Real *dzx, Real *dzh, Real *dPrevious) {
  Real dh = ds[0];
  dPrevious[0] = 0;
  if (std::strcmp(cell.name, "tanh") == 0) {
    dzx[0] = dzh[0] = dh * (1 - s[0] * s[0]);
  } else if (std::strcmp(cell.name, "relu") == 0) {
    dzx[0] = dzh[0] = s[0] <= 0 ? 0 : dh;
  } else if (std::strcmp(cell.name, "gru") == 0) {
    Real r = keep[0], z = keep[1], n = keep[2], q = keep[3];
    Real dn = dh * (1 - z) * (1 - n * n);
    dzx[0] = dzh[0] = dn * q * r * (1 - r);
    dzx[1] = dzh[1] = dh * (previous[0] - n) * z * (1 - z);
    dzx[2] = dn;
    dzh[2] = dn * r;
    dPrevious[0] = dh * z;
  } else {
    Real i = keep[0], f = keep[1], g = keep[2], o = keep[3];
    Real tc = std::tanh(s[1]);
    Real dc = ds[1] + dh * o * (1 - tc * tc);
    dzx[0] = dzh[0] = dc * g * i * (1 - i);
    dzx[1] = dzh[1] = dc * previous[1] * f * (1 - f);
    dzx[2] = dzh[2] = dc * i * (1 - g * g);
    dzx[3] = dzh[3] = dh * tc * o * (1 - o);
    dPrevious[1] = dc * f;
  }
}

// What a recurrence is given: the shapes of io.unroll.device.RecurrentCall.
struct Sequence {
  PlainCell cell;
  int steps, batch, hiddenSize, ldY, ldDy;
  bool reverse;
  std::vector<int32_t> lengths;  // or empty
  std::vector<float> zx, weightHh, biasIh, biasHh, first, dLast;
  std::vector<float> dy;  // or empty

  size_t product(int t, int b, int g, int j) const {
    return ((static_cast<size_t>(t) * batch + b) * cell.gates + g) * hiddenSize + j;
  }
  size_t reserve(int t, int b, int k, int j) const {
    return ((static_cast<size_t>(t) * batch + b) * cell.reserved + k) * hiddenSize + j;
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
  bool past(int t, int b) const { return !lengths.empty() && t >= lengths[static_cast<size_t>(b)]; }
};

// What a recurrence gives; elements that it must not write are not numbers.
template <class Real>
struct Outcome {
  std::vector<Real> states, keep, y, ds, dzx, dzh;

  explicit Outcome(const Sequence &of) {
    size_t rows = static_cast<size_t>(of.steps) * of.batch, units = rows * of.hiddenSize;
    states.resize(of.state(of.cell.states, 0, 0, 0));
    keep.assign(units * of.cell.reserved, NOTHING);
    y.assign(rows * of.ldY, NOTHING);
    ds.assign(of.dLast.begin(), of.dLast.end());
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
  static const int MOST = 4;

  void forward(const Sequence &of) {
    for (int k = 0; k < of.steps; k++) {
      int t = of.time(k);
      for (int b = 0; b < of.batch; b++) {
        for (int j = 0; j < of.hiddenSize; j++) forwardUnit(of, t, b, j);
      }
    }
  }

  void forwardUnit(const Sequence &of, int t, int b, int j) {
    Real zx[MOST] = {}, zh[MOST] = {}, previous[MOST] = {}, s[MOST] = {}, kept[MOST] = {};
    for (int i = 0; i < of.cell.states; i++) {
      s[i] = previous[i] = states[of.state(i, of.before(t), b, j)];
    }
    bool past = of.past(t, b);
    if (!past) {
      for (int g = 0; g < of.cell.gates; g++) {
        int row = g * of.hiddenSize + j;
        zx[g] = static_cast<Real>(of.zx[of.product(t, b, g, j)]) + of.biasIh[row];
        zh[g] = of.biasHh[row];
        for (int i = 0; i < of.hiddenSize; i++) {
          zh[g] += static_cast<Real>(of.weightHh[static_cast<size_t>(row) * of.hiddenSize + i]) *
                   states[of.state(0, of.before(t), b, i)];
        }
      }
      plainForward(of.cell, zx, zh, previous, s, kept);
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
        for (int j = 0; j < of.hiddenSize; j++) {
          Real sum = 0;
          for (int row = 0; row < of.cell.gates * of.hiddenSize; row++) {
            sum += dzh[of.product(t, b, 0, row)] *
                   static_cast<Real>(of.weightHh[static_cast<size_t>(row) * of.hiddenSize + j]);
          }
          ds[of.gradient(0, b, j)] += sum;
        }
      }
    }
  }

  void backwardUnit(const Sequence &of, int t, int b, int j) {
    Real kept[MOST] = {}, previous[MOST] = {}, s[MOST] = {}, d[MOST] = {}, dPrevious[MOST] = {};
    Real dx[MOST] = {}, dh[MOST] = {};
    for (int i = 0; i < of.cell.reserved; i++) kept[i] = keep[of.reserve(t, b, i, j)];
    for (int i = 0; i < of.cell.states; i++) {
      previous[i] = states[of.state(i, of.before(t), b, j)];
      s[i] = states[of.state(i, of.after(t), b, j)];
      d[i] = ds[of.gradient(i, b, j)];
    }
    if (!of.dy.empty()) d[0] += of.dy[(static_cast<size_t>(t) * of.batch + b) * of.ldDy + j];
    plainBackward(of.cell, kept, previous, s, d, dx, dh, dPrevious);
    for (int g = 0; g < of.cell.gates; g++) {
      dzx[of.product(t, b, g, j)] = dx[g];
      dzh[of.product(t, b, g, j)] = dh[g];
    }
    for (int i = 0; i < of.cell.states; i++) ds[of.gradient(i, b, j)] = dPrevious[i];
  }
};

}  // namespace test
}  // namespace unroll
