// Where a CUDA thread, or the scheduler of its block, goes on: an own stack and the registers of its caller.
#pragma once

#include <cstddef>

namespace unroll {
namespace cudasim {

struct Context {
  void *place = nullptr;  // where the registers lie; with ucontext a ucontext_t
  const void *stack = nullptr;
  size_t stackBytes = 0;
  void *thread = nullptr;  // ThreadSanitizer's
  void *fake = nullptr;    // AddressSanitizer's
};

// How this build switches: "x86-64", "aarch64" or "ucontext".
extern const char *const CONTEXT_KIND;

// Makes a context that begins entry, which may not return, on a stack whose ends are at multiples of 16.
void begin(Context &context, void *stack, size_t stackBytes, void (*entry)());
// That of this OS thread; switching away fills in the rest.
void adopt(Context &context);
// Gives back what begin took. The context may not be the running one.
void end(Context &context);

// Goes on in another context until somebody switches back. last: this one never goes on.
void switchTo(Context &from, Context &to, bool last = false);
// What begins on a new stack calls this first, with the context that it came from.
void arrived(Context &from);

// Happens-before edges for ThreadSanitizer: switches alone make none.
void releaseAt(const volatile void *at);
void acquireAt(const volatile void *at);

}  // namespace cudasim
}  // namespace unroll
