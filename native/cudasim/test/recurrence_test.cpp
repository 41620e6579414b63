// A recurrence by each of its kernels, kernels/gpu/sequence.h, step.h and stepwise.h and kernels/cuda/block.h, against
// plain loops.
#include <algorithm>
#include <sstream>

#include "../../cpu/test/plain_recurrence.h"
#include "../runtime/modules.h"
#include "block_program.h"
#include "driver.h"

namespace unroll {
namespace test {
namespace {

struct Shape {
  int steps, batch, hiddenSize;
};

Sequence problem(const PlainCell &cell, Shape shape, bool reverse, bool ragged, bool resets = false) {
  Random random(static_cast<uint64_t>(shape.steps * 1000 + shape.batch * 100 + shape.hiddenSize));
  Sequence made{};
  made.cell = cell;
  made.steps = shape.steps;
  made.batch = shape.batch;
  made.hiddenSize = shape.hiddenSize;
  made.ldY = shape.hiddenSize + 3;
  made.ldDy = shape.hiddenSize + 1;
  made.reverse = reverse;
  size_t units = static_cast<size_t>(shape.batch) * shape.hiddenSize;
  size_t products = static_cast<size_t>(cell.gates) * shape.hiddenSize;
  made.zx = numbers(made.steps * units * cell.gates, random, 2);
  made.weightHh = numbers(products * shape.hiddenSize, random, 1 / std::sqrt(static_cast<float>(shape.hiddenSize)));
  made.biasIh = numbers(products, random);
  made.biasHh = numbers(products, random);
  made.unit = numbers(static_cast<size_t>(cell.unitWeights) * shape.hiddenSize, random);
  made.first = numbers(units * cell.states, random);
  made.dLast = numbers(units * cell.states, random);
  made.dUnitBefore = numbers(units * cell.unitWeights, random);
  made.dy = numbers(static_cast<size_t>(made.steps) * made.batch * made.ldDy, random);
  for (int b = 0; b < shape.batch && ragged; b++) made.lengths.push_back(random.below(shape.steps + 1));
  for (int i = 0; i < shape.steps * shape.batch && resets; i++) made.resets.push_back(random.below(3) == 0 ? 7 : 0);
  return made;
}

// Whether a cell takes the same gradient in both halves of a gate, and so in one buffer.
bool adds(const PlainCell &cell) {
#define ADDS(name) {#name, in_double::name::INPUT_AND_RECURRENT_ADD != 0},
  const struct {
    const char *name;
    bool adds;
  } all[] = {CELLS(ADDS)};
#undef ADDS
  for (const auto &each : all) {
    if (cell.is(each.name)) return each.adds;
  }
  return false;
}

std::vector<float> transposed(const std::vector<float> &x, size_t columns) {
  std::vector<float> out(x.size());
  size_t rows = x.size() / columns;
  for (size_t i = 0; i < x.size(); i++) out[i % columns * rows + i / columns] = x[i];
  return out;
}

std::vector<float> firstStates(const Sequence &of, size_t count) {
  std::vector<float> states(count, NOTHING);
  for (int s = 0; s < of.cell.states; s++) {
    for (int i = 0; i < of.batch * of.hiddenSize; i++) {
      states[of.state(s, of.reverse ? of.steps : 0, 0, i)] = of.first[of.gradient(s, 0, i)];
    }
  }
  return states;
}

unsigned pieces(int whole, int piece) { return static_cast<unsigned>((whole + piece - 1) / piece); }

// The arrays of a recurrence on the device, and the launches of a step.
class Run {
 public:
  Run(const Sequence &of, const Outcome<double> &exact)
      : of(of), add(adds(of.cell)), size(static_cast<size_t>(of.batch) * of.hiddenSize),
        gates(of.cell.gates * of.hiddenSize), zx(of.zx), weights(of.weightHh),
        weightsTransposed(transposed(of.weightHh, static_cast<size_t>(of.hiddenSize))), biasIh(of.biasIh),
        biasHh(of.biasHh), unit(of.unit), states(firstStates(of, exact.states.size())),
        keep(exact.keep.size(), NOTHING), y(exact.y.size(), NOTHING), ds(of.dLast), dUnit(of.dUnitBefore), dy(of.dy),
        dzx(exact.dzx.size(), NOTHING), dzhOwn(exact.dzh.size(), NOTHING),
        zh(static_cast<size_t>(of.batch) * gates, NOTHING), sent(static_cast<size_t>(of.batch) * gates, NOTHING),
        lengths(of.lengths), resets(of.resets) {}

