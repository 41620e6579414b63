#pragma once

#include "isa.h"
#include "simd.h"

namespace unroll {
namespace ISA {

void multiply(Context &context, const Product &product);

// Up to so many rows of C a product is computed without packing, where its operands lie well.
constexpr int FEW_ROWS = 3;

// Computes it if it is such a product; else returns false.
bool multiplyFew(Context &context, const Product &product);

}  // namespace ISA
}  // namespace unroll
