// Threads that run the numbered parts of a job together with the calling thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace unroll {

// Whoever is free takes the next part, so a worker that wakes late finds nothing left and holds
// nobody up. Used by one caller at a time; a part must not run another job.
class Pool {
 public:
  // threads: how many compute, the caller included; at least 1.
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool &) = delete;

  int threads() const { return count; }

  // Calls body(part, worker) for every part in [0, parts) and returns when all are done. worker is
  // in [0, threads()) and names scratch memory that no other part uses meanwhile. With parts <=
  // threads() all parts run at the same time, so they may wait for one another.
  template <class Body>
  void run(int parts, const Body &body) {
    if (parts <= 1 || count == 1) {
      for (int part = 0; part < parts; part++) body(part, 0);
      return;
    }
    start(parts, [](const void *of, int part, int worker) {
      (*static_cast<const Body *>(of))(part, worker);
    }, &body);
  }

 private:
  using Call = void (*)(const void *body, int part, int worker);

  void start(int parts, Call call, const void *body);
  void work(int worker);
  bool takeParts(int worker);

  const int count;
  std::vector<std::thread> workers;

  // The job's number in the upper half, its untaken parts in the lower. A part is taken by a
  // compare-and-set, so whoever has one has read this job's values.
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<int> unfinished{0};
  std::atomic<Call> call{nullptr};
  std::atomic<const void *> body{nullptr};
  std::atomic<int> parts{0};

  alignas(64) std::atomic<int> sleepers{0};
  std::atomic<bool> closed{false};
  std::mutex mutex;
  std::condition_variable wake;
};

// Lets threads wait for one another, by spinning.
class Barrier {
 public:
  // Returns when so many threads have called it.
  void wait(int threads);

 private:
  alignas(64) std::atomic<int> arrived{0};
  alignas(64) std::atomic<unsigned> round{0};
};

}  // namespace unroll
