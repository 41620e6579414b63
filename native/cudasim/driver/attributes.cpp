#include "attributes.h"

#include "../runtime/settings.h"
#include "call.h"

namespace unroll {
namespace cudasim {

namespace {

struct Attribute {
  int number, value;
};

const Attribute ATTRIBUTES[] = {
    {1, MOST_THREADS},           // threads of a block
    {2, 1024},                   // its x
    {3, 1024},                   // its y
    {4, 64},                     // its z
    {5, 2147483647},             // blocks of a grid, x
    {6, 65535},                  // y
    {7, 65535},                  // z
    {8, SHARED_OF_BLOCK},
    {9, 65536},                  // constant memory
    {10, 32},                    // threads of a warp
    {11, 2147483647},            // pitch
    {12, 65536},                 // registers of a block
    {13, 1000000},               // kHz
    {14, 512},                   // alignment of textures
    {19, 1},                     // the device can see memory of the host
    {30, 512},                   // alignment of surfaces
    {31, 1},                     // kernels run side by side
    {36, 1000000},               // kHz of the memory
    {37, 64},                    // bits of its bus
    {38, 4 << 20},               // L2 cache
    {39, THREADS_OF_PROCESSOR},
    {40, 1},                     // copies beside kernels
    {41, 1},                     // one address space with the host
    {51, 32},                    // alignment of pitches
    {75, 9},                     // compute capability
    {76, 0},
    {78, 1},                     // priorities of streams
    {79, 1},                     // caches in L1, global
    {80, 1},                     // and local
    {81, SHARED_OF_PROCESSOR},
    {82, 65536},                 // registers of a processor
    {87, 64},                    // speed of float32 to float64
    {90, 1},                     // preemption
    {95, 1},                     // cooperative launches
    {97, MOST_SHARED_OF_BLOCK},
    {106, BLOCKS_OF_PROCESSOR},
    {111, RESERVED_SHARED},
    {120, 1},                    // clusters
    {129, 1},                    // unified function pointers
};
const int PROCESSORS = 16;
const int COMPUTE_MODE = 20;
const int LARGEST = 147;

}  // namespace

// What is not listed the device does not have.
int attributeOf(int attribute) {
  if (attribute < 1 || attribute > LARGEST) refuse(INVALID_VALUE, "%d is no attribute of a device", attribute);
  if (attribute == PROCESSORS) return settings().processors;
  if (attribute == COMPUTE_MODE) return static_cast<int>(settings().mode);
  for (const Attribute &each : ATTRIBUTES) {
    if (each.number == attribute) return each.value;
  }
  return 0;
}

}  // namespace cudasim
}  // namespace unroll
