// One step of one unit of every cell of kernels/cells, in double and in float: docs/equations.md for those
// that are written here, for any other its own text read with scalars. So what surrounds a new cell is
// tested without a line here; whether its text is right is for Java's tests, which have the equations.
#pragma once

#include <cmath>
#include <cstring>

namespace unroll {
namespace test {

// Gates, states, reserved values and unit weights that a cell may have.
const int MOST = 8;

template <class Real>
Real sigmoid(Real x) {
  return 1 / (1 + std::exp(-x));
}

#define DEVICE_FN static inline
#define REAL(constant) static_cast<real>(constant)
#define EXP(x) std::exp(x)
#define TANH(x) std::tanh(x)
#define SIGMOID(x) sigmoid<real>(x)
namespace in_double {
typedef double real;
#include "cells.inc"
}  // namespace in_double
namespace in_float {
typedef float real;
#include "cells.inc"
}  // namespace in_float
#undef DEVICE_FN
#undef REAL
#undef EXP
#undef TANH
#undef SIGMOID

template <class Real>
struct CellText {
  void (*forward)(const Real *zx, const Real *zh, const Real *previous, const Real *unit, Real *s,
                  Real *keep);
  void (*backward)(const Real *keep, const Real *previous, const Real *s, const Real *unit,
                   const Real *ds, Real *dzx, Real *dzh, Real *dPrevious, Real *dUnit);
};

struct PlainCell {
  const char *name;
  int gates, states, reserved, unitWeights;
  CellText<double> inDouble;
  CellText<float> inFloat;

  bool is(const char *other) const { return std::strcmp(name, other) == 0; }
  bool isWrittenHere() const { return is("tanh") || is("relu") || is("gru") || is("lstm"); }
  const CellText<double> &text(double) const { return inDouble; }
  const CellText<float> &text(float) const { return inFloat; }
};

template <class InDouble, class InFloat>
constexpr PlainCell plainCell(const char *name) {
  static_assert(InDouble::GATES <= MOST && InDouble::STATES <= MOST, "raise MOST");
  static_assert(InDouble::RESERVED <= MOST && InDouble::UNIT_WEIGHTS <= MOST, "raise MOST");
  return {name,
          InDouble::GATES,
          InDouble::STATES,
          InDouble::RESERVED,
          InDouble::UNIT_WEIGHTS,
          {InDouble::cell_forward, InDouble::cell_backward},
          {InFloat::cell_forward, InFloat::cell_backward}};
}

#define PLAIN_CELL(name) plainCell<in_double::name, in_float::name>(#name),
const PlainCell PLAIN_CELLS[] = {CELLS(PLAIN_CELL)};
#undef PLAIN_CELL

template <class Real>
void plainForward(const PlainCell &cell, const Real *zx, const Real *zh, const Real *previous,
                  const Real *unit, Real *s, Real *keep) {
  if (cell.is("tanh")) {
    s[0] = std::tanh(zx[0] + zh[0]);
  } else if (cell.is("relu")) {
    Real z = zx[0] + zh[0];
    s[0] = z <= 0 ? 0 : z;
  } else if (cell.is("gru")) {
    keep[0] = sigmoid(zx[0] + zh[0]);
    keep[1] = sigmoid(zx[1] + zh[1]);
    keep[2] = std::tanh(zx[2] + keep[0] * zh[2]);
    keep[3] = zh[2];
    s[0] = (1 - keep[1]) * keep[2] + keep[1] * previous[0];
  } else if (cell.is("lstm")) {
    keep[0] = sigmoid(zx[0] + zh[0]);
    keep[1] = sigmoid(zx[1] + zh[1]);
    keep[2] = std::tanh(zx[2] + zh[2]);
    keep[3] = sigmoid(zx[3] + zh[3]);
    s[1] = keep[1] * previous[1] + keep[0] * keep[2];
    s[0] = keep[3] * std::tanh(s[1]);
  } else {
    cell.text(Real{}).forward(zx, zh, previous, unit, s, keep);
  }
}

template <class Real>
void plainBackward(const PlainCell &cell, const Real *keep, const Real *previous, const Real *s,
                   const Real *unit, const Real *ds, Real *dzx, Real *dzh, Real *dPrevious,
                   Real *dUnit) {
  Real dh = ds[0];
  dPrevious[0] = 0;
  if (cell.is("tanh")) {
    dzx[0] = dzh[0] = dh * (1 - s[0] * s[0]);
  } else if (cell.is("relu")) {
    dzx[0] = dzh[0] = s[0] <= 0 ? 0 : dh;
  } else if (cell.is("gru")) {
    Real r = keep[0], z = keep[1], n = keep[2], q = keep[3];
    Real dn = dh * (1 - z) * (1 - n * n);
    dzx[0] = dzh[0] = dn * q * r * (1 - r);
    dzx[1] = dzh[1] = dh * (previous[0] - n) * z * (1 - z);
    dzx[2] = dn;
    dzh[2] = dn * r;
    dPrevious[0] = dh * z;
  } else if (cell.is("lstm")) {
    Real i = keep[0], f = keep[1], g = keep[2], o = keep[3];
    Real tc = std::tanh(s[1]);
    Real dc = ds[1] + dh * o * (1 - tc * tc);
    dzx[0] = dzh[0] = dc * g * i * (1 - i);
    dzx[1] = dzh[1] = dc * previous[1] * f * (1 - f);
    dzx[2] = dzh[2] = dc * i * (1 - g * g);
    dzx[3] = dzh[3] = dh * tc * o * (1 - o);
    dPrevious[1] = dc * f;
  } else {
    cell.text(Real{}).backward(keep, previous, s, unit, ds, dzx, dzh, dPrevious, dUnit);
  }
}

}  // namespace test
}  // namespace unroll
