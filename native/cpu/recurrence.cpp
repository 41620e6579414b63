// All steps of a recurrence in one call: docs/equations.md, "The sequence". W_hh is packed once; then
// each step is tile by tile the recurrent product and at once, while its sums are in the first cache,
// the cell. See Plan for how the work is cut over the threads.
#include "recurrence.h"

#include "cell.h"
#include "items.h"
#include "pack.h"
#include "tile.h"

namespace unroll {
namespace ISA {
namespace {

// Bytes of a packed panel that are multiplied with all rows before the next ones are read.
constexpr int PANEL_BYTES = 512 << 10;
// Packs of units whose cells are computed together.
constexpr int GROUP_UNITS = 4;
// Multiplications of a step below which another thread costs more than it brings.
constexpr int64_t WORTH_A_BARRIER = 20000;

// A product rows x units with a packed W: forward [H] x [H, G*H], backward [G*H] x [G*H, H].
struct Panels {
  int depth;        // of the product
  int packs;        // packs of columns of a panel
  int units;        // packs of units of a panel
  int hiddenSize;
  const float *packed;

  int unitsOfPanel() const { return units * LANES; }
  // Panels whose cells are computed together.
  int group() const { return GROUP_UNITS / units; }
  int count() const { return (hiddenSize + unitsOfPanel() - 1) / unitsOfPanel(); }
  int64_t floats() const { return static_cast<int64_t>(packs) * LANES * depth; }
  const float *panel(int index) const { return packed + index * floats(); }
};

// How a recurrence is cut: the batch in groups that know nothing of one another, each group's units
// over some threads that wait for one another after every step. As few of these as let a thread's
// share of W_hh stay in its core's cache; one if the batch is large enough and W_hh small.
struct Plan {
  int batchParts, unitParts;

  Plan(Context &context, const Panels &panels, int batch) {
    int threads = context.pool.threads();
    int64_t bytes = panels.count() * panels.floats() * static_cast<int64_t>(sizeof(float));
    int64_t budget = static_cast<int64_t>(context.cacheBytes) * 3 / 4;
    unitParts = 1;
    while (unitParts < threads && bytes > budget * unitParts) unitParts++;
    batchParts = minimum(maximum(1, threads / unitParts), batch);
    unitParts = minimum(threads / batchParts, panels.count());
    int64_t work = static_cast<int64_t>(batch / batchParts) * panels.depth * panels.hiddenSize *
                   panels.packs / panels.units;
    while (unitParts > 1 && work < WORTH_A_BARRIER * unitParts) unitParts--;
  }

  int parts() const { return batchParts * unitParts; }
};

// sums[ROWS][PACKS][LANES] = or += rows of a times depth steps of a panel. A function of its own, so
// that its inner loop has all registers.
template <int ROWS, int PACKS>
__attribute__((noinline)) void multiplyTile(const float *a, int64_t rowStep, const float *panel,
                                            int depth, float *sums, bool fresh, Ahead ahead) {
  Tile<ROWS, PACKS> tile;
#pragma GCC unroll 32
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int p = 0; p < PACKS; p++) {
      tile.sum[r][p] = fresh ? real{} : load(sums + (r * PACKS + p) * LANES);
    }
  }
  tile.multiply(RowsInPlace<ROWS>(a, rowStep), panel, depth, ahead);
#pragma GCC unroll 32
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int p = 0; p < PACKS; p++) store(sums + (r * PACKS + p) * LANES, tile.sum[r][p]);
  }
}