  void sequence(const std::string &module, int lanes, int rows) {
    unsigned groups = pieces(of.batch, static_cast<int>(GROUP) / lanes * rows);
    int64_t items = groups;
    CALL(launch(function(module, "sequence_forward_kernel"), {groups}, zx.at(), weightsTransposed.at(), biasIh.at(),
                biasHh.at(), unit.at(), lengths.at(), resets.at(), states.at(), keep.at(), y.at(), of.steps, of.batch,
                of.hiddenSize, of.reverse ? 1 : 0, of.ldY, lanes, items));
    CALL(launch(function(module, "sequence_backward_kernel"), {groups}, weights.at(), keep.at(), unit.at(),
                lengths.at(), resets.at(), states.at(), ds.at(), dUnit.at(), dy.at(), dzx.at(), dzh(), of.steps,
                of.batch, of.hiddenSize, of.reverse ? 1 : 0, of.ldDy, lanes, items));
  }

  void block(const BlockProgram &program) {
    unsigned groups = pieces(of.batch, program.rows());
    int64_t items = groups;
    Launch forward = {groups, program.memory(of.cell.gates, false)};
    Launch backward = {groups, program.memory(of.cell.gates, true)};
    forward.lanes = backward.lanes = program.lanes;
    void *kernel = function(program.key, "block_forward_kernel");
    CALL(cuFuncSetAttribute(kernel, MOST_DYNAMIC_MEMORY, static_cast<int>(forward.sharedBytes)));
    CALL(launch(kernel, forward, zx.at(), weights.at(), biasIh.at(), biasHh.at(), unit.at(), lengths.at(), resets.at(),
                states.at(), keep.at(), y.at(), of.steps, of.batch, of.hiddenSize, of.reverse ? 1 : 0, of.ldY, items));
    kernel = function(program.key, "block_backward_kernel");
    CALL(cuFuncSetAttribute(kernel, MOST_DYNAMIC_MEMORY, static_cast<int>(backward.sharedBytes)));
    CALL(launch(kernel, backward, weights.at(), keep.at(), unit.at(), lengths.at(), resets.at(), states.at(), ds.at(),
                dUnit.at(), dy.at(), dzx.at(), dzh(), of.steps, of.batch, of.hiddenSize, of.reverse ? 1 : 0, of.ldDy,
                items));
  }

  void steps(int rows) {
    std::string module = std::string("step-") + of.cell.name + "-ROWS=" + std::to_string(rows);
    unsigned groups = pieces(of.batch, 8 * rows) * pieces(of.hiddenSize, 32);
    int64_t items = groups;
    for (int k = 0; k < of.steps; k++) {
      int t = of.time(k);
      CALL(launch(function(module, "step_forward_kernel"), {groups}, zx.at(t * size * of.cell.gates),
                  weightsTransposed.at(), biasIh.at(), biasHh.at(), unit.at(), lengths.at(), resetsOf(t), before(t),
                  after(t), keepOf(t), y.at(yOf(t, of.ldY)), of.batch, of.hiddenSize, stride(), of.ldY, t, items));
    }
    const float *dzhAfter = nullptr;
    const int32_t *resetsAfter = nullptr;
    for (int k = of.steps - 1; k >= -1; k--) {
      int t = of.time(std::max(k, 0));
      CALL(launch(function(module, "step_backward_kernel"), {groups}, keepOf(t), unit.at(), lengths.at(), resetsOf(t),
                  before(t), after(t), ds.at(), dUnit.at(), dy.at(yOf(t, of.ldDy)), dzx.at(t * size * of.cell.gates),
                  dzhOf(t), of.batch, of.hiddenSize, stride(), of.ldDy, k < 0 ? -1 : t, dzhAfter, resetsAfter,
                  weights.at(), items));
      dzhAfter = dzhOf(t);
      resetsAfter = resetsOf(t);
    }
  }

