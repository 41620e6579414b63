// kernels/gpu/ctc.h against plain loops in double precision.
#include "../../cpu/test/plain_ctc.h"

#include "driver.h"

namespace unroll {
namespace test {
namespace {

void testProblem(int steps, int batch, int classes, int longest) {
  Random random(static_cast<uint64_t>(longest));
  CtcProblem p(steps, batch, classes, longest, random);
  auto rows = static_cast<size_t>(batch), frames = static_cast<size_t>(steps) * rows;
  auto labels = static_cast<size_t>(longest);
  Device<float> logits(p.logits), lse(frames, NOTHING), emission(frames * (labels + 1), NOTHING);
  Device<float> paths(2 * frames * (2 * labels + 3), NOTHING), loss(rows, NOTHING), scale(rows, NOTHING);
  Device<float> weight(rows, 2.0f), dLoss(1, 3.0f), dLogits(p.logits.size(), 0.5f);
  Device<int> symbols(p.symbols), labelLengths(p.labelLengths), lengths(p.lengths);
  about("CTC of %d frames, %d labels", steps, longest);
  CALL(launch(function("ctc", "ctc_emissions_kernel"), {3}, logits.at(), symbols.at(), lengths.at(), lse.at(),
              emission.at(), batch, classes, longest, static_cast<int64_t>(frames)));
  CALL(launch(function("ctc", "ctc_paths_kernel"), {2}, emission.at(), symbols.at(), labelLengths.at(), lengths.at(),
              weight.at(), paths.at(), loss.at(), scale.at(), steps, batch, longest, 0, int64_t{2} * batch));
  CALL(launch(function("ctc", "ctc_backward_kernel"), {3}, logits.at(), symbols.at(), labelLengths.at(), lengths.at(),
              lse.at(), emission.at(), paths.at(), scale.at(), dLoss.at(), dLogits.at(), steps, batch, classes,
              longest, 1.0f, static_cast<int64_t>(frames)));
  std::vector<float> losses = loss.read(), gradients = dLogits.read();
  for (int b = 0; b < batch; b++) {
    PlainCtc exact = p.exact(b);
    compare("loss", b, losses[static_cast<size_t>(b)], 2 * exact.loss, 1e-6 * exact.loss);
    for (int i = 0; i < steps * classes; i++) {
      int at = (i / classes * batch + b) * classes + i % classes;
      double expected = 2 * 3 * p.gradient(exact, b, i / classes, i % classes) + 0.5;
      compare("gradient", at, gradients[static_cast<size_t>(at)], expected, 1e-4);
    }
  }
}

}  // namespace

void testCtc() {
  Session session;
  testProblem(9, 2, 5, 3);
  if (!QUICK) testProblem(1, 1, 2, 1);
  if (!QUICK) testProblem(290, 2, 3, 140);
}

}  // namespace test
}  // namespace unroll
