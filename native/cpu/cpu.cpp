#include "cpu.h"

#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace unroll {

#if defined(__x86_64__)
namespace avx2 {
extern const Isa table;
}
namespace avx512 {
extern const Isa table;
}
#elif defined(__aarch64__)
namespace neon {
extern const Isa table;
}
#endif

namespace {

const int64_t HUGE_PAGE = 2 << 20;
const int64_t LINE = 64;
// Nanoseconds of work below which another thread does not pay.
const int64_t WORTH_A_THREAD = 8000;

struct Candidate {
  const Isa *isa;
  bool runs;
};

// Best first; the number of them is returned.
int candidates(Candidate (&found)[2]) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool wide = fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  found[0] = {&avx512::table, wide};
  found[1] = {&avx2::table, fma};
  return 2;
#elif defined(__aarch64__)
  found[0] = {&neon::table, true};
  return 1;
#else
  return 0;
#endif
}

}  // namespace

const Isa *bestIsa() {
  Candidate all[2];
  int count = candidates(all);
  for (int i = 0; i < count; i++) {
    if (all[i].runs) return all[i].isa;
  }
  return nullptr;
}

const Isa *isaByName(const char *name) {
  Candidate all[2];
  int count = candidates(all);
  for (int i = 0; i < count; i++) {
    if (all[i].runs && std::strcmp(all[i].isa->name, name) == 0) return all[i].isa;
  }
  return nullptr;
}

const char *missing() { return "the processor has no AVX2 and FMA"; }

void *allocate(int64_t bytes) {
  int64_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : LINE;
  int64_t size = (bytes + alignment - 1) / alignment * alignment;
#if defined(_WIN32)
  return _aligned_malloc(static_cast<size_t>(size), static_cast<size_t>(alignment));
#else
  void *memory = std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(size));
#if defined(__linux__)
  if (memory != nullptr && alignment == HUGE_PAGE) {
    madvise(memory, static_cast<size_t>(size), MADV_HUGEPAGE);
  }
#endif
  return memory;
#endif
}

void release(void *memory) {
#if defined(_WIN32)
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

Context::Context(int threads, const Isa *isa)
    : pool(threads), isa(isa), barriers(new Barrier[static_cast<size_t>(threads)]) {}

Context::~Context() { delete[] barriers; }

Scratch::~Scratch() { release(memory); }

float *Scratch::floats(size_t count) {
  if (count > capacity) {
    release(memory);
    capacity = 0;
    memory = static_cast<float *>(allocate(static_cast<int64_t>(count * sizeof(float))));
    if (memory == nullptr) throw std::bad_alloc();
    capacity = count;
  }
  return memory;
}

void launch(Context &context, const KernelEntry &kernel, int64_t items, const Argument *args) {
  if (items == 0) return;
  int64_t threads = context.pool.threads();
  int64_t useful = 1 + items * kernel.cost(args) / WORTH_A_THREAD;
  int64_t parts = useful < threads ? useful : 2 * threads;
  if (parts > items) parts = items;
  if (threads == 1 || parts == 1) {
    kernel.range(args, 0, items);
    return;
  }
  // Parts begin at multiples of a cache line where they are long.
  int64_t chunk = (items - 1) / parts + 1;
  if (chunk > 256) chunk = (chunk + 15) / 16 * 16;
  context.pool.run(static_cast<int>((items - 1) / chunk + 1), [&](int part, int) {
    int64_t from = part * chunk;
    kernel.range(args, from, from + chunk < items ? from + chunk : items);
  });
}

}  // namespace unroll