  void stepwise() {
    std::string module = std::string("stepwise-") + of.cell.name;
    int64_t items = of.batch * of.hiddenSize;
    for (int k = 0; k < of.steps; k++) {
      int t = of.time(k);
      CALL(launch(function("gemm", "gemm_nt_kernel"), {2}, before(t), weights.at(), zh.at(), of.batch, gates,
                  of.hiddenSize, of.hiddenSize, of.hiddenSize, gates, 1, 0.0f, squares(gates)));
      CALL(launch(function(module, "cell_forward_kernel"), {2}, zx.at(t * size * of.cell.gates), zh.at(), biasIh.at(),
                  biasHh.at(), unit.at(), lengths.at(), resetsOf(t), before(t), after(t), keepOf(t),
                  y.at(yOf(t, of.ldY)), of.batch, of.hiddenSize, stride(), of.ldY, t, items));
    }
    for (int k = of.steps - 1; k >= 0; k--) {
      int t = of.time(k);
      CALL(launch(function(module, "cell_backward_kernel"), {2}, keepOf(t), unit.at(), lengths.at(), resetsOf(t),
                  before(t), after(t), ds.at(), dUnit.at(), dy.at(yOf(t, of.ldDy)), dzx.at(t * size * of.cell.gates),
                  dzhOf(t), of.batch, of.hiddenSize, stride(), of.ldDy, t, items));
      multiplyBack(t);
    }
  }

  void compareWith(const Outcome<double> &exact, const Outcome<float> &plain, double slack = 0) {
    compareDevice("states", states, exact.states, plain.states, slack);
    compareDevice("keep", keep, exact.keep, plain.keep, slack);
    compareDevice("y", y, exact.y, plain.y, slack);
    compareDevice("ds", ds, exact.ds, plain.ds, slack);
    compareDevice("dUnit", dUnit, exact.dUnit, plain.dUnit, slack);
    compareDevice("dzx", dzx, exact.dzx, plain.dzx, slack);
    if (!add) compareDevice("dzh", dzhOwn, exact.dzh, plain.dzh, slack);
  }

 private:
  // ds[0] += dzh_t W_hh in the rows that t does not reset.
  void multiplyBack(int t) {
    if (!of.resets.empty()) {
      CALL(launch(function("elements", "mask_rows_kernel"), {2}, dzhOf(t), resetsOf(t), sent.at(), gates,
                  int64_t{of.batch} * gates));
    }
    const float *dzh = of.resets.empty() ? dzhOf(t) : sent.at();
    CALL(launch(function("gemm", "gemm_nn_kernel"), {1}, dzh, weights.at(), ds.at(), of.batch, of.hiddenSize,
                gates, gates, of.hiddenSize, of.hiddenSize, 1, 1.0f, squares(of.hiddenSize)));
  }

  int64_t squares(int columns) const { return pieces(of.batch, 64) * pieces(columns, 64); }
  int64_t stride() const { return static_cast<int64_t>(of.steps + 1) * static_cast<int64_t>(size); }
  float *before(int t) const { return states.at(of.before(t) * size); }
  float *after(int t) const { return states.at(of.after(t) * size); }
  float *keepOf(int t) const { return keep.at(t * size * of.cell.reserved); }
  float *dzh() const { return add ? dzx.at() : dzhOwn.at(); }
  float *dzhOf(int t) const { return dzh() + t * size * of.cell.gates; }
  int32_t *resetsOf(int t) const { return of.resets.empty() ? nullptr : resets.at(static_cast<size_t>(t) * of.batch); }
  size_t yOf(int t, int ld) const { return static_cast<size_t>(t) * of.batch * ld; }

