#include <atomic>
#include <vector>

#include "check.h"

namespace unroll {
namespace test {
namespace {

// Every part runs once, and no two at the same time under one worker's number.
void runEveryPartOnce(Pool &pool, int parts) {
  std::vector<int> runs(static_cast<size_t>(parts));  // plain: ThreadSanitizer would see a race
  std::vector<std::atomic<int>> busy(static_cast<size_t>(pool.threads()));
  std::atomic<int> shared{0};
  pool.run(parts, [&](int part, int worker) {
    if (worker < 0 || worker >= pool.threads() || busy[static_cast<size_t>(worker)]++ != 0) shared++;
    runs[static_cast<size_t>(part)]++;
    busy[static_cast<size_t>(worker)]--;
  });
  for (int part = 0; part < parts; part++) {
    int times = runs[static_cast<size_t>(part)];
    if (times != 1) fail("part %d of %d ran %d times", part, parts, times);
  }
  if (shared != 0) fail("two parts of %d had one worker", parts);
}

// With no more parts than threads all run at once: each waits for all others, again and again.
void waitForOneAnother(Pool &pool) {
  const int rounds = 200;
  int threads = pool.threads();
  Barrier barrier;
  std::vector<int> at(static_cast<size_t>(threads));
  std::atomic<int> late{0};
  pool.run(threads, [&](int part, int) {
    for (int round = 1; round <= rounds; round++) {
      at[static_cast<size_t>(part)] = round;
      barrier.wait(threads);
      for (int other : at) {
        if (other != round) late++;
      }
      barrier.wait(threads);
    }
  });
  if (late != 0) fail("%d times a thread was past the barrier before another was there", late.load());
}

}  // namespace

void testPool() {
  Random random(1);
  for (int threads = 1; threads <= 4; threads++) {
    about("pool of %d", threads);
    Pool pool(threads);
    for (int i = 0; i < 2000; i++) runEveryPartOnce(pool, random.below(i % 100 == 0 ? 1000 : 9));
    waitForOneAnother(pool);
  }
  about("pools that end at once");
  for (int i = 0; i < 50; i++) Pool pool(1 + i % 4);
}

void testMemory() {
  about("memory");
  for (int64_t bytes : {1, 64, 65, 4096, (2 << 20) - 1, 2 << 20, (2 << 20) + 1}) {
    void *memory = allocate(bytes);
    if (memory == nullptr || reinterpret_cast<uintptr_t>(memory) % 64 != 0) {
      fail("%lld bytes lie at %p", static_cast<long long>(bytes), memory);
    }
    release(memory);
  }
  Scratch scratch;
  float *small = scratch.floats(10);
  if (scratch.floats(5) != small) fail("scratch memory moved when less was asked for");
  float *large = scratch.floats(100000);
  large[99999] = 1;
}

}  // namespace test
}  // namespace unroll
