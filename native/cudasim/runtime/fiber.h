// Where a CUDA thread, or the scheduler of its block, goes on: an own stack and the registers of its caller.
#pragma once

#include <cstddef>

namespace unroll {
namespace cudasim {

struct Fiber {
  void *place = nullptr;  // where the registers lie; with ucontext a ucontext_t
  const void *stack = nullptr;
  size_t stackBytes = 0;
  void *thread = nullptr;  // ThreadSanitizer's
  void *fake = nullptr;    // AddressSanitizer's
};

// How this build switches: "x86-64", "aarch64" or "ucontext".
extern const char *const FIBER_KIND;

// Makes a fiber that begins entry, which may not return, on a stack whose ends are at multiples of 16.
void begin(Fiber &fiber, void *stack, size_t stackBytes, void (*entry)());
// That of this OS thread; switching away fills in the rest.
void adopt(Fiber &fiber);
// Gives back what switching away took.
void leave(Fiber &fiber);
// Gives back what begin took. The fiber may not be the running one.
void end(Fiber &fiber);

// Goes on in another fiber until somebody switches back. last: this one never goes on.
void switchTo(Fiber &from, Fiber &to, bool last = false);
// What begins on a new stack calls this first, with the fiber that it came from.
void arrived(Fiber &from);

// Happens-before edges for ThreadSanitizer: switches alone make none.
void releaseAt(const volatile void *at);
void acquireAt(const volatile void *at);
// As if the fiber did it, which will never go on.
void releaseFor(Fiber &fiber, Fiber &running, const volatile void *at);

// While one lives, what this OS thread does is no access for ThreadSanitizer: to free what fibers have used,
// without being ordered behind them.
class Unwatched {
 public:
  Unwatched();
  ~Unwatched();
  Unwatched(const Unwatched &) = delete;
};

}  // namespace cudasim
}  // namespace unroll
