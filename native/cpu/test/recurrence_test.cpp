#include <cstdio>

#include "plain_recurrence.h"

namespace unroll {
namespace test {
namespace {

struct Shape {
  int steps, batch, hiddenSize;
};

// Below, at and past packs and tiles, long and wide enough for several threads and for two panels.
const Shape SHAPES[] = {{1, 1, 1},  {3, 2, 5},   {200, 2, 16}, {17, 3, 65}, {2, 33, 9},
                        {5, 4, 64}, {3, 17, 100}, {4, 8, 129}, {9, 1, 150}};

const size_t LARGE_CACHE = 1 << 20, SMALL_CACHE = 4096;

// One way to call a recurrence.
struct Manner {
  bool reverse, ragged, packed;  // with resets
  bool training;                 // with a reserve, an output of its own, and its gradient
  int threads;
  size_t cacheBytes;
};

const Manner MANNERS[] = {
    {false, false, false, true, 1, LARGE_CACHE}, {true, true, true, true, 1, LARGE_CACHE},
    {false, true, true, true, 4, LARGE_CACHE},   {true, false, false, true, 4, SMALL_CACHE},
    {true, true, false, true, 2, LARGE_CACHE},   {false, true, true, false, 3, SMALL_CACHE}};

Sequence sequence(const PlainCell &cell, Shape shape, const Manner &manner) {
  Random random(static_cast<uint64_t>(shape.steps * 1000 + shape.batch * 100 + shape.hiddenSize));
  Sequence made{};
  made.cell = cell;
  made.steps = shape.steps;
  made.batch = shape.batch;
  made.hiddenSize = shape.hiddenSize;
  made.ldY = shape.hiddenSize + 3;
  made.ldDy = shape.hiddenSize + 1;
  made.reverse = manner.reverse;
  size_t units = static_cast<size_t>(shape.batch) * shape.hiddenSize;
  size_t products = static_cast<size_t>(cell.gates) * shape.hiddenSize;
  float scale = 1 / std::sqrt(static_cast<float>(shape.hiddenSize));
  made.zx = numbers(made.steps * units * cell.gates, random, 2);
  made.weightHh = numbers(products * shape.hiddenSize, random, scale);
  made.biasIh = numbers(products, random);
  made.biasHh = numbers(products, random);
  made.unit = numbers(static_cast<size_t>(cell.unitWeights) * shape.hiddenSize, random, scale);
  made.dUnitBefore = numbers(units * cell.unitWeights, random);
  made.first = numbers(units * cell.states, random);
  made.dLast = numbers(units * cell.states, random);
  if (manner.training) {
    made.dy = numbers(static_cast<size_t>(made.steps) * made.batch * made.ldDy, random);
  }
  for (int b = 0; b < shape.batch && manner.ragged; b++) {
    made.lengths.push_back(random.below(shape.steps + 1));
  }
  for (int i = 0; i < shape.steps * shape.batch && manner.packed; i++) {
    made.resets.push_back(random.below(2));
  }
  return made;
}

// The arrays of a call, all between fences; results are no numbers before they are written.
struct Arrays {
  Array<int32_t> lengths, resets;
  Floats zx, weightHh, biasIh, biasHh, unit, states, keep, y, ds, dUnit, dy, dzx, dzh;

  Arrays(const Sequence &of, const Outcome<double> &exact)
      : lengths(of.lengths), resets(of.resets), zx(of.zx), weightHh(of.weightHh), biasIh(of.biasIh), biasHh(of.biasHh),
        unit(of.unit), states(exact.states.size(), NOTHING), keep(exact.keep.size(), NOTHING),
        y(exact.y.size(), NOTHING), ds(of.dLast), dUnit(of.dUnitBefore), dy(of.dy),
        dzx(exact.dzx.size(), NOTHING), dzh(exact.dzh.size(), NOTHING) {
    for (int s = 0; s < of.cell.states; s++) {
      for (int b = 0; b < of.batch; b++) {
        for (int j = 0; j < of.hiddenSize; j++) {
          states[of.state(s, of.reverse ? of.steps : 0, b, j)] = of.first[of.gradient(s, b, j)];
        }
      }
    }
  }

