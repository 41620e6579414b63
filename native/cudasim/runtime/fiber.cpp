#include "fiber.h"

#include <cstdint>

#if defined(UNROLL_CUDASIM_TSAN)
#include <sanitizer/tsan_interface.h>
extern "C" {
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
}
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(UNROLL_CUDASIM_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#undef UNROLL_CUDASIM_UCONTEXT
#define UNROLL_CUDASIM_UCONTEXT
#include <ucontext.h>
#elif defined(__x86_64__)
// Pushes what a callee must keep, changes stacks, pops it: System V ABI. Rounding modes are the same in all.
extern "C" void unroll_cudasim_switch(void **save, void *to);
asm(R"(
  .pushsection .text
  .type unroll_cudasim_switch, @function
unroll_cudasim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size unroll_cudasim_switch, .-unroll_cudasim_switch
  .popsection
)");
#else
// x19 to x30 and the low halves of v8 to v15, as AAPCS64 wants.
extern "C" void unroll_cudasim_switch(void **save, void *to);
asm(R"(
  .pushsection .text
  .type unroll_cudasim_switch, @function
unroll_cudasim_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
  .size unroll_cudasim_switch, .-unroll_cudasim_switch
  .popsection
)");
#endif

namespace unroll {
namespace cudasim {

namespace {

#if defined(UNROLL_CUDASIM_UCONTEXT)

ucontext_t *of(Fiber &fiber) { return static_cast<ucontext_t *>(fiber.place); }

void prepare(Fiber &fiber, void *stack, size_t bytes, void (*entry)()) {
  fiber.place = new ucontext_t;
  getcontext(of(fiber));
  of(fiber)->uc_stack.ss_sp = stack;
  of(fiber)->uc_stack.ss_size = bytes;
  of(fiber)->uc_link = nullptr;
  makecontext(of(fiber), entry, 0);
}

void change(Fiber &from, Fiber &to) {
  if (from.place == nullptr) from.place = new ucontext_t;
  swapcontext(of(from), of(to));
}

void discard(Fiber &fiber) { delete of(fiber); }

#else

void prepare(Fiber &fiber, void *stack, size_t bytes, void (*entry)()) {
  void **top = reinterpret_cast<void **>(static_cast<char *>(stack) + bytes);
#if defined(__x86_64__)
  *--top = nullptr;  // where entry would return to
  *--top = reinterpret_cast<void *>(entry);
  for (int i = 0; i < 6; i++) *--top = nullptr;
#else
  for (int i = 0; i < 20; i++) *--top = nullptr;
  top[11] = reinterpret_cast<void *>(entry);
#endif
  fiber.place = top;
}

void change(Fiber &from, Fiber &to) { unroll_cudasim_switch(&from.place, to.place); }

void discard(Fiber &) {}

#endif

}  // namespace

#if defined(UNROLL_CUDASIM_UCONTEXT)
const char *const FIBER_KIND = "ucontext";
#elif defined(__x86_64__)
const char *const FIBER_KIND = "x86-64";
#else
const char *const FIBER_KIND = "aarch64";
#endif

void begin(Fiber &fiber, void *stack, size_t stackBytes, void (*entry)()) {
  fiber.stack = stack;
  fiber.stackBytes = stackBytes;
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(stack, stackBytes);
#endif
#if defined(UNROLL_CUDASIM_TSAN)
  fiber.thread = __tsan_create_fiber(0);
#endif
  prepare(fiber, stack, stackBytes, entry);
}

void adopt(Fiber &fiber) {
#if defined(UNROLL_CUDASIM_TSAN)
  fiber.thread = __tsan_get_current_fiber();
#else
  (void)fiber;
#endif
}

void leave(Fiber &fiber) {
  discard(fiber);
  fiber.place = nullptr;
}

void end(Fiber &fiber) {
#if defined(UNROLL_CUDASIM_TSAN)
  __tsan_destroy_fiber(fiber.thread);
#endif
  discard(fiber);
}

void switchTo(Fiber &from, Fiber &to, bool last) {
  (void)last;
#if defined(UNROLL_CUDASIM_TSAN)
  __tsan_switch_to_fiber(to.thread, __tsan_switch_to_fiber_no_sync);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(last ? nullptr : &from.fake, to.stack, to.stackBytes);
#endif
  change(from, to);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake, nullptr, nullptr);
#endif
}

void arrived(Fiber &from) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &from.stack, &from.stackBytes);
#else
  (void)from;
#endif
}

void releaseAt(const volatile void *at) {
#if defined(UNROLL_CUDASIM_TSAN)
  __tsan_release(const_cast<void *>(at));
#else
  (void)at;
  asm volatile("" ::: "memory");
#endif
}

void releaseFor(Fiber &fiber, Fiber &running, const volatile void *at) {
#if defined(UNROLL_CUDASIM_TSAN)
  __tsan_switch_to_fiber(fiber.thread, __tsan_switch_to_fiber_no_sync);
  releaseAt(at);
  __tsan_switch_to_fiber(running.thread, __tsan_switch_to_fiber_no_sync);
#else
  (void)fiber;
  (void)running;
  (void)at;
#endif
}

Unwatched::Unwatched() {
#if defined(UNROLL_CUDASIM_TSAN)
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
}

Unwatched::~Unwatched() {
#if defined(UNROLL_CUDASIM_TSAN)
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}

void acquireAt(const volatile void *at) {
#if defined(UNROLL_CUDASIM_TSAN)
  __tsan_acquire(const_cast<void *>(at));
#else
  (void)at;
  asm volatile("" ::: "memory");
#endif
}

}  // namespace cudasim
}  // namespace unroll
