// What the device says of itself: the limits of compute capability 9.0 with few processors.
#pragma once

namespace unroll {
namespace cudasim {

const int THREADS_OF_PROCESSOR = 2048;
const int BLOCKS_OF_PROCESSOR = 32;
const int SHARED_OF_PROCESSOR = 233472;
const int SHARED_OF_BLOCK = 49152;
const int MOST_SHARED_OF_BLOCK = 232448;  // for a function that was told so
const int RESERVED_SHARED = 1024;         // of every block, by the system
const int MOST_THREADS = 1024;
const int PORTABLE_CLUSTER = 8;  // blocks of a cluster; more for a function that was told so

// By the number of a CUdevice_attribute. Refuses numbers that CUDA 13 does not have.
int attributeOf(int attribute);

}  // namespace cudasim
}  // namespace unroll
