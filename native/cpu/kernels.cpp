// The table of the kernels, each with about the nanoseconds that an item takes.
#include "kernels.h"

namespace unroll {
namespace ISA {
namespace {

int64_t one(const Argument *) { return 1; }

int64_t two(const Argument *) { return 2; }

// Where a launch has one item only, the cost does not matter.
const auto single = one;

// Columns below which the threads would read pieces of rows that are too short to come fast.
constexpr int64_t WORTH_A_CUT = 256;

int64_t columnSumCost(const Argument *args) {
  return args[3].integer < WORTH_A_CUT ? 0 : 1 + args[2].integer / 8;
}

int64_t scatterCost(const Argument *args) {
  return args[4].integer < WORTH_A_CUT ? 0 : 1 + args[3].integer / 4;
}

int64_t squareSumCost(const Argument *args) { return 1 + args[2].integer / args[3].integer / 8; }

int64_t crossEntropyCost(const Argument *args) { return 30 + args[4].integer; }

int64_t ctcEmissionsCost(const Argument *args) { return 30 + args[6].integer + args[7].integer; }

int64_t ctcPathsCost(const Argument *args) { return args[8].integer * (20 + 4 * args[10].integer); }

int64_t ctcBackwardCost(const Argument *args) { return 60 + args[12].integer + 8 * args[13].integer; }

int64_t sampleCost(const Argument *args) { return 30 + 4 * args[2].integer; }

int64_t softmaxForwardCost(const Argument *args) { return 30 + 2 * args[3].integer; }

int64_t softmaxBackwardCost(const Argument *args) { return 10 + args[4].integer; }

int64_t additiveForwardCost(const Argument *args) { return 10 + args[6].integer; }

int64_t additiveBackwardCost(const Argument *args) { return 2 + args[8].integer; }

}  // namespace

const KernelEntry kernels[] = {
    {"BIAS_ADD", biasAdd, one},
    {"COLUMN_SUM", columnSum, columnSumCost},
    {"GATHER_ROWS", gatherRows, one},
    {"MASK_ROWS", maskRows, one},
    {"SCATTER_ADD_ROWS", scatterAddRows, scatterCost},
    {"CROSS_ENTROPY_FORWARD", crossEntropyForward, crossEntropyCost},
    {"CROSS_ENTROPY_MEAN", crossEntropyMean, single},
    {"CROSS_ENTROPY_BACKWARD", crossEntropyBackward, one},
    {"SQUARED_ERROR_MEAN", squaredErrorMean, single},
    {"SQUARED_ERROR_BACKWARD", squaredErrorBackward, one},
    {"CTC_EMISSIONS", ctcEmissions, ctcEmissionsCost},
    {"CTC_PATHS", ctcPaths, ctcPathsCost},
    {"CTC_BACKWARD", ctcBackward, ctcBackwardCost},
    {"SAMPLE", sample, sampleCost},
    {"TANH_FORWARD", tanhForward, one},
    {"TANH_BACKWARD", tanhBackward, one},
    {"SIGMOID_FORWARD", sigmoidForward, one},
    {"SIGMOID_BACKWARD", sigmoidBackward, one},
    {"RELU_FORWARD", reluForward, one},
    {"RELU_BACKWARD", reluBackward, one},
    {"AXPBY", axpby, one},
    {"MULTIPLY", multiplyElements, one},
    {"COPY_ROWS", copyRows, one},
    {"TRANSPOSE", transposeMatrix, one},
    {"DROPOUT", dropout, one},
    {"SGD", sgd, one},
    {"MOMENTUM", momentum, one},
    {"ADAGRAD", adagrad, two},
    {"RMSPROP", rmsprop, two},
    {"ADAM", adam, two},
    {"SQUARE_SUM", squareSum, squareSumCost},
    {"CLIP_FACTOR", clipFactor, single},
    {"SCALE_BY", scaleBy, one},
    {"CLAMP", clamp, one},
    {"SOFTMAX_FORWARD", softmaxForward, softmaxForwardCost},
    {"SOFTMAX_BACKWARD", softmaxBackward, softmaxBackwardCost},
    {"ADDITIVE_SCORE_FORWARD", additiveScoreForward, additiveForwardCost},
    {"ADDITIVE_SCORE_BACKWARD", additiveScoreBackward, additiveBackwardCost},
    {"FILL", fill, one},
};
const int kernelCount = sizeof kernels / sizeof kernels[0];

}  // namespace ISA
}  // namespace unroll
