// A block: an OS thread that runs the threads of the block one at a time, until each waits for others.
#pragma once

#include <string>
#include <vector>

#include "fiber.h"
#include "grid.h"

namespace unroll {
namespace cudasim {

const int LANES = 32;

// SPINNING can go on, and has nothing to do until another thread has done something.
enum class State : uint8_t { READY, SPINNING, IN_WARP, AT_BLOCK, AT_GRID, ENDED };

// What lanes told one another in a meeting; free when nobody reads it.
struct Exchange {
  unsigned lanes;
  int readers = 0;
  uint64_t words[LANES][WORDS];
};

struct Copy {
  void *to;
  const void *from;
  int bytes, given, group;
};

struct Thread {
  Fiber fiber;
  State state;
  unsigned number;
  dim3 index;
  // of its last meeting
  Meeting meeting;
  unsigned mask;
  uint64_t words[WORDS];
  Exchange *exchange;
  // of barriers
  bool predicate;
  unsigned blockPhase, gridPhase, clusterPhase;
  // of cp.async
  std::vector<Copy> copies;
  int group;

  unsigned lane() const { return number % LANES; }
};

struct Warp {
  unsigned alive;  // lanes that have not ended
  char sync;
  std::vector<Exchange *> exchanges;
};

// What an OS thread keeps from one block to the next.
class Workplace {
 public:
  ~Workplace();
  void clear();
  void prepare(int threads, size_t dynamicBytes);
  char *stack(int thread) const { return stacks + (stackBytes + SHIFT) * static_cast<size_t>(thread); }
  unsigned char *dynamic() { return memory + FENCE; }
  // What was written that belongs to nobody; empty if nothing was.
  std::string damage(int threads) const;

  static const size_t FENCE = 128;
  // Stacks a power of two apart would share a few lines of the caches, and each switch would wait for memory.
  static const size_t SHIFT = 320;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<unsigned> ready;

 private:
  char *stacks = nullptr;
  size_t stackBytes = 0, stacksBytes = 0;
  unsigned char *memory = nullptr;
  size_t memoryBytes = 0, dynamicBytes = 0;
};

struct Block {
  Block(Grid &grid, int64_t number, Cluster *cluster, int rank, Workplace &own);
  void run();

  Grid &grid;
  Cluster *const cluster;
  const int rank;
  const int64_t number;
  const dim3 index;
  Workplace &own;
  unsigned char *shared;  // the static memory of the block
  Fiber scheduler;
  Thread *current = nullptr;
  Votes votes[2];
  char sync[2];

  void park(State state);
  // For reports: where its threads are.
  std::string whereabouts() const;
  // A number below count, from the seed.
  unsigned random(unsigned count);

 private:
  void begin();
  bool step();
  void resume(Thread &thread);
  void heed(Thread &thread);
  void meet(Warp &warp, const Thread &thread);
  void threadEnded(Thread &thread);
  bool openBarrier();
  void pause();
  int count(State state) const;
  void makeReady(Thread &thread);
  unsigned nextReady();

  int alive, atBlock = 0, atGrid = 0;
  unsigned first = 0, readyCount = 0;  // of own.ready, a ring
  unsigned idle = 0, pauses = 0, steps = 0;
  unsigned blockPhase = 0, gridPhase = 0;
  uint64_t state;
};

// Of the CUDA thread that runs on this OS thread.
Block &here();
Thread &self();

// Runs a block on this OS thread.
void runBlock(Grid &grid, int64_t number, Cluster *cluster, int rank);

}  // namespace cudasim
}  // namespace unroll
