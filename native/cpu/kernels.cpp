#include "kernels.h"

#include "simd.h"

namespace unroll {
namespace ISA {

const KernelEntry kernels[] = {{}};
const int kernelCount = 0;

}  // namespace ISA
}  // namespace unroll
