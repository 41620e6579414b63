#include <cmath>

#include "launch.h"
#include "plain_ctc.h"

namespace unroll {
namespace test {
namespace {

// Loss and gradient of a batch, whose rows count twice and whose loss has the gradient 3.
struct Solved {
  Floats loss, scale, gradient;

  Solved(Context &context, CtcProblem &p, double beta)
      : loss(static_cast<size_t>(p.batch), NOTHING), scale(loss.size(), NOTHING),
        gradient(p.logits.size(), beta == 0 ? NOTHING : 0.5f) {
    size_t frames = static_cast<size_t>(p.steps) * static_cast<size_t>(p.batch);
    size_t longest = static_cast<size_t>(p.longest);
    Floats logits(p.logits), lse(frames, NOTHING), emission(frames * (longest + 1), NOTHING);
    Floats paths(2 * frames * (2 * longest + 3), NOTHING), weight(loss.size(), 2), dLoss(1, 3);
    Array<int32_t> symbols(p.symbols), labels(p.labelLengths), lengths(p.lengths);
    run(context, "CTC_EMISSIONS", static_cast<int64_t>(frames),
        {pointer(logits.data()), pointer(symbols.data()), pointer(lengths.data()), pointer(lse.data()),
         pointer(emission.data()), integer(p.batch), integer(p.classes), integer(p.longest)});
    run(context, "CTC_PATHS", 2 * p.batch,
        {pointer(emission.data()), pointer(symbols.data()), pointer(labels.data()), pointer(lengths.data()),
         pointer(weight.data()), pointer(paths.data()), pointer(loss.data()), pointer(scale.data()),
         integer(p.steps), integer(p.batch), integer(p.longest), integer(0)});
    run(context, "CTC_BACKWARD", static_cast<int64_t>(frames),
        {pointer(logits.data()), pointer(symbols.data()), pointer(labels.data()), pointer(lengths.data()),
         pointer(lse.data()), pointer(emission.data()), pointer(paths.data()), pointer(scale.data()),
         pointer(dLoss.data()), pointer(gradient.data()), integer(p.steps), integer(p.batch),
         integer(p.classes), integer(p.longest), real(beta)});
  }
};

void testProblem(Context &context, int steps, int batch, int classes, int longest) {
  Random random(static_cast<uint64_t>(longest));
  CtcProblem p(steps, batch, classes, longest, random);
  for (int beta : {0, 1}) {
    Solved found(context, p, beta);
    about("%s CTC of %d frames, %d labels", context.isa->name, steps, longest);
    for (int b = 0; b < batch; b++) {
      PlainCtc exact = p.exact(b);
      size_t row = static_cast<size_t>(b);
      compare("loss", b, found.loss[row], 2 * exact.loss, 1e-6 * exact.loss);
      compare("scale", b, found.scale[row], 2, 0);
      for (int i = 0; i < steps * classes; i++) {
        int at = (i / classes * batch + b) * classes + i % classes;
        double expected = 2 * 3 * p.gradient(exact, b, i / classes, i % classes) + beta * 0.5;
        compare("gradient", at, found.gradient[static_cast<size_t>(at)], expected, 1e-4);
      }
    }
  }
}

// Two equal labels in two frames.
void testImpossible(Context &context) {
  Random random(1);
  CtcProblem p(2, 2, 3, 2, random);
  p.symbols[1] = p.symbols[2] = 1;
  Solved found(context, p, 0);
  if (found.loss[0] != INFINITY) fail("an impossible row costs %g", static_cast<double>(found.loss[0]));
  for (size_t i = 0; i < 3; i++) compare("its gradient", static_cast<int>(i), found.gradient[i], NAN, 0);
  compare("next row", 3, found.gradient[3], 6 * p.gradient(p.exact(1), 1, 0, 0), 1e-5);
}

}  // namespace

void testCtc(const Isa &isa) {
  Context context(3, &isa);
  testProblem(context, 1, 1, 2, 1);
  testProblem(context, 9, 2, 5, 3);
  testProblem(context, 60, 3, 35, 16);
  testProblem(context, 80, 2, 7, 33);
  testImpossible(context);
}

}  // namespace test
}  // namespace unroll
