// What the native CPU library reaches, as a share of the multiply-adds that the same threads can do in
// registers, measured before and after in the same run: matrix products of all transpositions, and
// recurrences of all cells without their input product. For tuning, and for docs/performance.md.
//   speed [THREADS [CACHE_BYTES [ISA]]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "../cpu.h"

using namespace unroll;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Floats between -0.1 and 0.1 that free themselves.
class Floats {
 public:
  explicit Floats(int64_t count) : memory(static_cast<float *>(allocate(count * 4))) {
    unsigned state = 12345;
    for (int64_t i = 0; i < count; i++) {
      state = state * 1664525u + 1013904223u;
      memory[i] = (static_cast<float>(state >> 8) / 8388608.0f - 1.0f) * 0.1f;
    }
  }
  ~Floats() { release(memory); }
  Floats(const Floats &) = delete;
  float *get() const { return memory; }

 private:
  float *const memory;
};

// The median of GFLOP/s over a second of runs, at least seven.
double rate(double operations, const std::function<void()> &run) {
  std::vector<double> seconds;
  run();
  for (double total = 0; seconds.size() < 7 || total < 1; total += seconds.back()) {
    double begun = now();
    run();
    seconds.push_back(now() - begun);
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<long>(seconds.size() / 2), seconds.end());
  return operations / seconds[seconds.size() / 2] / 1e9;
}

typedef float Pack16 __attribute__((vector_size(16)));
typedef float Pack32 __attribute__((vector_size(32)));
typedef float Pack64 __attribute__((vector_size(64)));

// Multiplies and adds in registers, SUMS packs at once; returns the operations.
template <class Pack, int SUMS>
inline __attribute__((always_inline)) double multiplyAdd(long rounds) {
  Pack sum[SUMS], factor = Pack{} + 0.999f, addend = Pack{} + 1e-3f;
  for (Pack &s : sum) s = Pack{} + 1.0f;
  for (long i = 0; i < rounds; i++) {
#if defined(__x86_64__)
    asm volatile("" : "+v"(factor), "+v"(addend));
#else
    asm volatile("" : "+w"(factor), "+w"(addend));
#endif
#pragma GCC unroll 24
    for (int j = 0; j < SUMS; j++) sum[j] = sum[j] * factor + addend;
  }
  Pack total{};
  for (Pack &s : sum) total += s;
  volatile float used = total[0];
  (void)used;
  return static_cast<double>(rounds) * SUMS * sizeof(Pack) / 4 * 2;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) double wide(long rounds) { return multiplyAdd<Pack64, 24>(rounds); }
__attribute__((target("avx2,fma"))) double narrow(long rounds) { return multiplyAdd<Pack32, 12>(rounds); }
double registers(const Isa *isa, long rounds) {
  return isa->lanes == 16 ? wide(rounds) : narrow(rounds);
}
#else
double registers(const Isa *, long rounds) { return multiplyAdd<Pack16, 24>(rounds); }
#endif

double peak(Context &context) {
  int threads = context.pool.threads();
  std::vector<double> operations(static_cast<size_t>(threads));
  double begun = now();
  context.pool.run(threads, [&](int part, int) {
    operations[static_cast<size_t>(part)] = registers(context.isa, 20000000);
  });
  double all = 0;
  for (double each : operations) all += each;
  return all / (now() - begun) / 1e9;
}

