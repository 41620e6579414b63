#include "results.h"

namespace unroll {
namespace cudasim {

const char *nameOf(int result) {
  switch (result) {
#define UNROLL_CUDASIM_CASE(name, number, text) \
  case number:                                  \
    return number == 0 ? "CUDA_SUCCESS" : "CUDA_ERROR_" #name;
    UNROLL_CUDASIM_RESULTS(UNROLL_CUDASIM_CASE)
#undef UNROLL_CUDASIM_CASE
    default:
      return nullptr;
  }
}

const char *textOf(int result) {
  switch (result) {
#define UNROLL_CUDASIM_CASE(name, number, text) \
  case number:                                  \
    return text;
    UNROLL_CUDASIM_RESULTS(UNROLL_CUDASIM_CASE)
#undef UNROLL_CUDASIM_CASE
    default:
      return nullptr;
  }
}

bool isSticky(int result) {
  return result == ILLEGAL_ADDRESS || result == LAUNCH_TIMEOUT || (result >= 710 && result <= LAUNCH_FAILED);
}

}  // namespace cudasim
}  // namespace unroll
