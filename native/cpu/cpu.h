// The CPU as a device: which instruction set, memory, launches.
#pragma once

#include "isa.h"

namespace unroll {

// The best set of kernels that this library has and this processor runs; null if there is none.
const Isa *bestIsa();

// The set of that name if this library has it and this processor runs it, else null.
const Isa *isaByName(const char *name);

// What the processor lacks when bestIsa() is null, for people.
const char *missing();

// Bytes aligned to a cache line, in large pages where the system gives them; null if there is no
// memory. Freed by release.
void *allocate(int64_t bytes);
// How often allocate has been called in this process.
int64_t allocations();
void release(void *memory);

// Runs all items of a kernel, cut over the threads where they are worth it.
void launch(Context &context, const KernelEntry &kernel, int64_t items, const Argument *args);

}  // namespace unroll
