// What recurrence_test has to know of a module of kernels/cuda/block.h, from its key.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "../../cpu/test/plain_recurrence.h"

namespace unroll {
namespace test {

const int MOST_DYNAMIC_MEMORY = 8;  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES

inline uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline double fromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
// Finite numbers to 10 bits of fraction, ties away from zero, and to 7, ties to even.
inline double toTf32(double x) { return fromBits((bitsOf(static_cast<float>(x)) + 0x1000) & ~0x1fffu); }
inline double toBf16(double x) {
  uint32_t bits = bitsOf(static_cast<float>(x));
  return fromBits((bits + 0x7fff + (bits >> 16 & 1)) & ~0xffffu);
}

struct BlockProgram {
  std::string key;
  unsigned lanes = 0;  // 0 if the key is that of another module
  int hidden = 0, keptForward = 0, keptBackward = 0, precision = 0;

  BlockProgram(const std::string &key, const PlainCell &cell) : key(key) {
    if (key.rfind(std::string("block-") + cell.name + "-", 0) != 0) return;
    lanes = static_cast<unsigned>(constant("GROUP"));
    hidden = constant("HIDDEN");
    keptForward = constant("KEPT_FORWARD");
    keptBackward = constant("KEPT_BACKWARD");
    precision = constant("PRECISION");
  }

  int rows() const { return precision == 0 ? 4 : 8; }

  // As io.unroll.device.GpuBlockPlan counts it.
  unsigned memory(int gates, bool backward) const {
    int operandBytes = precision == 2 ? 2 : 4;
    int weights = gates * hidden * hidden * operandBytes;
    int kept = (backward ? keptBackward : keptForward) * static_cast<int>(lanes) * 16;
    return static_cast<unsigned>(weights - kept + 2 * rows() * operandBytes * hidden * (backward ? gates : 1));
  }

  Rounding rounding() const { return precision == 0 ? unrounded : precision == 1 ? toTf32 : toBf16; }

 private:
  int constant(const std::string &name) const {
    return std::atoi(key.c_str() + key.find("-" + name + "=") + name.size() + 2);
  }
};

// An operand that lies where rounding changes may be rounded to the other side, because in float32 it is a little
// different. What one such operand may change in a sum, and once more in the steps behind.
inline double oneRounding(const BlockProgram &program, const Sequence &of, const Outcome<double> &exact) {
  if (program.precision == 0) return 0;
  double weight = 0, operand = 0;
  for (float w : of.weightHh) weight = std::fmax(weight, std::fabs(w));
  for (double h : exact.states) operand = std::fmax(operand, std::fabs(h));
  for (double dz : exact.dzh) operand = std::fmax(operand, std::fabs(dz));
  return 2 * weight * operand * std::ldexp(1, program.precision == 1 ? -10 : -7);
}

}  // namespace test
}  // namespace unroll
