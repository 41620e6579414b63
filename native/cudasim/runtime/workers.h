// OS threads that run blocks.
#pragma once

#include <functional>

namespace unroll {
namespace cudasim {

// Runs job(0) to job(count-1) at once, each on an OS thread of its own, and returns when all have ended.
// Under ThreadSanitizer these are new ones each time, so that what one block left behind is not ordered
// before the next; else they are kept, and job(0) runs on the caller's.
void together(int count, const std::function<void(int)> &job);

}  // namespace cudasim
}  // namespace unroll
