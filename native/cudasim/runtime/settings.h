// How the simulation runs. The defaults come from the environment, README.md lists its variables.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unroll {
namespace cudasim {

// As the driver numbers them.
enum class Mode { EVERYBODY = 0, NOBODY = 2, EXCLUSIVE = 3 };

struct Settings {
  uint64_t seed;        // of the order of threads, blocks and graph nodes; 0 for the order of their numbers
  bool late;            // cp.async and st.async arrive only when they are waited for, else at once
  double timeout;       // seconds that a launch may take
  int threads;          // blocks that run at once, where a launch does not need more
  int processors;       // that the device says it has
  size_t memoryBytes;   // of the device
  size_t stackBytes;    // of a CUDA thread
  size_t takenBytes;    // of the device's memory, by other processes
  int driver;           // the version of CUDA that it says it has, as 13000
  Mode mode;            // who may use the device
  const char *lock;     // with EXCLUSIVE the file that whoever uses the device holds
};

// Those of the process. Changed by tests, between launches only.
Settings &settings();

}  // namespace cudasim
}  // namespace unroll