  Recurrence call(const Sequence &of, int64_t cell, bool training, bool add) {
    Recurrence made{};
    made.cell = cell;
    made.steps = of.steps;
    made.batch = of.batch;
    made.hiddenSize = of.hiddenSize;
    made.reverse = of.reverse;
    made.lengths = of.lengths.empty() ? nullptr : lengths.data();
    made.resets = of.resets.empty() ? nullptr : resets.data();
    made.zx = zx.data();
    made.weightHh = weightHh.data();
    made.biasIh = biasIh.data();
    made.biasHh = biasHh.data();
    made.unit = of.unit.empty() ? nullptr : unit.data();
    made.states = states.data();
    made.keep = training ? keep.data() : nullptr;
    made.y = training ? y.data() : nullptr;
    made.ds = ds.data();
    made.dUnit = of.dUnitBefore.empty() ? nullptr : dUnit.data();
    made.dy = training ? dy.data() : nullptr;
    made.dzx = dzx.data();
    made.dzh = add ? dzx.data() : dzh.data();
    made.ldY = of.ldY;
    made.ldDy = of.ldDy;
    return made;
  }
};

void testCase(const Isa &isa, int index, const PlainCell &plainCell, Shape shape,
              const Manner &manner) {
  const CellEntry &cell = isa.cells[index];
  about("%s %s %dx%dx%d%s%s%s%s, %d threads, cache %d", isa.name, cell.name, shape.steps, shape.batch,
        shape.hiddenSize, manner.reverse ? " reverse" : "", manner.ragged ? " ragged" : "",
        manner.packed ? " packed" : "",
        manner.training ? "" : " forward only", manner.threads,
        static_cast<int>(manner.cacheBytes));
  Context context(manner.threads, &isa);
  context.cacheBytes = manner.cacheBytes;
  Sequence of = sequence(plainCell, shape, manner);
  Outcome<double> exact(of);
  Outcome<float> plain(of);
  Arrays arrays(of, exact);
  Recurrence call = arrays.call(of, index, manner.training, cell.inputAndRecurrentAdd);
  cell.forward(context, call);
  compareAll("states", arrays.states, exact.states, plain.states);
  if (!manner.training) return;
  compareAll("keep", arrays.keep, exact.keep, plain.keep);
  compareAll("y", arrays.y, exact.y, plain.y);
  cell.backward(context, call);
  compareAll("ds", arrays.ds, exact.ds, plain.ds);
  compareAll("dzx", arrays.dzx, exact.dzx, plain.dzx);
  if (!cell.inputAndRecurrentAdd) compareAll("dzh", arrays.dzh, exact.dzh, plain.dzh);
  compareAll("dUnit", arrays.dUnit, exact.dUnit, plain.dUnit);
}

}  // namespace

void testRecurrence(const Isa &isa) {
  about("%s cells", isa.name);
  for (const PlainCell &plain : PLAIN_CELLS) {
    if (!plain.isWrittenHere()) {
      std::printf("the cell %s is held against its own text; Java's tests have its equations\n", plain.name);
    }
    int found = 0;
    for (int index = 0; index < isa.cellCount; index++) {
      const CellEntry &cell = isa.cells[index];
      if (!plain.is(cell.name)) continue;
      found++;
      if (cell.gates != plain.gates || cell.states != plain.states || cell.reserved != plain.reserved ||
          cell.unitWeights != plain.unitWeights) {
        fail("%s has other counts", cell.name);
        continue;
      }
      for (Shape shape : SHAPES) {
        for (const Manner &manner : MANNERS) testCase(isa, index, plain, shape, manner);
      }
    }
    if (found != 1) fail("the cell %s is there %d times", plain.name, found);
  }
}

}  // namespace test
}  // namespace unroll
