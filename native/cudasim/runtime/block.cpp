#include "block.h"

#include <unistd.h>

#include <thread>

#include "settings.h"

namespace unroll {
namespace cudasim {

namespace {

thread_local Block *onThisThread = nullptr;

dim3 indexOf(int64_t number, const dim3 &size) {
  dim3 index;
  index.x = static_cast<unsigned>(number % size.x);
  index.y = static_cast<unsigned>(number / size.x % size.y);
  index.z = static_cast<unsigned>(number / size.x / size.y);
  return index;
}

// Where the stack of every CUDA thread begins.
void enter() {
  Block &block = here();
  Thread &thread = self();
  arrived(block.scheduler);
  const Launch &launch = block.grid.launch;
  launch.entry->call(launch.arguments);
  releaseAt(block.grid.endSync());
  thread.state = State::ENDED;
  switchTo(thread.fiber, block.scheduler, true);
}

uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

Block &here() { return *onThisThread; }
Thread &self() { return *onThisThread->current; }

Block::Block(Grid &grid, int64_t number, Cluster *cluster, int rank, Workplace &own)
    : grid(grid), cluster(cluster), rank(rank), number(number), index(indexOf(number, grid.launch.grid)),
      own(own), shared(nullptr), votes{}, alive(grid.threads),
      state(mixed(grid.seed * 0x9e3779b97f4a7c15 + static_cast<uint64_t>(number) + 1) | 1) {}

unsigned Block::random(unsigned count) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<unsigned>((state >> 32) * count >> 32);
}

void Block::run() {
  onThisThread = this;
  begin();
  cluster->enter(this);
  while (alive > 0 && !grid.failed() && step()) {
  }
  for (Thread &thread : own.threads) {
    if (thread.state != State::ENDED) releaseFor(thread.fiber, scheduler, grid.endSync());
    end(thread.fiber);
  }
  cudasim::leave(scheduler);
  std::string damage = own.damage(grid.threads);
  if (!damage.empty()) grid.fail(Failure::OVERRUN, "block " + std::to_string(number) + " " + damage);
  cluster->leave();
  onThisThread = nullptr;
}

void Block::begin() {
  adopt(scheduler);
  for (int i = 0; i < grid.threads; i++) {
    Thread &thread = own.threads[static_cast<size_t>(i)];
    thread.number = static_cast<unsigned>(i);
    thread.index = indexOf(i, grid.launch.block);
    thread.blockPhase = thread.gridPhase = thread.clusterPhase = 0;
    thread.copies.clear();
    thread.group = 0;
    cudasim::begin(thread.fiber, own.stack(i), settings().stackBytes, enter);
    makeReady(thread);
  }
  for (int first = 0; first < grid.threads; first += LANES) {
    Warp &warp = own.warps[static_cast<size_t>(first / LANES)];
    int lanes = grid.threads - first < LANES ? grid.threads - first : LANES;
    warp.alive = lanes == LANES ? ~0u : (1u << lanes) - 1;
    for (Exchange *exchange : warp.exchanges) exchange->readers = 0;
  }
}

void Block::makeReady(Thread &thread) {
  thread.state = State::READY;
  own.ready[(first + readyCount++) % own.ready.size()] = thread.number;
}

// In the order in which they became ready, or any with a seed.
unsigned Block::nextReady() {
  if (grid.seed != 0) {
    unsigned &chosen = own.ready[(first + random(readyCount)) % own.ready.size()];
    std::swap(chosen, own.ready[first]);
  }
  unsigned number = own.ready[first];
  first = (first + 1) % static_cast<unsigned>(own.ready.size());
  readyCount--;
  return number;
}

// Lets one thread go on, or opens a barrier where all wait. False if the launch has failed.
bool Block::step() {
  if (readyCount == 0) return openBarrier();
  Thread &thread = own.threads[nextReady()];
  resume(thread);
  heed(thread);
  if (++steps % 4096 == 0 && grid.late()) {
    grid.fail(Failure::TIMEOUT, whereabouts());
    return false;
  }
  return true;
}

void Block::resume(Thread &thread) {
  current = &thread;
  switchTo(scheduler, thread.fiber);
  current = nullptr;
}

void Block::heed(Thread &thread) {
  if (thread.state != State::SPINNING) idle = pauses = 0;
  switch (thread.state) {
    case State::SPINNING:
      makeReady(thread);
      thread.state = State::SPINNING;
      if (++idle > readyCount) pause();
      break;
    case State::IN_WARP:
      meet(own.warps[thread.number / LANES], thread);
      break;
    case State::AT_BLOCK:
      atBlock++;
      break;
    case State::AT_GRID:
      atGrid++;
      break;
    default:
      threadEnded(thread);
  }
}

// All that can go on wait in loops for another block.
void Block::pause() {
  idle = 0;
  if (grid.late()) {
    grid.fail(Failure::TIMEOUT, whereabouts());
  } else if (++pauses < 100) {
    std::this_thread::yield();
  } else {
    usleep(50);
  }
}

// If all lanes that the thread waits for have come, they learn each other's words and go on.
void Block::meet(Warp &warp, const Thread &thread) {
  unsigned wanted = thread.mask & warp.alive, base = thread.number / LANES * LANES;
  for (unsigned lane = 0; lane < LANES; lane++) {
    if ((wanted >> lane & 1) == 0) continue;
    const Thread &other = own.threads[base + lane];
    if (other.state != State::IN_WARP || other.mask != thread.mask) return;
    if (other.meeting != thread.meeting) {
      grid.fail(Failure::MISUSE, "block " + std::to_string(number) + ": lanes " +
                                     std::to_string(thread.lane()) + " and " + std::to_string(lane) +
                                     " of warp " + std::to_string(base / LANES) +
                                     " meet in different operations");
      return;
    }
  }
  Exchange *free = nullptr;
  for (Exchange *each : warp.exchanges) {
    if (each->readers == 0) free = each;
  }
  if (free == nullptr) warp.exchanges.push_back(free = new Exchange);
  free->lanes = wanted;
  for (unsigned lane = 0; lane < LANES; lane++) {
    if ((wanted >> lane & 1) == 0) continue;
    Thread &other = own.threads[base + lane];
    for (int i = 0; i < WORDS; i++) free->words[lane][i] = other.words[i];
    free->readers++;
    other.exchange = free;
    makeReady(other);
  }
}

// The lanes that wait for it wait no longer.
void Block::threadEnded(Thread &thread) {
  alive--;
  Warp &warp = own.warps[thread.number / LANES];
  warp.alive &= ~(1u << thread.lane());
  unsigned base = thread.number / LANES * LANES;
  for (unsigned lane = 0; lane < LANES && base + lane < own.threads.size(); lane++) {
    Thread &other = own.threads[base + lane];
    if (other.state == State::IN_WARP && (other.mask >> thread.lane() & 1) != 0) meet(warp, other);
  }
}

bool Block::openBarrier() {
  State where = atBlock == alive ? State::AT_BLOCK : State::AT_GRID;
  if (where == State::AT_GRID) {
    if (atGrid != alive) {
      grid.fail(Failure::DEADLOCK, whereabouts());
      return false;
    }
    if (!grid.barrier(*this)) return false;
  }
  Votes &result = votes[blockPhase % 2];
  result = {atBlock, 0};
  for (Thread &thread : own.threads) {
    if (thread.state != where) continue;
    result.holding += thread.predicate ? 1 : 0;
    makeReady(thread);
  }
  if (where == State::AT_BLOCK) blockPhase++;
  atBlock = atGrid = 0;
  return true;
}

int Block::count(State state) const {
  int found = 0;
  for (const Thread &thread : own.threads) found += thread.state == state ? 1 : 0;
  return found;
}

std::string Block::whereabouts() const {
  char line[240];
  std::snprintf(line, sizeof line,
                "block %lld: of %d threads %d can go on, %d wait in a loop, %d for lanes of their warp, %d at "
                "__syncthreads, %d at the grid barrier, %d have ended",
                static_cast<long long>(number), grid.threads, count(State::READY), count(State::SPINNING),
                count(State::IN_WARP), count(State::AT_BLOCK), count(State::AT_GRID), count(State::ENDED));
  return line;
}

void Block::park(State where) {
  Thread &thread = *current;
  thread.state = where;
  switchTo(thread.fiber, scheduler);
}

Votes blockBarrier(bool predicate) {
  Block &block = here();
  Thread &thread = self();
  thread.predicate = predicate;
  unsigned phase = thread.blockPhase++;
  releaseAt(&block.sync[phase % 2]);
  block.park(State::AT_BLOCK);
  acquireAt(&block.sync[phase % 2]);
  return block.votes[phase % 2];
}

void gridBarrier() {
  Block &block = here();
  Thread &thread = self();
  if (!block.grid.launch.cooperative) {
    block.grid.fail(Failure::MISUSE, "a grid barrier in a launch that is not cooperative");
  }
  unsigned phase = thread.gridPhase++;
  releaseAt(block.grid.barrierSync(phase));
  block.park(State::AT_GRID);
  acquireAt(block.grid.barrierSync(phase));
}

void spin() { here().park(State::SPINNING); }

dim3 threadIndex() { return self().index; }
dim3 blockIndex() { return here().index; }
dim3 blockSize() { return here().grid.launch.block; }
dim3 gridSize() { return here().grid.launch.grid; }
unsigned laneNumber() { return self().lane(); }
unsigned char *dynamicMemory() { return here().own.dynamic(); }

void published(const volatile void *at) { releaseAt(at); }
void observed(const volatile void *at) { acquireAt(at); }

}  // namespace cudasim
}  // namespace unroll