// One thread's share of a step: the products of its rows with a group of panels, then for each row and
// panel cell(row, unit, sums): a group's units of a row lie side by side in memory, and single packs
// of them would come and go at half the speed. Where W is read once a step, every other step goes
// through the panels from the last to the first: so it begins with those that the step before has left
// in the cache, of which there would be none if a larger W came round in one order.
template <int PACKS, class Cell>
INLINE void multiplyStep(const Panels &panels, int rowFrom, int rowTo, int panelFrom, int panelTo,
                         const float *a, float *sums, bool isOdd, const Cell &cell) {
  constexpr int ROWS = maxRows(PACKS);
  int rows = rowTo - rowFrom;
  int tiles = (rows + ROWS - 1) / ROWS;
  int chunk = tiles == 1 ? panels.depth : PANEL_BYTES / static_cast<int>(sizeof(float)) / (PACKS * LANES);
  int count = panelTo - panelFrom;
  bool fromLast = isOdd && tiles == 1;
  auto inOrder = [&](int i) { return panels.panel(fromLast ? panelTo - 1 - i : panelFrom + i); };
  auto multiplyPanel = [&](int i, float *panelSums) {
    for (int k = 0; k < panels.depth; k += chunk) {
      int depth = minimum(chunk, panels.depth - k);
      const float *panel = inOrder(i) + static_cast<int64_t>(k) * PACKS * LANES;
      // The piece of W that follows; after the last one the first, which begins the next step.
      const float *next = k + depth < panels.depth ? panel + static_cast<int64_t>(depth) * PACKS * LANES
                                                   : inOrder((i + 1) % count);
      for (int t = 0; t < tiles; t++) {
        int row = partBegin(rows, tiles, t);
        const float *left = a + static_cast<int64_t>(rowFrom + row) * panels.depth + k;
        float *tileSums = panelSums + static_cast<int64_t>(row) * PACKS * LANES;
        Ahead ahead = Ahead::part(next, static_cast<int64_t>(depth) * PACKS * LANES, tiles, t, depth);
        withRows<ROWS>(partBegin(rows, tiles, t + 1) - row, [&](auto constant) EACH {
          multiplyTile<decltype(constant)::value, PACKS>(left, panels.depth, panel, depth, tileSums,
                                                         k == 0, ahead);
        });
      }
    }
  };
  int64_t floats = static_cast<int64_t>(rows) * PACKS * LANES;
  for (int from = 0; from < count; from += panels.group()) {
    int end = minimum(count, from + panels.group());
    for (int i = from; i < end; i++) multiplyPanel(i, sums + (i - from) * floats);
    for (int row = 0; row < rows; row++) {
      for (int j = from; j < end; j++) {
        int i = fromLast ? from + end - 1 - j : j;
        cell(rowFrom + row, (fromLast ? panelTo - 1 - i : panelFrom + i) * panels.unitsOfPanel(),
             sums + (i - from) * floats + row * PACKS * LANES);
      }
    }
  }
}

template <class Cell>
struct Sequence {
  static constexpr int UNITS = Cell::GATES == 1 ? 4 : 1;
  static constexpr int FORWARD_PACKS = Cell::GATES * UNITS;
  static constexpr int BACKWARD_PACKS = 4;

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

  // The pack of W_hh^T (forward) or W_hh (backward) that belongs to one pack of a panel's columns.
  void packForward(const Panels &panels, int panel, float *to) const {
    for (int p = 0; p < FORWARD_PACKS; p++) {
      int unit = panel * panels.unitsOfPanel() + p % UNITS * LANES;
      const float *from = call.weightHh + (p / UNITS * hiddenSize + unit) * call.hiddenSize;
      packStrip(from, hiddenSize, 1, minimum(LANES, maximum(0, hiddenSize - unit)), LANES,
                panels.depth, to + p * LANES, FORWARD_PACKS * LANES);
    }
  }

  void packBackward(const Panels &panels, int panel, float *to) const {
    for (int p = 0; p < BACKWARD_PACKS; p++) {
      int unit = panel * panels.unitsOfPanel() + p * LANES;
      packStrip(call.weightHh + unit, 1, hiddenSize, minimum(LANES, maximum(0, hiddenSize - unit)),
                LANES, panels.depth, to + p * LANES, BACKWARD_PACKS * LANES);
    }
  }

