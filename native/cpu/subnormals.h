// Numbers below 2^-126 become zero while one of these lives, in this thread. Vanishing gradients and
// the moments of rows that are never seen reach that range, where an instruction takes a hundred times
// as long.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace unroll {

class SubnormalsAreZero {
 public:
  SubnormalsAreZero() : found(read()) { write(found | FLUSH); }
  ~SubnormalsAreZero() { write(found); }
  SubnormalsAreZero(const SubnormalsAreZero &) = delete;

 private:
#if defined(__x86_64__)
  static constexpr uint64_t FLUSH = 0x8040;  // of results and of operands
  static uint64_t read() { return _mm_getcsr(); }
  static void write(uint64_t value) { _mm_setcsr(static_cast<unsigned>(value)); }
#elif defined(__aarch64__)
  static constexpr uint64_t FLUSH = 1 << 24;
  static uint64_t read() {
    uint64_t value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(uint64_t value) { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
  static constexpr uint64_t FLUSH = 0;
  static uint64_t read() { return 0; }
  static void write(uint64_t) {}
#endif

  const uint64_t found;
};

}  // namespace unroll
