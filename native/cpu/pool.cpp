#include "pool.h"

#include "subnormals.h"

namespace unroll {
namespace {

// How often an idle thread looks for work before it sleeps: some hundreds of microseconds, more than
// lies between two parallel parts of a training step, because waking it takes its caller ten.
const int SPINS_BEFORE_SLEEP = 20000;
// How often a waiting thread looks before it offers its core to others, which may be the ones that
// it waits for; a few microseconds.
const int SPINS_BEFORE_YIELD = 200;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

inline void relax(int round) {
  if (round < SPINS_BEFORE_YIELD) {
    relax();
  } else {
    std::this_thread::yield();
  }
}

}  // namespace

Pool::Pool(int threads) : count(threads) {
  for (int worker = 1; worker < threads; worker++) {
    workers.emplace_back([this, worker] { work(worker); });
  }
}

Pool::~Pool() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    closed = true;
  }
  wake.notify_all();
  for (std::thread &worker : workers) worker.join();
}

void Pool::start(int jobParts, Call function, const void *of) {
  call.store(function, std::memory_order_relaxed);
  body.store(of, std::memory_order_relaxed);
  parts.store(jobParts, std::memory_order_relaxed);
  unfinished.store(jobParts, std::memory_order_relaxed);
  uint64_t job = (ticket.load(std::memory_order_relaxed) >> 32) + 1;
  ticket.store(job << 32 | static_cast<uint32_t>(jobParts), std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) > 0) {
    std::lock_guard<std::mutex> lock(mutex);
    wake.notify_all();
  }
  takeParts(0);
  for (int i = 0; unfinished.load(std::memory_order_acquire) > 0; i++) relax(i);
}

void Pool::work(int worker) {
  SubnormalsAreZero mode;
  int idle = 0;
  while (!closed.load(std::memory_order_relaxed)) {
    if (takeParts(worker)) {
      idle = 0;
    } else if (++idle < SPINS_BEFORE_SLEEP) {
      relax();
    } else {
      std::unique_lock<std::mutex> lock(mutex);
      sleepers.fetch_add(1, std::memory_order_seq_cst);
      wake.wait(lock, [this] {
        return closed || static_cast<uint32_t>(ticket.load(std::memory_order_seq_cst)) > 0;
      });
      sleepers.fetch_sub(1, std::memory_order_relaxed);
      idle = 0;
    }
  }
}

bool Pool::takeParts(int worker) {
  bool any = false;
  for (uint64_t now = ticket.load(std::memory_order_acquire); static_cast<uint32_t>(now) > 0;) {
    Call function = call.load(std::memory_order_relaxed);
    const void *of = body.load(std::memory_order_relaxed);
    int part = parts.load(std::memory_order_relaxed) - static_cast<int>(static_cast<uint32_t>(now));
    if (ticket.compare_exchange_weak(now, now - 1, std::memory_order_acq_rel)) {
      any = true;
      function(of, part, worker);
      unfinished.fetch_sub(1, std::memory_order_acq_rel);
      now = ticket.load(std::memory_order_acquire);
    }
  }
  return any;
}

void Barrier::wait(int threads) {
  unsigned current = round.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) == threads - 1) {
    arrived.store(0, std::memory_order_relaxed);
    round.store(current + 1, std::memory_order_release);
    return;
  }
  for (int i = 0; round.load(std::memory_order_acquire) == current; i++) relax(i);
}

}  // namespace unroll
