// Prints the float32 multiply-adds that a number of threads can do, in GFLOP/s:
//   g++ -O3 -march=native -ffp-contract=fast -pthread fma_peak.cpp -o fma_peak && ./fma_peak 2
// Accumulators stay in registers. The compiler must not know the constants, or it would compute
// the loop itself; nothing else is hidden from it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int kWidth = 16;
constexpr int kAccumulators = 16;
#elif defined(__AVX__)
constexpr int kWidth = 8;
constexpr int kAccumulators = 12;
#else
constexpr int kWidth = 4;
constexpr int kAccumulators = 16;
#endif

#if defined(__x86_64__)
#define HIDE(value) asm volatile("" : "+x"(value))
#else
#define HIDE(value) asm volatile("" : "+w"(value))
#endif

typedef float Vector __attribute__((vector_size(kWidth * sizeof(float))));
using Clock = std::chrono::steady_clock;

static void multiplyAdd(long rounds) {
  Vector factor = Vector{} + 0.999f;
  Vector summand = Vector{} + 0.001f;
  HIDE(factor);
  HIDE(summand);
  Vector sums[kAccumulators];
  for (int i = 0; i < kAccumulators; i++) sums[i] = Vector{} + float(i);
  for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 16
    for (int i = 0; i < kAccumulators; i++) sums[i] = sums[i] * factor + summand;
  }
  for (int i = 0; i < kAccumulators; i++) HIDE(sums[i]);
}

static double secondsFor(int threads, long rounds) {
  auto begun = Clock::now();
  std::vector<std::thread> others;
  for (int t = 1; t < threads; t++) others.emplace_back(multiplyAdd, rounds);
  multiplyAdd(rounds);
  for (auto& other : others) other.join();
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

int main(int argc, char** argv) {
  int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  if (threads < 1) {
    std::fprintf(stderr, "usage: fma_peak THREADS, at least 1\n");
    return 2;
  }
  long rounds = 1 << 20;
  while (secondsFor(threads, rounds) < 0.05) rounds *= 2;
  double best = 0;
  for (int n = 0; n < 8; n++) {
    double operations = 2.0 * kWidth * kAccumulators * rounds * threads;
    best = std::max(best, operations / secondsFor(threads, rounds) / 1e9);
  }
  std::printf("{\"threads\": %d, \"floats\": %d, \"gflops\": %.1f}\n", threads, kWidth, best);
  return 0;
}
