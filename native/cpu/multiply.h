#pragma once

#include "isa.h"
#include "simd.h"

namespace unroll {
namespace ISA {

void multiply(Context &context, const Product &product);

}  // namespace ISA
}  // namespace unroll