void products(Context &context, double limit) {
  const int sizes[][3] = {{512, 512, 512},   {1024, 1024, 1024}, {2048, 2048, 512},
                          {2048, 512, 2048}, {2048, 2048, 2048}, {64, 2048, 512},
                          {64, 512, 128},    {4096, 128, 128}};
  std::printf("\n%-18s %26s\n", "C[m,n] = A B, k", "GFLOP/s (% of the peak): A B, A^T B, A B^T, A^T B^T");
  for (const auto &size : sizes) {
    int m = size[0], n = size[1], k = size[2];
    Floats a(static_cast<int64_t>(m) * k), b(static_cast<int64_t>(n) * k), c(static_cast<int64_t>(m) * n);
    std::printf("%4d %4d %4d    ", m, n, k);
    for (int flags = 0; flags < 4; flags++) {
      bool left = (flags & 1) != 0, right = (flags & 2) != 0;
      Product product{left, right, m, n, k, a.get(), left ? m : k, b.get(), right ? k : n, false,
                      c.get(), n};
      double reached =
          rate(2.0 * m * n * k, [&] { context.isa->multiply(context, product); });
      std::printf(" %6.1f (%2.0f %%)", reached, 100 * reached / limit);
    }
    std::printf("\n");
  }
}

void recurrence(Context &context, int index, const int (&shape)[3], double limit) {
  const CellEntry &cell = context.isa->cells[index];
  int64_t t = shape[0], b = shape[1], h = shape[2], g = cell.gates;
  Floats zx(t * b * g * h), weight(g * h * h), biasIh(g * h), biasHh(g * h);
  Floats states(cell.states * (t + 1) * b * h), keep(t * b * h * (cell.reserved + 1));
  Floats unit(cell.unitWeights * h + 1), dUnit(b * cell.unitWeights * h + 1);
  Floats ds(cell.states * b * h), dy(t * b * h), dzx(t * b * g * h), dzh(t * b * g * h);
  Recurrence call{};
  call.cell = index;
  call.steps = t;
  call.batch = b;
  call.hiddenSize = h;
  call.zx = zx.get();
  call.weightHh = weight.get();
  call.biasIh = biasIh.get();
  call.biasHh = biasHh.get();
  call.unit = unit.get();
  call.states = states.get();
  call.keep = keep.get();
  call.ds = ds.get();
  call.dUnit = dUnit.get();
  call.dy = dy.get();
  call.dzx = dzx.get();
  call.dzh = cell.inputAndRecurrentAdd ? dzx.get() : dzh.get();
  call.ldY = call.ldDy = h;
  double operations = 2.0 * static_cast<double>(t * b * g * h) * static_cast<double>(h);
  double forward = rate(operations, [&] { cell.forward(context, call); });
  double backward = rate(operations, [&] {
    std::memset(ds.get(), 0, static_cast<size_t>(cell.states * b * h) * 4);
    cell.backward(context, call);
  });
  std::printf("%-5s %4d %3d %5d  %6.1f (%2.0f %%)  %6.1f (%2.0f %%)\n", cell.name, shape[0], shape[1],
              shape[2], forward, 100 * forward / limit, backward, 100 * backward / limit);
}

}  // namespace

int main(int argc, char **argv) {
  int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const Isa *isa = argc > 3 ? isaByName(argv[3]) : bestIsa();
  if (isa == nullptr || threads < 1) {
    std::fprintf(stderr, "usage: speed [THREADS [CACHE_BYTES [ISA]]], with an ISA that runs here\n");
    return 2;
  }
  Context context(threads, isa);
  if (argc > 2 && std::atol(argv[2]) > 0) context.cacheBytes = static_cast<size_t>(std::atol(argv[2]));
  double limit = peak(context);
  std::printf("%s, %d threads, second-level cache %zu bytes: %.0f GFLOP/s in registers\n", isa->name,
              threads, context.cacheBytes, limit);
  products(context, limit);
  std::printf("\ncell, T, B, H        forward          backward: GFLOP/s (%% of the peak)\n");
  const int shapes[][3] = {{64, 1, 128},   {64, 1, 512},  {128, 32, 128},  {128, 32, 256},
                           {256, 16, 256}, {64, 32, 512}, {64, 64, 1024}};
  for (int index = 0; index < isa->cellCount; index++) {
    for (const auto &shape : shapes) recurrence(context, index, shape, limit);
  }
  std::printf("\nand afterwards %.0f GFLOP/s in registers\n", peak(context));
  return 0;
}
