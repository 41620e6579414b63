#include "grid.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "block.h"
#include "settings.h"
#include "workers.h"

namespace unroll {
namespace cudasim {

namespace {

const int MOST_REPORTS = 8;

uint64_t seedOfLaunch() {
  static std::atomic<uint64_t> launches{0};
  uint64_t number = ++launches;
  return settings().seed == 0 ? 0 : (settings().seed * 0x9e3779b97f4a7c15 + number * 0xd1342543de82ef95) | 1;
}

std::chrono::steady_clock::time_point endOfLaunch() {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(
             std::chrono::duration<double>(settings().timeout));
}

// Numbers below count, each once: in order, or stepping by what has no common divisor with count.
class Order {
 public:
  Order(int64_t count, uint64_t seed) : count(static_cast<uint64_t>(count)), start(seed % this->count) {
    stride = seed == 0 ? 1 : (seed >> 16) % this->count | 1;
    while (std::gcd(stride, this->count) != 1) stride += 2;
  }
  int64_t at(int64_t i) const {
    return static_cast<int64_t>((start + static_cast<unsigned __int128>(i) * stride) % count);
  }

 private:
  uint64_t count, start, stride;
};

// The blocks of a cluster see each other's memory, so none begins before all are there nor leaves early.
void runInCluster(Grid &grid, int64_t unit, Cluster &cluster, int rank) {
  runBlock(grid, unit * static_cast<int64_t>(cluster.blocks.size()) + rank, &cluster, rank);
  grid.blockEnded();
}

void runInWaves(Grid &grid, int64_t units, int atOnce, int size, const Order &order) {
  for (int64_t first = 0; first < units && !grid.failed(); first += atOnce) {
    int now = static_cast<int>(std::min<int64_t>(atOnce, units - first));
    std::vector<std::unique_ptr<Cluster>> clusters;
    for (int i = 0; i < now; i++) clusters.emplace_back(new Cluster(size));
    together(now * size, [&](int i) {
      runInCluster(grid, order.at(first + i / size), *clusters[static_cast<size_t>(i / size)], i % size);
    });
    Unwatched free;
    clusters.clear();
  }
}

#if !defined(UNROLL_CUDASIM_TSAN)
void runOneByOne(Grid &grid, int64_t blocks, int atOnce, const Order &order) {
  std::atomic<int64_t> next{0};
  together(atOnce, [&](int) {
    for (int64_t i = next++; i < blocks && !grid.failed(); i = next++) {
      Cluster alone(1);
      runInCluster(grid, order.at(i), alone, 0);
    }
  });
}
#endif

}  // namespace

Grid::Grid(const Launch &launch)
    : launch(launch), seed(seedOfLaunch()),
      blocks(static_cast<int64_t>(launch.grid.x) * launch.grid.y * launch.grid.z),
      threads(static_cast<int>(launch.block.x * launch.block.y * launch.block.z)), end(endOfLaunch()) {}

void Grid::fail(Failure failure, const std::string &report) {
  std::lock_guard<std::mutex> lock(mutex);
  if (result.failure == Failure::NONE) {
    result.failure = failure;
    const char *what = failure == Failure::DEADLOCK  ? " has a deadlock"
                       : failure == Failure::TIMEOUT ? " takes too long"
                       : failure == Failure::MISUSE  ? " does what it must not"
                                                     : " wrote to memory that is not its own";
    result.report = std::string("kernel ") + launch.entry->name + " of module " + launch.entry->module->key + what;
  }
  if (reports++ < MOST_REPORTS) result.report += "\n  " + report;
  hasFailed = true;
  changed.notify_all();
}

Outcome Grid::outcome() {
  acquireAt(endSync());
  std::lock_guard<std::mutex> lock(mutex);
  return result;
}

bool Grid::barrier(Block &block) {
  bool open = false;
  {
    std::unique_lock<std::mutex> lock(mutex);
    unsigned before = phase;
    waiting++;
    judge();
    open = changed.wait_until(lock, end, [&] { return phase != before || hasFailed; });
    if (phase != before) return true;
  }
  if (open && !failed()) return true;
  // Others have failed, or nobody comes.
  fail(open ? Failure::DEADLOCK : Failure::TIMEOUT, block.whereabouts());
  return false;
}

void Grid::blockEnded() {
  std::lock_guard<std::mutex> lock(mutex);
  ended++;
  judge();
}

// Opens the barrier if all blocks are at it, and sees when some never will.
void Grid::judge() {
  if (waiting == 0 || waiting + ended != blocks) return;
  if (ended == 0) {
    waiting = 0;
    phase++;
  } else if (result.failure == Failure::NONE) {
    result.failure = Failure::DEADLOCK;
    result.report = std::string("kernel ") + launch.entry->name + " of module " + launch.entry->module->key +
                    " has a deadlock\n  " + std::to_string(waiting) + " blocks wait at the grid barrier, " +
                    std::to_string(ended) + " have ended";
    hasFailed = true;
  }
  changed.notify_all();
}

Outcome run(const Launch &launch) {
  Grid grid(launch);
  int size = launch.entry->module->cluster;
  int64_t units = grid.blocks / size;
  Order order(units, grid.seed);
  int64_t atOnce = launch.cooperative ? units : std::min<int64_t>(units, std::max(1, settings().threads / size));
#if defined(UNROLL_CUDASIM_TSAN)
  runInWaves(grid, units, static_cast<int>(atOnce), size, order);
#else
  if (size > 1 || launch.cooperative) {
    runInWaves(grid, units, static_cast<int>(atOnce), size, order);
  } else {
    runOneByOne(grid, units, static_cast<int>(atOnce), order);
  }
#endif
  return grid.outcome();
}

}  // namespace cudasim
}  // namespace unroll
