// What goes wrong in a launch ends in an error and not in a process.
#include <cmath>

#include "../runtime/grid.h"
#include "../runtime/modules.h"
#include "../runtime/settings.h"
#include "driver.h"

namespace unroll {
namespace test {
namespace {

using cudasim::Failure;

void expectReport(const cudasim::Outcome &outcome, Failure failure, const char *part) {
  if (outcome.failure != failure) {
    fail("the launch ended as %d, not %d: %s", static_cast<int>(outcome.failure), static_cast<int>(failure),
         outcome.report.c_str());
  }
  if (outcome.report.find(part) == std::string::npos) {
    fail("the report has no \"%s\": %s", part, outcome.report.c_str());
  }
}

cudasim::Outcome runStuck(int how, unsigned groups, bool cooperative) {
  const cudasim::Entry *entry = cudasim::findEntry(*cudasim::findModule("exchange"), "stuck_kernel");
  unsigned flag = 0, *at = &flag;
  int64_t items = 0;
  void *arguments[] = {&at, &how, &items};
  return cudasim::run({entry, {groups, 1, 1}, {GROUP, 1, 1}, 0, cooperative, arguments});
}

void testDeadlocks() {
  about("a kernel whose lanes wait at different barriers");
  cudasim::Outcome apart = runStuck(0, 2, true);
  expectReport(apart, Failure::DEADLOCK, "kernel stuck_kernel of module exchange");
  expectReport(apart, Failure::DEADLOCK, "156 at __syncthreads, 100 at the grid barrier");
  about("a kernel that one group leaves before the barrier of all");
  expectReport(runStuck(1, 3, true), Failure::DEADLOCK, "2 blocks wait at the grid barrier, 1 have ended");
  about("a grid barrier without a cooperative launch");
  expectReport(runStuck(1, 1 + 1, false), Failure::MISUSE, "not cooperative");
  about("lanes that wait for different lanes");
  expectReport(runStuck(3, 1, false), Failure::DEADLOCK, "1 for lanes of their warp");
  about("lanes that meet in different operations");
  expectReport(runStuck(4, 1, false), Failure::MISUSE, "meet in different operations");
  about("a wait for what never comes");
  cudasim::settings().timeout = 0.2;
  expectReport(runStuck(2, 2, false), Failure::TIMEOUT, "1 wait in a loop");
  cudasim::settings().timeout = 60;
}

// Through the driver: the launch itself is accepted, and the next wait tells; then the context is lost.
void testLostContext() {
  about("a context after a deadlock");
  Session session;
  void *stuck = function("exchange", "stuck_kernel");
  Device<unsigned> flag(1, 0);
  CALL(launch(stuck, {2, 0, true}, flag.at(), 0, int64_t{0}));
  CALL_GIVES(719, cuCtxSynchronize());
  uint64_t address;
  CALL_GIVES(719, cuMemAlloc_v2(&address, 4));
  CALL_GIVES(719, cuCtxSynchronize());
}

#if defined(__SANITIZE_ADDRESS__)
// That one ends the process at the access.
void testFences() {}
#else
void testFences() {
  about("memory that is not the kernel's own");
  struct {
    int64_t at;
    int sharedAt;
    int result;
  } cases[] = {{0, 0, 0}, {9, 255, 0}, {10, 0, 700}, {-1, 0, 700}, {0, 256, 700}, {0, -1, 700}};
  for (const auto &each : cases) {
    Session session;
    void *write = function("exchange", "write_kernel");
    Device<float> out(10, 0);
    CALL(launch(write, {1, 1024}, out.at(), each.at, each.sharedAt, int64_t{0}));
    CALL_GIVES(each.result, cuCtxSynchronize());
  }
  Session session;
  uint64_t address;
  CALL(cuMemAlloc_v2(&address, 40));
  CALL(launch(function("exchange", "write_kernel"), {1, 1024}, address, int64_t{10}, 0, int64_t{0}));
  CALL_GIVES(700, cuMemFree_v2(address));
}
#endif

// What is read before it is written is no number.
void testPoison() {
  about("fresh memory");
  Session session;
  uint64_t address;
  float values[10];
  CALL(cuMemAlloc_v2(&address, sizeof values));
  CALL(cuMemcpyDtoH_v2(values, address, sizeof values));
  for (int i = 0; i < 10; i++) compare("fresh", i, values[i], NAN, 0);
  // A group's memory as well, also where another group has written before.
  Device<float> out(2, 0);
  for (int round = 0; round < 2; round++) {
    CALL(launch(function("exchange", "fresh_kernel"), {1, 64}, out.at(), int64_t{0}));
    std::vector<float> found = out.read();
    compare("dynamic", 0, found[0], NAN, 0);
    compare("static", 1, found[1], NAN, 0);
  }
}

}  // namespace

void testReports() {
  testDeadlocks();
  testLostContext();
  testFences();
  testPoison();
}

}  // namespace test
}  // namespace unroll
