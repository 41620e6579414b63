// Launches a kernel by its name.
#pragma once

#include <cstring>

#include "check.h"

namespace unroll {
namespace test {

inline Argument pointer(void *to) {
  Argument made{};
  made.pointer = to;
  return made;
}

inline Argument integer(int64_t value) {
  Argument made{};
  made.integer = value;
  return made;
}

inline Argument real(double value) {
  Argument made{};
  made.real = value;
  return made;
}

template <size_t COUNT>
void run(Context &context, const char *name, int64_t items, const Argument (&args)[COUNT]) {
  const Isa &isa = *context.isa;
  about("%s %s, %lld items", isa.name, name, static_cast<long long>(items));
  const KernelEntry *found = nullptr;
  for (int i = 0; i < isa.kernelCount; i++) {
    if (std::strcmp(isa.kernels[i].name, name) == 0) found = &isa.kernels[i];
  }
  if (found == nullptr) {
    fail("there is no such kernel");
    return;
  }
  launch(context, *found, items, args);
}

}  // namespace test
}  // namespace unroll
