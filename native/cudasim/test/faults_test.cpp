// Faults of synchronization that are planted in a kernel: each must show.
#include <cmath>
#include <cstdio>

#include "../runtime/settings.h"
#include "driver.h"

namespace unroll {
namespace test {
namespace {

const int ROWS = 16, STEPS = 6, GROUPS = 3, HIDDEN = 64 * GROUPS;

float rounded(double x, uint16_t *bits) {
  auto single = static_cast<float>(x);
  uint32_t word;
  std::memcpy(&word, &single, sizeof word);
  word = (word + 0x7fff + (word >> 16 & 1)) >> 16;
  if (bits != nullptr) *bits = static_cast<uint16_t>(word);
  word <<= 16;
  std::memcpy(&single, &word, sizeof single);
  return single;
}

struct Problem {
  std::vector<uint16_t> weights = std::vector<uint16_t>(HIDDEN * HIDDEN);
  std::vector<float> x, last = std::vector<float>(ROWS * HIDDEN), squares = std::vector<float>(STEPS);

  // In float64, with h rounded to bf16 as the kernel does.
  Problem() {
    Random random(3);
    std::vector<float> w(HIDDEN * HIDDEN);
    for (size_t i = 0; i < w.size(); i++) w[i] = rounded(random.real() / std::sqrt(HIDDEN) * 1.7, &weights[i]);
    x = numbers(static_cast<size_t>(STEPS) * ROWS * HIDDEN, random);
    std::vector<double> h(ROWS * HIDDEN, 0), next(ROWS * HIDDEN);
    for (int t = 0; t < STEPS; t++) {
      double square = 0;
      for (int i = 0; i < ROWS * HIDDEN; i++) {
        double sum = x[static_cast<size_t>(t * ROWS * HIDDEN + i)];
        for (int k = 0; k < HIDDEN; k++) {
          sum += h[static_cast<size_t>(i / HIDDEN * HIDDEN + k)] * w[static_cast<size_t>(i % HIDDEN * HIDDEN + k)];
        }
        double value = std::tanh(sum);
        square += value * value;
        last[static_cast<size_t>(i)] = static_cast<float>(value);
        next[static_cast<size_t>(i)] = rounded(value, nullptr);
      }
      squares[static_cast<size_t>(t)] = static_cast<float>(square);
      h = next;
    }
  }
};

// A value just between two of bf16 may be rounded either way.
bool near(float found, float expected, double tolerance) { return std::fabs(found - expected) <= tolerance; }

struct Way {
  const char *name;
  uint64_t seed;
  bool late;
};
const Way WAYS[] = {{"in order", 0, false}, {"seed 1", 1, false}, {"seed 2", 2, false}, {"seed 3", 3, false},
                    {"late arrival", 0, true}};

template <class Run>
int seen(const char *fault, Run runsRight) {
  int times = 0;
  const cudasim::Settings before = cudasim::settings();
  std::printf("  %s: seen", fault);
  for (const Way &way : WAYS) {
    cudasim::settings().seed = way.seed;
    cudasim::settings().late = way.late;
    if (runsRight()) continue;
    std::printf("%s %s", times++ == 0 ? "" : ",", way.name);
  }
  std::printf("%s\n", times == 0 ? " by nothing" : "");
  cudasim::settings() = before;
  return times;
}

}  // namespace

bool runsRight(int fault) {
  static const Problem problem;
  Session session;
  Device<uint16_t> weights(problem.weights), h(2 * ROWS * HIDDEN, 0);
  Device<float> x(problem.x), last(ROWS * HIDDEN, NOTHING), squares(STEPS, 0);
  std::string module = "rnn-FAULT=" + std::to_string(fault);
  CALL(launch(function(module, "rnn_kernel"), {GROUPS, ROWS * (HIDDEN + 8) * 2, true}, weights.at(), x.at(), h.at(),
              last.at(), squares.at(), HIDDEN, STEPS, int64_t{0}));
  CALL(cuCtxSynchronize());
  std::vector<float> foundLast = last.read(), foundSquares = squares.read();
  bool right = true;
  for (size_t i = 0; i < foundLast.size(); i++) right = right && near(foundLast[i], problem.last[i], 0.01);
  for (size_t i = 0; i < foundSquares.size(); i++) {
    right = right && near(foundSquares[i], problem.squares[i], 1e-3 * problem.squares[i]);
  }
  return right;
}

void testFaults() {
  const char *const names[] = {"none", "1 no barrier behind the copies", "2 no barrier before a sum",
                               "3 copies are not waited for", "4 a group's barrier in place of all groups'",
                               "5 no barrier before a sum of the last lane"};
  about("planted faults");
  for (int fault = 0; fault <= 5; fault++) {
    int times = seen(names[fault], [&] { return runsRight(fault); });
    if (fault == 0 && times > 0) fail("the kernel without a fault is wrong in %d ways of running it", times);
    if (fault > 0 && times == 0) fail("nothing shows the fault \"%s\"", names[fault]);
  }
  int times = seen("6 st.async is not waited for", [] {
    Session session;
    return ringRunsRight("cluster-CLUSTER=4-NO_WAIT=1");
  });
  if (times == 0) fail("nothing shows that st.async is not waited for");
}

}  // namespace test
}  // namespace unroll
