#include "recurrence.h"

#include "simd.h"

namespace unroll {
namespace ISA {

const CellEntry cells[] = {{}};
const int cellCount = 0;

}  // namespace ISA
}  // namespace unroll
