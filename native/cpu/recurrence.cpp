// All steps of a recurrence in one call: docs/equations.md, "The sequence". W_hh is packed once; then
// each step is tile by tile the recurrent product and at once, while its sums are in the first cache,
// the cell. See Plan for how the work is cut over the threads.
#include "recurrence.h"

#include "cell.h"
#include "pack.h"
#include "tile.h"

namespace unroll {
namespace ISA {
namespace {

// Bytes of a packed panel that are multiplied with all rows before the next ones are read.
constexpr int PANEL_BYTES = 512 << 10;
// Packs of units whose cells are computed together.
constexpr int GROUP_UNITS = 4;

// A product rows x units with a packed W: forward [H] x [H, G*H], backward [G*H] x [G*H, H]. The packs of a
// few packs of units lie side by side as a panel; a thread's last panel may be narrower.
struct Panels {
  int depth;    // of the product
  int perUnit;  // packs of columns for a pack of units
  int hiddenSize;
  const float *packed, *biases;

  int units() const { return (hiddenSize + LANES - 1) / LANES; }  // packs of units
  int64_t floats(int unit) const { return static_cast<int64_t>(unit) * perUnit * LANES * depth; }
  const float *panel(int unit) const { return packed + floats(unit); }
  // What the sums of a panel begin with.
  const float *bias(int unit) const { return biases + static_cast<int64_t>(unit) * perUnit * LANES; }
};

// How a recurrence is cut: the batch in groups that know nothing of one another, each group's units over
// some threads that wait for one another after every step. Of all cuts the one whose steps should take
// the fewest cycles.
struct Plan {
  int batchParts, unitParts;
  bool fits;  // whether a thread's share of W, and all that passes by, stays in its core's cache

  Plan(Context &context, const Panels &panels, int batch, int tileRows) {
    int threads = context.pool.threads();
    double least = 0;
    for (int parts = 1; parts <= minimum(threads, panels.units()); parts++) {
      int groups = minimum(threads / parts, batch);
      int rows = (batch + groups - 1) / groups, units = (panels.units() + parts - 1) / parts;
      bool stays = panels.floats(units) * 4 <= static_cast<int64_t>(context.cacheBytes) * 3 / 4;
      double cycles = panels.floats(units) / LANES * ofPack(rows, tileRows, stays) + (parts > 1 ? BARRIER : 0);
      if (parts > 1 && cycles >= least) continue;
      least = cycles;
      batchParts = groups;
      unitParts = parts;
      fits = panels.floats(units) * 4 <= static_cast<int64_t>(context.cacheBytes) / 3;
    }
  }

  int parts() const { return batchParts * unitParts; }

 private:
  static constexpr double BARRIER = 1500;
  static constexpr double FROM_MEMORY = LANES / 4.0;  // of a pack, in part hidden

  // Cycles for a pack of W with so many rows: two products in a cycle, or as fast as the pack comes.
  static double ofPack(int rows, int tileRows, bool stays) {
    int tiles = (rows + tileRows - 1) / tileRows;
    double each = static_cast<double>(rows) / tiles;
    double cycles = tiles * (each > 4 ? each / 2 + 0.1 : 1.2 + 0.2 * each);
    return stays ? cycles : cycles + FROM_MEMORY;
  }
};

// sums[ROWS][PACKS][LANES] = start + rows of a times depth steps of a panel, start's rows being so many
// floats apart. A function of its own, so that its inner loop has all registers.
template <int ROWS, int PACKS, class Ahead>
__attribute__((noinline)) void multiplyTile(const float *a, int64_t rowStep, const float *panel, int depth,
                                            float *sums, const float *start, int64_t startStep,
                                            Ahead ahead) {
  Tile<ROWS, PACKS> tile;
#pragma GCC unroll 32
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int p = 0; p < PACKS; p++) tile.sum[r][p] = load(start + r * startStep + p * LANES);
  }
  tile.multiply(RowsInPlace<ROWS>(a, rowStep), panel, depth, ahead);
#pragma GCC unroll 32
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int p = 0; p < PACKS; p++) store(sums + (r * PACKS + p) * LANES, tile.sum[r][p]);
  }
}

