#pragma once

#include "isa.h"

namespace unroll {
namespace ISA {

// Every kernel of io.unroll.device.Kernel but those of the cells, and FILL.
extern const KernelEntry kernels[];
extern const int kernelCount;

// The functions behind the table; their arguments are those of io.unroll.device.Kernel. What an item
// becomes does not depend on how the items are cut.

void biasAdd(const Argument *args, int64_t from, int64_t to);
void tanhForward(const Argument *args, int64_t from, int64_t to);
void tanhBackward(const Argument *args, int64_t from, int64_t to);
void sigmoidForward(const Argument *args, int64_t from, int64_t to);
void sigmoidBackward(const Argument *args, int64_t from, int64_t to);
void reluForward(const Argument *args, int64_t from, int64_t to);
void reluBackward(const Argument *args, int64_t from, int64_t to);
void axpby(const Argument *args, int64_t from, int64_t to);
void multiplyElements(const Argument *args, int64_t from, int64_t to);
void dropout(const Argument *args, int64_t from, int64_t to);
void scaleBy(const Argument *args, int64_t from, int64_t to);
void clamp(const Argument *args, int64_t from, int64_t to);
void fill(const Argument *args, int64_t from, int64_t to);

void gatherRows(const Argument *args, int64_t from, int64_t to);
void maskRows(const Argument *args, int64_t from, int64_t to);
void scatterAddRows(const Argument *args, int64_t from, int64_t to);
void copyRows(const Argument *args, int64_t from, int64_t to);
void transposeMatrix(const Argument *args, int64_t from, int64_t to);

void columnSum(const Argument *args, int64_t from, int64_t to);
void squareSum(const Argument *args, int64_t from, int64_t to);
void clipFactor(const Argument *args, int64_t from, int64_t to);

void crossEntropyForward(const Argument *args, int64_t from, int64_t to);
void crossEntropyMean(const Argument *args, int64_t from, int64_t to);
void crossEntropyBackward(const Argument *args, int64_t from, int64_t to);
void squaredErrorMean(const Argument *args, int64_t from, int64_t to);
void squaredErrorBackward(const Argument *args, int64_t from, int64_t to);

void ctcEmissions(const Argument *args, int64_t from, int64_t to);
void ctcPaths(const Argument *args, int64_t from, int64_t to);
void ctcBackward(const Argument *args, int64_t from, int64_t to);

void sample(const Argument *args, int64_t from, int64_t to);

void softmaxForward(const Argument *args, int64_t from, int64_t to);
void softmaxBackward(const Argument *args, int64_t from, int64_t to);
void additiveScoreForward(const Argument *args, int64_t from, int64_t to);
void additiveScoreBackward(const Argument *args, int64_t from, int64_t to);

void sgd(const Argument *args, int64_t from, int64_t to);
void momentum(const Argument *args, int64_t from, int64_t to);
void adagrad(const Argument *args, int64_t from, int64_t to);
void rmsprop(const Argument *args, int64_t from, int64_t to);
void adam(const Argument *args, int64_t from, int64_t to);

}  // namespace ISA
}  // namespace unroll
