// A launch: its blocks, what they have in common, how it ends.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "language.h"
#include "registry.h"

namespace unroll {
namespace cudasim {

struct Launch {
  const Entry *entry;
  dim3 grid, block;
  size_t dynamicBytes;
  bool cooperative;
  void *const *arguments;
};

enum class Failure { NONE, DEADLOCK, TIMEOUT, MISUSE, OVERRUN };

struct Outcome {
  Failure failure;
  std::string report;  // for people; empty if nothing failed
};

// Runs a launch to its end. Several threads may do so at a time.
Outcome run(const Launch &launch);

struct Block;

// The blocks of a cluster, which run at once.
struct Cluster {
  explicit Cluster(int size) : blocks(static_cast<size_t>(size), nullptr) {}
  int size() const { return static_cast<int>(blocks.size()); }
  // Its blocks wait for one another before their first and after their last step, so that each finds the
  // others' memory.
  void enter(Block *block);
  void leave();

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Block *> blocks;
  int entered = 0, left = 0;
  // Its barrier: how many threads have come, and how often it has opened.
  int arrived = 0;
  std::atomic<unsigned> phase{0};
  char sync[2];
  // st.async under way: to where, which barrier to tell.
  struct Store {
    void *to;
    uint64_t value;
    int bytes;
    unsigned long long *barrier;
  };
  std::vector<Store> stores;
};

struct Grid {
  explicit Grid(const Launch &launch);

  const Launch &launch;
  const uint64_t seed;  // 0 for no random order
  const int64_t blocks;
  const int threads;  // of a block
  const std::chrono::steady_clock::time_point end;

  // Ends the launch: the first failure counts, the reports of others are added.
  void fail(Failure failure, const std::string &report);
  bool failed() const { return hasFailed.load(std::memory_order_relaxed); }
  bool late() const { return std::chrono::steady_clock::now() > end; }
  Outcome outcome();

  // A block whose threads have all come waits for the other blocks; false if the launch has failed.
  bool barrier(Block &block);
  void blockEnded();
  const void *barrierSync(unsigned phase) const { return &sync[phase % 2]; }
  // What the threads of all blocks have done before the launch ends.
  const void *endSync() const { return &sync[2]; }

 private:
  void judge();
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<bool> hasFailed{false};
  Outcome result{Failure::NONE, ""};
  int reports = 0;
  int64_t waiting = 0, ended = 0;
  unsigned phase = 0;
  char sync[3];
};

}  // namespace cudasim
}  // namespace unroll