// One thread's share of a step: rows and packs of units. The products of its rows with a group of panels,
// then for each row cell(row, unit, width, sums, packStride, gateStride), gate g of pack q of units being at
// sums + q*packStride + g*gateStride: a group's units of a row lie side by side in memory, and single packs
// of them would come and go at half the speed.
// Where W is read once a step, every other step goes through the panels from the last to the first: so it
// begins with those that the step before has left in the cache, of which there would be none if a larger
// W came round in one order. fits tells whether W stays in the cache anyway.
template <int PER_UNIT, int UNITS, class Cell>
INLINE void multiplyStep(const Panels &panels, int rowFrom, int rowTo, int unitFrom, int unitTo,
                         const float *a, float *sums, bool isOdd, bool fits, const Cell &cell) {
  constexpr int ROWS = maxRows(PER_UNIT * UNITS);
  int rows = rowTo - rowFrom;
  int tiles = (rows + ROWS - 1) / ROWS;
  int count = (unitTo - unitFrom + UNITS - 1) / UNITS;
  bool fromLast = isOdd && tiles == 1;
  int tileRows = rows / tiles, longer = rows % tiles;  // so many tiles have a row more
  auto unitOf = [&](int i) { return unitFrom + (fromLast ? count - 1 - i : i) * UNITS; };
  auto multiplyPanel = [&](int i, auto width, float *panelSums) EACH {
    constexpr int PACKS = PER_UNIT * decltype(width)::value;
    int chunk = tiles == 1 ? panels.depth : PANEL_BYTES / static_cast<int>(sizeof(float)) / (PACKS * LANES);
    // Of what comes ahead each tile fetches as much for each depth step.
    int step = tiles >= PACKS ? PACKS * LANES / tiles + 1 : FLOATS_OF_LINE;
    for (int k = 0; k < panels.depth; k += chunk) {
      int depth = minimum(chunk, panels.depth - k);
      const float *panel = panels.panel(unitOf(i)) + static_cast<int64_t>(k) * PACKS * LANES;
      // The piece of W that follows; after the last one the first, which begins the next step.
      const float *next = k + depth < panels.depth ? panel + static_cast<int64_t>(depth) * PACKS * LANES
                                                   : panels.panel(unitOf(i + 1 < count ? i + 1 : 0));
      const float *left = a + static_cast<int64_t>(rowFrom) * panels.depth + k;
      const float *start = k == 0 ? panels.bias(unitOf(i)) : panelSums;
      int64_t startStep = k == 0 ? 0 : PACKS * LANES;
      float *tileSums = panelSums;
      for (int t = 0; t < tiles; t++) {
        int height = tileRows + (t < longer);
        withRows<ROWS>(height, [&](auto constant) EACH {
          constexpr int R = decltype(constant)::value;
          if (fits || R <= ROWS / 2) {  // so few rows read W as fast as it can come
            multiplyTile<R, PACKS>(left, panels.depth, panel, depth, tileSums, start, startStep, Nothing{});
          } else {
            multiplyTile<R, PACKS>(left, panels.depth, panel, depth, tileSums, start, startStep,
                                   Ahead{next, step});
          }
        });
        left += static_cast<int64_t>(height) * panels.depth;
        tileSums += static_cast<int64_t>(height) * PACKS * LANES;
        start += height * startStep;
        next += static_cast<int64_t>(depth) * step;
      }
    }
  };
  constexpr int GROUP = GROUP_UNITS / UNITS;
  static_assert(UNITS == 1 || GROUP == 1, "a group is one panel or all its panels are one pack of units wide");
  int64_t floats = static_cast<int64_t>(rows) * PER_UNIT * UNITS * LANES;
  for (int from = 0; from < count; from += GROUP) {
    int end = minimum(count, from + GROUP);
    for (int i = from; i < end; i++) {
      withRows<UNITS>(unitTo - unitOf(i) < UNITS ? unitTo - unitOf(i) : UNITS, [&](auto width) EACH {
        multiplyPanel(i, width, sums + (i - from) * floats);
      });
    }
    int unit = unitOf(fromLast ? end - 1 : from);
    int width = minimum(GROUP * UNITS, (fromLast ? unitOf(from) + UNITS : unitOf(end - 1) + UNITS) - unit);
    width = minimum(width, unitTo - unit);
    for (int row = 0; row < rows; row++) {
      if (UNITS > 1) {
        const float *first = sums + static_cast<int64_t>(row) * PER_UNIT * width * LANES;
        cell(rowFrom + row, unit, width, first, LANES, width * LANES);
      } else {
        const float *first = sums + (fromLast ? end - 1 - from : 0) * floats + row * PER_UNIT * LANES;
        cell(rowFrom + row, unit, width, first, fromLast ? -floats : floats, LANES);
      }
    }
  }
}

template <class Cell>
struct Sequence {
  static constexpr int FORWARD_UNITS = Cell::GATES == 1 ? 4 : 1;  // of a panel
  static constexpr int BACKWARD_UNITS = 4;

  Context &context;
  const Recurrence &call;
  int steps, batch, hiddenSize, products;
  int64_t stateStride;

  Sequence(Context &context, const Recurrence &call)
      : context(context),
        call(call),
        steps(static_cast<int>(call.steps)),
        batch(static_cast<int>(call.batch)),
        hiddenSize(static_cast<int>(call.hiddenSize)),
        products(Cell::GATES * hiddenSize),
        stateStride((call.steps + 1) * call.batch * call.hiddenSize) {}

