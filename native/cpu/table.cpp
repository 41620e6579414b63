// The table of one instruction set.
#include "kernels.h"
#include "multiply.h"
#include "recurrence.h"

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

namespace unroll {
namespace ISA {

extern const Isa table;
const Isa table = {TEXT(ISA), LANES, multiply, cells, cellCount, kernels, kernelCount};

}  // namespace ISA
}  // namespace unroll
