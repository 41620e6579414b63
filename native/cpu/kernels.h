#pragma once

#include "isa.h"

namespace unroll {
namespace ISA {

// Every kernel of io.unroll.device.Kernel but those of the cells.
extern const KernelEntry kernels[];
extern const int kernelCount;

}  // namespace ISA
}  // namespace unroll