  int time(int k) const { return call.reverse ? steps - 1 - k : k; }
  int64_t stateAt(int index) const { return static_cast<int64_t>(index) * batch * hiddenSize; }
  float *previous(int t) const { return call.states + stateAt(call.reverse ? t + 1 : t); }
  float *next(int t) const { return call.states + stateAt(call.reverse ? t : t + 1); }
  template <class Pointer>
  Pointer *step(Pointer *of, int t, int64_t width) const {
    return of == nullptr ? nullptr : of + t * batch * width;
  }

  // Packs what belongs to so many packs of units: of W_hh^T, and the biases.
  void packForward(const Panels &panels, int unit, int width, float *to, float *biases) const {
    int packs = Cell::GATES * width;
    for (int p = 0; p < packs; p++) {
      int at = (unit + p % width) * LANES;
      int row = p / width * hiddenSize + at;
      int count = minimum(LANES, hiddenSize - at);
      packStrip(call.weightHh + static_cast<int64_t>(row) * hiddenSize, hiddenSize, 1, count, LANES,
                panels.depth, to + p * LANES, packs * LANES);
      store(biases + p * LANES, CellStep<Cell>::bias(call.biasIh + row, call.biasHh + row, count));
    }
  }

  // The same of W_hh, which has none.
  void packBackward(const Panels &panels, int unit, int width, float *to, float *biases) const {
    int at = unit * LANES, columns = width * LANES;
    packStrip(call.weightHh + at, 1, hiddenSize, minimum(columns, hiddenSize - at), columns, panels.depth, to,
              columns);
    for (int p = 0; p < width; p++) store(biases + p * LANES, real{});
  }

  // Packs W_hh and runs share(rows, packs of units, sums, wait) on all threads.
  template <int UNITS, class Pack, class Share>
  void run(Panels panels, int tileRows, const Pack &pack, const Share &share) {
    Plan plan(context, panels, batch, tileRows);
    int units = panels.units();
    int64_t floats = panels.floats(units), width = static_cast<int64_t>(panels.perUnit) * LANES;
    float *packed = context.weights.floats(static_cast<size_t>(floats + units * width));
    panels.packed = packed;
    panels.biases = packed + floats;
    auto unitOf = [&](int u) { return partBegin(units, plan.unitParts, u); };
    // Packs a part of the panels of a part of the units.
    auto packSome = [&](int u, int part, int parts) {
      int count = (unitOf(u + 1) - unitOf(u) + UNITS - 1) / UNITS;
      for (int i = partBegin(count, parts, part); i < partBegin(count, parts, part + 1); i++) {
        int unit = unitOf(u) + i * UNITS;
        pack(panels, unit, minimum(UNITS, unitOf(u + 1) - unit), packed + panels.floats(unit),
             packed + floats + unit * width);
      }
    };
    // Without groups of rows a thread packs the panels that it alone will use.
    bool packsOwn = plan.batchParts == 1;
    if (!packsOwn) {
      int parts = 2 * context.pool.threads();
      context.pool.run(parts, [&](int part, int) {
        for (int u = 0; u < plan.unitParts; u++) packSome(u, part, parts);
      });
    }
    int most = (batch + plan.batchParts - 1) / plan.batchParts;
    int64_t each = most * GROUP_UNITS * width;
    float *sums = context.sums.floats(static_cast<size_t>(each * plan.parts()));
    context.pool.run(plan.parts(), [&](int part, int) {
      int b = part / plan.unitParts, u = part % plan.unitParts;
      if (packsOwn) packSome(u, 0, 1);
      share(panels, partBegin(batch, plan.batchParts, b), partBegin(batch, plan.batchParts, b + 1),
            unitOf(u), unitOf(u + 1), sums + part * each, plan.fits, [&] {
              if (plan.unitParts > 1) context.barriers[b].wait(plan.unitParts);
            });
    });
  }

  CellStep<Cell> forwardStep(int t) const {
    CellStep<Cell> at{};
    at.hiddenSize = hiddenSize;
    at.stateStride = stateStride;
    at.lengths = call.lengths;
    at.resets = step(call.resets, t, 1);
    at.time = t;
    at.zx = step(call.zx, t, products);
    at.biasIh = call.biasIh;
    at.biasHh = call.biasHh;
    at.unitWeights = call.unit;
    at.previous = previous(t);
    at.next = next(t);
    at.keep = step(call.keep, t, static_cast<int64_t>(Cell::RESERVED) * hiddenSize);
    at.y = step(call.y, t, call.ldY);
    at.ldY = call.ldY;
    return at;
  }