  const Sequence &of;
  const bool add;
  const size_t size;
  const int gates;
  Device<float> zx, weights, weightsTransposed, biasIh, biasHh, unit, states, keep, y, ds, dUnit, dy, dzx, dzhOwn, zh,
      sent;
  Device<int32_t> lengths, resets;
};

void testCell(const PlainCell &cell, Shape shape, bool reverse, bool uneven) {
  Sequence of = problem(cell, shape, reverse, uneven, uneven);
  Outcome<double> exact(of);
  Outcome<float> plain(of);
  auto with = [&](const char *kernels, auto run) {
    about("%s %s %dx%dx%d%s%s", kernels, cell.name, shape.steps, shape.batch, shape.hiddenSize,
          reverse ? " reverse" : "", uneven ? " ragged and packed" : "");
    Session session;
    Run made(of, exact);
    run(made);
    CALL(cuCtxSynchronize());
    made.compareWith(exact, plain);
  };
  with("stepwise.h", [](Run &run) { run.stepwise(); });
  for (int rows : {1, 4}) with("step.h", [&](Run &run) { run.steps(rows); });
  const struct {
    int kept, rows, lanes;
  } ways[] = {{0, 1, 32}, {0, 2, 64}, {0, 4, 256}, {1, 1, 256}, {1, 2, 32}, {1, 4, 128}};
  for (const auto &way : ways) {
    std::string module = std::string("sequence-") + cell.name + "-KEPT=" + std::to_string(way.kept) +
                         "-ROWS=" + std::to_string(way.rows) + "-SLICE=12288";
    with(module.c_str(), [&](Run &run) { run.sequence(module, way.lanes, way.rows); });
  }
}

void testBlock(const PlainCell &cell, const BlockProgram &program, Shape shape, bool reverse, bool ragged,
               bool resets) {
  Sequence of = problem(cell, shape, reverse, ragged, resets);
  Outcome<double> exact(of, program.rounding());
  Outcome<float> plain(of, program.rounding());
  about("%s %dx%dx%d%s%s%s", program.key.c_str(), shape.steps, shape.batch, shape.hiddenSize, reverse ? " reverse" : "",
        ragged ? " ragged" : "", resets ? " resets" : "");
  Session session;
  Run made(of, exact);
  made.block(program);
  CALL(cuCtxSynchronize());
  made.compareWith(exact, plain, oneRounding(program, of, exact));
}

void testBlocks(const PlainCell &cell) {
  std::istringstream keys(cudasim::moduleKeys());
  for (std::string key; keys >> key;) {
    BlockProgram program(key, cell);
    if (program.lanes == 0) continue;
    int most = program.hidden;
    testBlock(cell, program, {4, 9, 65}, false, true, true);
    if (QUICK) continue;
    testBlock(cell, program, {1, 1, 1}, false, false, false);
    testBlock(cell, program, {3, 3, 7}, true, true, false);
    testBlock(cell, program, {2, 17, most - 1}, true, true, true);
    testBlock(cell, program, {3, 8, most}, false, false, true);
    testBlock(cell, program, {2, 4, 128}, true, false, false);
    if (most > 128) testBlock(cell, program, {2, 3, 129}, false, false, false);
  }
}

}  // namespace

void testRecurrences() {
  for (const PlainCell &cell : PLAIN_CELLS) {
    testBlocks(cell);
    if (!QUICK) testCell(cell, {1, 1, 1}, false, false);
    testCell(cell, {3, 9, 35}, true, true);
  }
}

}  // namespace test
}  // namespace unroll
