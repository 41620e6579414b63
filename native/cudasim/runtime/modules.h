// The modules that were compiled into this library.
#pragma once

#include <string>

#include "registry.h"

namespace unroll {
namespace cudasim {

// Null if there is none.
const Module *findModule(const std::string &key);
const Entry *findEntry(const Module &module, const std::string &name);
// All keys, and all names, with a space between them.
std::string moduleKeys();
std::string entryNames(const Module &module);

}  // namespace cudasim
}  // namespace unroll