  CellGradient<Cell> backwardStep(int t) const {
    CellGradient<Cell> at{};
    at.hiddenSize = hiddenSize;
    at.stateStride = stateStride;
    at.gradientStride = stateAt(1);
    at.lengths = call.lengths;
    at.resets = step(call.resets, t, 1);
    at.time = t;
    at.keep = step(call.keep, t, static_cast<int64_t>(Cell::RESERVED) * hiddenSize);
    at.unitWeights = call.unit;
    at.previous = previous(t);
    at.next = next(t);
    at.ds = call.ds;
    at.dUnit = call.dUnit;
    at.dy = step(call.dy, t, call.ldDy);
    at.ldDy = call.ldDy;
    at.dzx = step(call.dzx, t, products);
    at.dzh = step(call.dzh, t, products);
    return at;
  }

  void forward() {
    constexpr int GATES = Cell::GATES, UNITS = FORWARD_UNITS;
    auto pack = [&](const Panels &of, int unit, int width, float *to, float *biases) {
      packForward(of, unit, width, to, biases);
    };
    run<UNITS>({hiddenSize, GATES, hiddenSize, nullptr, nullptr}, maxRows(GATES * UNITS), pack,
               [&](const Panels &of, int rowFrom, int rowTo, int unitFrom, int unitTo, float *sums, bool fits,
                   const auto &wait) {
                 for (int k = 0; k < steps; k++) {
                   CellStep<Cell> at = forwardStep(time(k));
                   multiplyStep<GATES, UNITS>(
                       of, rowFrom, rowTo, unitFrom, unitTo, at.previous, sums, k % 2 != 0, fits,
                       [&](int row, int unit, int width, const float *products, int64_t packStride,
                           int64_t gateStride) EACH {
                         int count = minimum(width * LANES, hiddenSize - unit * LANES);
                         at.run(row, unit * LANES, count, products, packStride, gateStride);
                       });
                   wait();
                 }
               });
  }

  void backward() {
    constexpr int UNITS = BACKWARD_UNITS;
    auto pack = [&](const Panels &of, int unit, int width, float *to, float *biases) {
      packBackward(of, unit, width, to, biases);
    };
    run<UNITS>({products, 1, hiddenSize, nullptr, nullptr}, maxRows(UNITS), pack,
               [&](const Panels &of, int rowFrom, int rowTo, int unitFrom, int unitTo, float *sums, bool fits,
                   const auto &wait) {
      // The product of a step's dzh with W_hh belongs to the states before it: it is computed where
      // these are the states after a step, which is the next one to be visited.
      for (int k = steps - 1; k >= -1; k--) {
        CellGradient<Cell> at = backwardStep(time(k >= 0 ? k : 0));
        const int32_t *resetsAfter = k + 1 < steps ? step(call.resets, time(k + 1), 1) : nullptr;
        auto cell = [&](int row, int unit, int width, const float *products, int64_t, int64_t) EACH {
          const float *dh = isReset(resetsAfter, row) ? nullptr : products;
          int count = minimum(width * LANES, hiddenSize - unit * LANES);
          if (k >= 0) {
            at.run(row, unit * LANES, count, dh);
          } else {
            at.addToState(row, unit * LANES, count, dh);
          }
        };
        if (k == steps - 1) {
          for (int row = rowFrom; row < rowTo; row++) cell(row, unitFrom, unitTo - unitFrom, nullptr, 0, 0);
        } else {
          multiplyStep<1, UNITS>(of, rowFrom, rowTo, unitFrom, unitTo, step(call.dzh, time(k + 1), products),
                                 sums, k % 2 != 0, fits, cell);
        }
        if (k >= 0) wait();
      }
    });
  }
};

template <class Cell>
void forward(Context &context, const Recurrence &call) {
  Sequence<Cell>(context, call).forward();
}

template <class Cell>
void backward(Context &context, const Recurrence &call) {
  Sequence<Cell>(context, call).backward();
}

int64_t cellCost(const Argument *) { return 3; }

template <class Cell>
constexpr CellEntry entry(const char *name) {
  return {name,
          Cell::GATES,
          Cell::STATES,
          Cell::RESERVED,
          Cell::UNIT_WEIGHTS,
          Cell::INPUT_AND_RECURRENT_ADD != 0,
          forward<Cell>,
          backward<Cell>,
          {"CELL_FORWARD", launchForward<Cell>, cellCost},
          {"CELL_BACKWARD", launchBackward<Cell>, cellCost}};
}

#include "cells.inc"
#define ENTRY(name) entry<name>(#name),

}  // namespace

const CellEntry cells[] = {CELLS(ENTRY)};
const int cellCount = sizeof cells / sizeof cells[0];

}  // namespace ISA
}  // namespace unroll
