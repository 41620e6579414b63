// The hand-offs of kernels/cuda/handoff.h, by the kernels that measure them, and what the device does with clusters,
// short memory and those that may not use it.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "../runtime/settings.h"
#include "driver.h"

namespace unroll {
namespace test {
namespace {

const unsigned PUBLISHED = 8, STEPS = 6;

// A slot of a watch, in memory of the host.
struct Watch {
  explicit Watch(uint64_t nanoseconds) {
    void *memory = nullptr;
    CALL(cuMemHostAlloc(&memory, 2 * sizeof(uint64_t), 0));
    words = static_cast<uint64_t *>(memory);
    words[0] = 0;
    words[1] = nanoseconds;
  }
  ~Watch() { cuMemFreeHost(words); }
  Watch(const Watch &) = delete;
  uint64_t *words;
};

const uint64_t LONG = 60000000000, SHORT = 50000000;

std::vector<unsigned> published(unsigned groups) {
  unsigned count = PUBLISHED * groups;
  std::vector<unsigned> words(count), sums(GROUP, 0);
  for (unsigned i = 0; i < count; i++) words[i] = i;
  for (unsigned step = 0; step < STEPS; step++) {
    std::vector<unsigned> taken(GROUP, 0);
    for (unsigned i = 0; i < count; i++) taken[i % GROUP] += words[i];
    for (unsigned lane = 0; lane < GROUP; lane++) sums[lane] = 3 * sums[lane] + taken[lane];
    for (unsigned i = 0; i < count; i++) words[i] = taken[i % PUBLISHED] + 1;
  }
  return sums;
}

bool isEverywhere(const Device<unsigned> &out, const std::vector<unsigned> &expected) {
  std::vector<unsigned> found = out.read();
  for (size_t i = 0; i < found.size(); i++) {
    if (found[i] != expected[i % expected.size()]) return false;
  }
  return true;
}

bool wordsRunRight(unsigned groups, int off, Watch &watch) {
  Device<uint64_t> words(2 * PUBLISHED * groups, 0);
  Device<unsigned> out(groups * GROUP, 0);
  CALL(launch(function("ceilings", "words_kernel"), {groups, 0, true}, words.at(), out.at(), watch.words, 1, off,
              int64_t{STEPS}));
  CALL(cuCtxSynchronize());
  return isEverywhere(out, published(groups));
}

bool flagsRunRight(unsigned groups, int off, Watch &watch) {
  Device<unsigned> words(2 * PUBLISHED * groups, 0), flags(groups, 0), out(groups * GROUP, 0);
  CALL(launch(function("ceilings", "flags_kernel"), {groups, 0, true}, words.at(), flags.at(), out.at(), watch.words, 1,
              off, int64_t{STEPS}));
  CALL(cuCtxSynchronize());
  return isEverywhere(out, published(groups));
}

const unsigned CLUSTER = 4, SHARE = GROUP / CLUSTER;

bool clusterRunsRight(bool async, int off, Watch &watch) {
  Device<unsigned> out(CLUSTER * GROUP, 0);
  if (async) {
    CALL(launch(function("clusters-CLUSTER=4", "async_kernel"), {CLUSTER}, out.at(), watch.words, off, int64_t{STEPS}));
  } else {
    CALL(launch(function("clusters-CLUSTER=4", "sync_kernel"), {CLUSTER}, out.at(), off, int64_t{STEPS}));
  }
  CALL(cuCtxSynchronize());
  std::vector<unsigned> values(CLUSTER * GROUP), next(CLUSTER * GROUP);
  for (unsigned i = 0; i < values.size(); i++) values[i] = i;
  for (unsigned step = 0; step < STEPS; step++) {
    for (unsigned i = 0; i < values.size(); i++) {
      unsigned rank = i / GROUP, lane = i % GROUP;
      next[i] = values[lane / SHARE * GROUP + rank + CLUSTER * (lane % SHARE)] + 1;
    }
    values.swap(next);
  }
  return isEverywhere(out, values);
}

void testRight() {
  Watch watch(LONG);
  for (unsigned groups : {1u, 2u, 5u}) {
    about("hand-offs between %u groups", groups);
    if (!wordsRunRight(groups, 0, watch)) fail("words with their steps are wrong");
    if (!flagsRunRight(groups, 0, watch)) fail("words behind flags are wrong");
  }
  about("hand-offs in a cluster");
  if (!clusterRunsRight(false, 0, watch)) fail("words before a barrier of the cluster are wrong");
  if (!clusterRunsRight(true, 0, watch)) fail("words that an mbarrier counts are wrong");
  compare("what went wrong", 0, static_cast<double>(watch.words[0]), 0, 0);
}

void testGivingUp(const char *what, uint64_t handoff, const std::function<bool(Watch &)> &run) {
  about("%s that never come", what);
  Watch watch(SHORT);
  if (run(watch)) fail("the results are right");
  uint64_t found = watch.words[0];
  compare("hand-off", 0, static_cast<double>(found >> 56), static_cast<double>(handoff + 1), 0);
  if ((found >> 32 & 0xffffff) >= CLUSTER || (found & 0xffffffff) > 2) {
    fail("no such group or step: %llx", static_cast<unsigned long long>(found));
  }
}

void testClusterSizes() {
  about("clusters of more than 8 groups");
  Device<unsigned> out(16, 0);
  void *kernel = function("clusters-CLUSTER=16", "rank_kernel");
  CALL_GIVES(912, launch(kernel, {16}, out.at(), int64_t{16}));
  CALL(cuFuncSetAttribute(kernel, 14, 1));
  CALL(launch(kernel, {16}, out.at(), int64_t{16}));
  CALL(cuCtxSynchronize());
  std::vector<unsigned> found = out.read();
  for (unsigned i = 0; i < 16; i++) compare("rank", static_cast<int>(i), found[i], i + 1600, 0);
}

void testTakenMemory() {
  about("memory that others hold");
  cudasim::Settings before = cudasim::settings();
  cudasim::settings().takenBytes = before.memoryBytes - (1 << 20);
  uint64_t address = 0;
  size_t free = 0, total = 0;
  CALL(cuMemGetInfo_v2(&free, &total));
  compare("free", 0, static_cast<double>(free), 1 << 20, 0);
  compare("total", 0, static_cast<double>(total), static_cast<double>(before.memoryBytes), 0);
  CALL_GIVES(2, cuMemAlloc_v2(&address, 2 << 20));
  CALL(cuMemAlloc_v2(&address, 1 << 19));
  CALL(cuMemFree_v2(address));
  cudasim::settings() = before;
}

void testModes() {
  about("modes of the device");
  cudasim::Settings before = cudasim::settings();
  void *context = nullptr;
  int mode = 0;
  cudasim::settings().mode = cudasim::Mode::NOBODY;
  CALL(cuDeviceGetAttribute(&mode, 20, 0));
  compare("mode", 0, mode, 2, 0);
  CALL_GIVES(46, cuDevicePrimaryCtxRetain(&context, 0));
  std::string lock = "/tmp/cudasim-self-test-" + std::to_string(getpid());
  int other = open(lock.c_str(), O_RDWR | O_CREAT, 0600);
  if (flock(other, LOCK_EX | LOCK_NB) != 0) fail("%s cannot be locked", lock.c_str());
  cudasim::settings().mode = cudasim::Mode::EXCLUSIVE;
  cudasim::settings().lock = lock.c_str();
  CALL_GIVES(46, cuDevicePrimaryCtxRetain(&context, 0));
  close(other);
  CALL(cuDevicePrimaryCtxRetain(&context, 0));
  CALL(cuDevicePrimaryCtxRelease_v2(0));
  unlink(lock.c_str());
  cudasim::settings() = before;
}

}  // namespace

void testHandoffs() {
  testModes();
  Session session;
  testRight();
  if (!QUICK) {
    testGivingUp("words", 0, [](Watch &watch) { return wordsRunRight(3, -1, watch); });
    testGivingUp("flags", 1, [](Watch &watch) { return flagsRunRight(3, -1, watch); });
    testGivingUp("bytes", 0, [](Watch &watch) { return clusterRunsRight(true, -1, watch); });
  }
  testClusterSizes();
  testTakenMemory();
}

}  // namespace test
}  // namespace unroll
