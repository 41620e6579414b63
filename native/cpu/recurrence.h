#pragma once

#include "isa.h"

namespace unroll {
namespace ISA {

// Every cell of kernels/cells.
extern const CellEntry cells[];
extern const int cellCount;

}  // namespace ISA
}  // namespace unroll
