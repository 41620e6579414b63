// cp.async, clusters and mbarriers. Instrumented by ThreadSanitizer, unlike the scheduler: what is copied
// here, the kernel's thread has copied.
#include <chrono>

#include "block.h"
#include "settings.h"

namespace unroll {
namespace cudasim {

namespace {

void carryOut(const Copy &copy) {
  std::memcpy(copy.to, copy.from, static_cast<size_t>(copy.given));
  std::memset(static_cast<char *>(copy.to) + copy.given, 0, static_cast<size_t>(copy.bytes - copy.given));
}

void misuse(const char *what) { here().grid.fail(Failure::MISUSE, what); }

// An mbarrier's word: the phase in bit 0, then 20 bits of arrivals that a phase waits for, 20 of those that it
// still waits for, and the bytes that are still to come, signed because they may come before their announcement.
const unsigned MOST_ARRIVALS = (1u << 20) - 1;

uint64_t packed(uint64_t phase, uint64_t wanted, uint64_t pending, int64_t bytes) {
  return phase | wanted << 1 | pending << 21 | static_cast<uint64_t>(bytes) << 41;
}

// Takes arrivals and bytes off what the phase waits for, and begins the next if nothing is left.
void change(unsigned long long *barrier, unsigned arrivals, int64_t bytesToCome) {
  published(barrier);
  unsigned long long before = __atomic_load_n(barrier, __ATOMIC_RELAXED), after;
  do {
    uint64_t phase = before & 1, wanted = before >> 1 & MOST_ARRIVALS, pending = before >> 21 & MOST_ARRIVALS;
    int64_t bytes = (static_cast<int64_t>(before) >> 41) + bytesToCome;
    if (pending < arrivals) misuse("more arrivals at an mbarrier than it was made for");
    pending -= arrivals;
    after = pending == 0 && bytes == 0 ? packed(phase ^ 1, wanted, wanted, 0) : packed(phase, wanted, pending, bytes);
  } while (!__atomic_compare_exchange_n(barrier, &before, after, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

void deliver(const Cluster::Store &store) {
  std::memcpy(store.to, &store.value, static_cast<size_t>(store.bytes));
  change(store.barrier, 0, -store.bytes);
}

// A store that waits to be delivered to this block's barrier, if there is one.
bool deliverOne(unsigned long long *barrier) {
  Cluster &cluster = *here().cluster;
  Cluster::Store store;
  {
    std::lock_guard<std::mutex> lock(cluster.mutex);
    size_t i = 0;
    while (i < cluster.stores.size() && cluster.stores[i].barrier != barrier) i++;
    if (i == cluster.stores.size()) return false;
    store = cluster.stores[i];
    cluster.stores[i] = cluster.stores.back();
    cluster.stores.pop_back();
  }
  deliver(store);
  return true;
}

}  // namespace

void copyAsync(void *to, const void *from, int bytes, int given) {
  Copy copy{to, from, bytes, given, self().group};
  if (reinterpret_cast<uintptr_t>(to) % static_cast<unsigned>(bytes) != 0 ||
      reinterpret_cast<uintptr_t>(from) % static_cast<unsigned>(bytes) != 0) {
    misuse("cp.async between addresses that are no multiples of its size");
  } else if (settings().late) {
    self().copies.push_back(copy);
  } else {
    carryOut(copy);
  }
}

void commitCopies() { self().group++; }

void waitForCopies(int keep) {
  Thread &thread = self();
  size_t kept = 0;
  for (const Copy &copy : thread.copies) {
    if (copy.group < thread.group - keep) {
      carryOut(copy);
    } else {
      thread.copies[kept++] = copy;
    }
  }
  thread.copies.resize(kept);
}

void Cluster::enter(Block *block) {
  std::unique_lock<std::mutex> lock(mutex);
  blocks[static_cast<size_t>(block->rank)] = block;
  if (++entered == size()) changed.notify_all();
  changed.wait(lock, [this] { return entered == size(); });
}

void Cluster::leave() {
  std::unique_lock<std::mutex> lock(mutex);
  if (++left == size()) changed.notify_all();
  changed.wait(lock, [this] { return left == size(); });
}

unsigned long long nanoseconds() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<unsigned long long>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

unsigned clusterRank() { return static_cast<unsigned>(here().rank); }
unsigned clusterSize() { return static_cast<unsigned>(here().cluster->size()); }

// A phase has a place of its own for what it orders, as the next may begin before all have left.
void arriveAtCluster() {
  Cluster &cluster = *here().cluster;
  unsigned phase = self().clusterPhase++;
  published(&cluster.sync[phase % 2]);
  std::lock_guard<std::mutex> lock(cluster.mutex);
  if (++cluster.arrived == cluster.size() * here().grid.threads) {
    cluster.arrived = 0;
    cluster.phase++;
  }
}

void waitForCluster() {
  Cluster &cluster = *here().cluster;
  unsigned phase = self().clusterPhase - 1;
  while (cluster.phase.load() == phase) spin();
  observed(&cluster.sync[phase % 2]);
}

void *inPeer(const void *place, unsigned rank) {
  Block &own = here();
  if (rank >= clusterSize()) {
    misuse("a cluster has no block of that rank");
    rank = 0;
  }
  Block &peer = *own.cluster->blocks[rank];
  const auto *at = static_cast<const unsigned char *>(place);
  const unsigned char *dynamic = own.own.dynamic();
  if (at >= dynamic && at < dynamic + own.grid.launch.dynamicBytes) return peer.own.dynamic() + (at - dynamic);
  if (at >= own.shared && at < own.shared + own.grid.launch.entry->module->sharedBytes) {
    return peer.shared + (at - own.shared);
  }
  misuse("the address that is wanted of a peer is not in shared memory");
  return const_cast<void *>(place);
}

void initBarrier(unsigned long long *barrier, unsigned arrivals) {
  if (arrivals == 0 || arrivals > MOST_ARRIVALS) misuse("an mbarrier of no or too many arrivals");
  __atomic_store_n(barrier, packed(0, arrivals, arrivals, 0), __ATOMIC_RELEASE);
}

void arriveAtBarrier(unsigned long long *barrier, unsigned announcedBytes) {
  if (announcedBytes != 0) change(barrier, 0, announcedBytes);
  change(barrier, 1, 0);
}

bool tryBarrier(unsigned long long *barrier, unsigned parity) {
  if ((__atomic_load_n(barrier, __ATOMIC_ACQUIRE) & 1) != (parity & 1)) {
    observed(barrier);
    return true;
  }
  if (!deliverOne(barrier)) spin();
  return false;
}

void storeAsync(void *to, uint64_t value, int bytes, unsigned long long *barrier) {
  Cluster::Store store{to, value, bytes, barrier};
  if (!settings().late) {
    deliver(store);
    return;
  }
  published(barrier);
  Cluster &cluster = *here().cluster;
  std::lock_guard<std::mutex> lock(cluster.mutex);
  cluster.stores.push_back(store);
}

}  // namespace cudasim
}  // namespace unroll
