#include "workers.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace unroll {
namespace cudasim {

#if defined(UNROLL_CUDASIM_TSAN)

void together(int count, const std::function<void(int)> &job) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; i++) threads.emplace_back([&job, i] { job(i); });
  for (std::thread &thread : threads) thread.join();
}

#else

namespace {

// Jobs that a call of together waits for.
struct Crew {
  std::mutex mutex;
  std::condition_variable done;
  int working;
};

class Worker {
 public:
  void give(std::function<void()> work) {
    std::lock_guard<std::mutex> lock(mutex);
    job = std::move(work);
    given.notify_one();
  }

  void loop() {
    for (;;) {
      std::function<void()> work;
      {
        std::unique_lock<std::mutex> lock(mutex);
        given.wait(lock, [this] { return job != nullptr; });
        work = std::move(job);
        job = nullptr;
      }
      work();
    }
  }

 private:
  std::mutex mutex;
  std::condition_variable given;
  std::function<void()> job;
};

std::mutex idleMutex;
// Never freed: the workers wait in it when the process ends.
std::vector<Worker *> &idle() {
  static auto *all = new std::vector<Worker *>;
  return *all;
}

Worker *take() {
  std::lock_guard<std::mutex> lock(idleMutex);
  if (idle().empty()) {
    auto *made = new Worker;
    std::thread([made] { made->loop(); }).detach();
    return made;
  }
  Worker *taken = idle().back();
  idle().pop_back();
  return taken;
}

void putBack(Worker *worker) {
  std::lock_guard<std::mutex> lock(idleMutex);
  idle().push_back(worker);
}

}  // namespace

void together(int count, const std::function<void(int)> &job) {
  Crew crew;
  crew.working = count - 1;
  for (int i = 1; i < count; i++) {
    Worker *worker = take();
    worker->give([&crew, &job, i, worker] {
      job(i);
      putBack(worker);
      std::lock_guard<std::mutex> lock(crew.mutex);
      if (--crew.working == 0) crew.done.notify_one();
    });
  }
  job(0);
  std::unique_lock<std::mutex> lock(crew.mutex);
  crew.done.wait(lock, [&crew] { return crew.working == 0; });
}

#endif

}  // namespace cudasim
}  // namespace unroll
