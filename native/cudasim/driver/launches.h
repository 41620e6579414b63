// What a launch must be, whether a stream or a graph makes it.
#pragma once

#include "call.h"

namespace unroll {
namespace cudasim {

struct LaunchShape {
  dim3 grid, block;
  unsigned dynamicBytes;
  bool cooperative;
};

// The work of a launch; refuses what a device would.
Work launchOf(Function &function, const LaunchShape &shape, void **parameters, void **extra);

// How many blocks of a function fit on a processor.
int blocksOfProcessor(const Function &function, int threads, size_t dynamicBytes);
size_t staticShared(const Entry &entry);

}  // namespace cudasim
}  // namespace unroll
