// What every compiled set of kernels offers. The same sources are compiled once for each instruction
// set, with LANES and ISA defined; cpu.cpp chooses among them at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool.h"

namespace unroll {

// Memory that grows when asked for more and is kept, so that a steady step allocates nothing.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch &) = delete;
  // At least count floats of undefined content, aligned to 64 bytes. Throws std::bad_alloc.
  float *floats(size_t count);

 private:
  float *memory = nullptr;
  size_t capacity = 0;
};

struct Isa;

// One opened CPU: its threads, the kernels for it, its scratch memory.
struct Context {
  Context(int threads, const Isa *isa);
  ~Context();

  Pool pool;
  const Isa *isa;
  size_t cacheBytes = 1 << 20;  // of one core's own cache, the second level
  Scratch left, right;          // operands of a matrix product, packed
  Scratch weights, sums;        // of a recurrence
  Barrier *barriers;            // one for each thread: no recurrence needs more
};

// C[m,n] = op(A) op(B), or C += op(A) op(B); all row-major.
struct Product {
  bool transposeA, transposeB;
  int m, n, k;
  const float *a;
  int64_t lda;
  const float *b;
  int64_t ldb;
  bool add;
  float *c;
  int64_t ldc;
};

// One direction of a layer over a sequence: the shapes of io.unroll.device.RecurrentCall. Pointers
// are to the first element; lengths, resets, keep, y, dy may be null,
// and unit and dUnit where P is 0.
struct Recurrence {
  int64_t cell;  // index in Isa::cells
  int64_t steps, batch, hiddenSize, reverse;
  const int32_t *lengths, *resets;
  const float *zx, *weightHh, *biasIh, *biasHh, *unit;
  float *states, *keep, *y;
  float *ds, *dUnit;
  const float *dy;
  float *dzx, *dzh;
  int64_t ldY, ldDy;
};

// The arguments of a launch, in the order of io.unroll.device.Kernel: a pointer, an integer or a
// double in eight bytes each.
union Argument {
  void *pointer;
  int64_t integer;
  double real;
};

using Range = void (*)(const Argument *args, int64_t from, int64_t to);

// A kernel of io.unroll.device.Kernel: runs the items of a range. cost estimates nanoseconds an item.
struct KernelEntry {
  const char *name;
  Range range;
  int64_t (*cost)(const Argument *args);
};

struct CellEntry {
  const char *name;
  int gates, states, reserved, unitWeights;
  bool inputAndRecurrentAdd;
  void (*forward)(Context &, const Recurrence &);
  void (*backward)(Context &, const Recurrence &);
  KernelEntry stepForward, stepBackward;  // CELL_FORWARD, CELL_BACKWARD
};

struct Isa {
  const char *name;
  int lanes;
  void (*multiply)(Context &, const Product &);
  const CellEntry *cells;
  const int &cellCount;  // by reference, so that nothing of this set has to run when the library loads
  const KernelEntry *kernels;
  const int &kernelCount;
};

}  // namespace unroll
