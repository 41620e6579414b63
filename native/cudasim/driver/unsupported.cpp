// The functions of the driver that are not written. Weak, so that a written one takes the place of its stand-in.
#include "call.h"
#include "symbols.inc"

namespace {

using namespace unroll::cudasim;

int notThere(const char *name, const char *why) {
  return call(name, Needs::NOTHING, [&](Call &) { refuse(NOT_SUPPORTED, "%s", why); });
}

const char RUNTIME[] =
    "the CUDA runtime makes sure by private means that the driver is NVIDIA's, and does not run on this simulation; "
    "use the functions of the driver";

}  // namespace

#define STAND_IN(name)                                               \
  extern "C" __attribute__((weak, visibility("default"))) int name() { \
    return notThere(#name, "this simulation does not have it");      \
  }
SYMBOLS(STAND_IN)

// What the runtime calls first.
API int cuGetProcAddress(const char *, void **, int, uint64_t) { return notThere(__func__, RUNTIME); }
API int cuGetProcAddress_v2(const char *, void **, int, uint64_t, int *) { return notThere(__func__, RUNTIME); }
