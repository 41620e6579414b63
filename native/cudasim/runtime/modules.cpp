#include "modules.h"

#include <map>

namespace unroll {
namespace cudasim {

namespace {

// Made by the first to ask, because modules register before main begins.
std::map<std::string, const Module *> &modules() {
  static std::map<std::string, const Module *> all;
  return all;
}

}  // namespace

Registration::Registration(const Module *module) { modules()[module->key] = module; }

const Module *findModule(const std::string &key) {
  auto found = modules().find(key);
  return found == modules().end() ? nullptr : found->second;
}

const Entry *findEntry(const Module &module, const std::string &name) {
  for (int i = 0; i < module.count; i++) {
    if (module.entries[i].name == name) return &module.entries[i];
  }
  return nullptr;
}

std::string moduleKeys() {
  std::string all;
  for (const auto &module : modules()) all += (all.empty() ? "" : " ") + module.first;
  return all;
}

std::string entryNames(const Module &module) {
  std::string all;
  for (int i = 0; i < module.count; i++) all += (i == 0 ? "" : " ") + std::string(module.entries[i].name);
  return all;
}

}  // namespace cudasim
}  // namespace unroll
