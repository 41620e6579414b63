#include "registry.h"

#include <cstring>
#include <map>

namespace unroll {
namespace cudasim {

namespace {

// Made by the first to ask, because modules register before main begins.
std::map<std::string, Module *> &modules() {
  static std::map<std::string, Module *> all;
  return all;
}

}  // namespace

const Entry *Module::find(const char *name) const {
  for (const Entry &entry : entries) {
    if (std::strcmp(entry.name, name) == 0) return &entry;
  }
  return nullptr;
}

void add(Module *module) { modules()[module->key] = module; }

const Module *findModule(const std::string &key) {
  auto found = modules().find(key);
  return found == modules().end() ? nullptr : found->second;
}

std::string moduleKeys() {
  std::string all;
  for (const auto &module : modules()) all += (all.empty() ? "" : " ") + module.first;
  return all;
}

Registration::Registration(const char *key, int threads, int cluster, const unsigned char *start,
                           const unsigned char *stop, const void *(*touch)(),
                           std::initializer_list<Entry> entries)
    : module{key, threads, cluster, start, static_cast<size_t>(stop - start), touch, entries} {
  for (Entry &entry : module.entries) entry.module = &module;
  add(&module);
}

}  // namespace cudasim
}  // namespace unroll
