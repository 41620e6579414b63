// Tests the simulation, and by it the kernels, without Java.
//   self_test            all of it
//   self_test --fault N  runs the kernel with a planted fault once, for ThreadSanitizer to see it: 0 to 6
//   self_test --overrun  writes past the end of an allocation, for AddressSanitizer to see it
#include <cstdio>
#include <cstdlib>

#include "../runtime/fiber.h"
#include "driver.h"

using namespace unroll::test;

namespace {

int commit(int fault) {
  bool right;
  if (fault == 6) {
    Session session;
    right = ringRunsRight("cluster-CLUSTER=4-NO_WAIT=1");
  } else {
    right = runsRight(fault);
  }
  std::printf("the results are %s\n", right ? "right" : "wrong");
  return failures() > 0 ? 1 : 0;
}

int overrun() {
  Session session;
  Device<float> out(10, 0);
  CALL(launch(function("exchange", "write_kernel"), {1, 1024}, out.at(), int64_t{10}, 0, int64_t{0}));
  CALL(cuCtxSynchronize());
  return failures() > 0 ? 1 : 0;
}

}  // namespace

int main(int count, char **arguments) {
  if (count == 3 && std::strcmp(arguments[1], "--fault") == 0) return commit(std::atoi(arguments[2]));
  if (count == 2 && std::strcmp(arguments[1], "--overrun") == 0) return overrun();
  if (count > 1) {
    std::fprintf(stderr, "usage: self_test [--fault N | --overrun]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("fibers by %s\n", unroll::cudasim::FIBER_KIND);
  struct {
    const char *name;
    void (*test)();
  } tests[] = {{"exchange", testExchange},
               {"reports", testReports},
               {"driver", testDriver},
               {"graphs", testGraphs},
               {"elements", testElements},
               {"reductions", testReductions},
               {"CTC", testCtc},
               {"gemm", testGemm},
               {"recurrences", testRecurrences},
               {"hand-offs", testHandoffs},
#if !defined(UNROLL_CUDASIM_TSAN)
               {"faults", testFaults},
#endif
  };
  for (const auto &each : tests) {
    std::printf("%s\n", each.name);
    each.test();
  }
  if (failures() > 0) std::fprintf(stderr, "%d failures\n", failures());
  return failures() > 0 ? 1 : 0;
}