  // Packs W_hh and runs share(batch part, unit part, sums) on all threads.
  template <int PACKS, class Pack, class Share>
  void run(Panels panels, const Pack &pack, const Share &share) {
    Plan plan(context, panels, batch);
    float *packed = context.weights.floats(static_cast<size_t>(panels.count() * panels.floats()));
    panels.packed = packed;
    auto packSome = [&](int from, int to) {
      for (int p = from; p < to; p++) pack(panels, p, packed + p * panels.floats());
    };
    // Without groups of rows a thread packs the panels that it alone will use.
    bool packsOwn = plan.batchParts == 1;
    if (!packsOwn) {
      int parts = 2 * context.pool.threads();
      context.pool.run(parts, [&](int part, int) {
        packSome(partBegin(panels.count(), parts, part), partBegin(panels.count(), parts, part + 1));
      });
    }
    int most = (batch + plan.batchParts - 1) / plan.batchParts;
    int64_t each = static_cast<int64_t>(most) * panels.group() * PACKS * LANES;
    float *sums = context.sums.floats(static_cast<size_t>(each * plan.parts()));
    context.pool.run(plan.parts(), [&](int part, int) {
      int b = part / plan.unitParts, u = part % plan.unitParts;
      int panelFrom = partBegin(panels.count(), plan.unitParts, u);
      int panelTo = partBegin(panels.count(), plan.unitParts, u + 1);
      if (packsOwn) packSome(panelFrom, panelTo);
      share(panels, partBegin(batch, plan.batchParts, b), partBegin(batch, plan.batchParts, b + 1),
            panelFrom, panelTo, sums + part * each, [&] {
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
    Panels panels{hiddenSize, FORWARD_PACKS, UNITS, hiddenSize, nullptr};
    auto pack = [&](const Panels &of, int panel, float *to) { packForward(of, panel, to); };
    run<FORWARD_PACKS>(panels, pack, [&](const Panels &of, int rowFrom, int rowTo, int panelFrom,
                                         int panelTo, float *sums, const auto &wait) {
      for (int k = 0; k < steps; k++) {
        CellStep<Cell> at = forwardStep(time(k));
        multiplyStep<FORWARD_PACKS>(
            of, rowFrom, rowTo, panelFrom, panelTo, at.previous, sums, k % 2 != 0,
            [&](int row, int unit, const float *products) EACH {
              for (int q = 0; q < UNITS && unit + q * LANES < hiddenSize; q++) {
                real zh[Cell::GATES];
                for (int g = 0; g < Cell::GATES; g++) zh[g] = load(products + (g * UNITS + q) * LANES);
                at.run(row, unit + q * LANES, LANES, zh);
              }
            });
        wait();
      }
    });
  }

  void backward() {
    Panels panels{products, BACKWARD_PACKS, BACKWARD_PACKS, hiddenSize, nullptr};
    auto pack = [&](const Panels &of, int panel, float *to) { packBackward(of, panel, to); };
    run<BACKWARD_PACKS>(panels, pack, [&](const Panels &of, int rowFrom, int rowTo, int panelFrom,
                                          int panelTo, float *sums, const auto &wait) {
      // The product of a step's dzh with W_hh belongs to the states before it: it is computed where
      // these are the states after a step, which is the next one to be visited.
      for (int k = steps - 1; k >= -1; k--) {
        CellGradient<Cell> at = backwardStep(time(k >= 0 ? k : 0));
        const int32_t *resetsAfter = k + 1 < steps ? step(call.resets, time(k + 1), 1) : nullptr;
        auto cell = [&](int row, int unit, const float *products) EACH {
          bool none = products == nullptr || isReset(resetsAfter, row);
          for (int q = 0; q < BACKWARD_PACKS && unit + q * LANES < hiddenSize; q++) {
            real dh = none ? real{} : load(products + q * LANES);
            if (k >= 0) {
              at.run(row, unit + q * LANES, LANES, dh);
            } else {
              at.addToState(row, unit + q * LANES, dh);
            }
          }
        };
        if (k == steps - 1) {
          for (int row = rowFrom; row < rowTo; row++) {
            for (int p = panelFrom; p < panelTo; p++) cell(row, p * of.unitsOfPanel(), nullptr);
          }
        } else {
          multiplyStep<BACKWARD_PACKS>(of, rowFrom, rowTo, panelFrom, panelTo,
                                       step(call.dzh, time(k + 1), products), sums, k % 2 != 0, cell);
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
