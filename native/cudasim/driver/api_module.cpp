// The driver's functions: modules, functions, launches.
#include <algorithm>
#include <cstring>

#include "attributes.h"
#include "launches.h"
#include "../runtime/settings.h"

namespace unroll {
namespace cudasim {

namespace {

const char MAGIC[] = "UNROLL_CUDASIM ";

// An image is "UNROLL_CUDASIM key" and a line feed.
const Module &moduleOf(const char *image) {
  if (std::strncmp(image, MAGIC, sizeof MAGIC - 1) != 0) {
    refuse(INVALID_IMAGE, "the image is none of this simulation, which begins with \"%s\"", MAGIC);
  }
  const char *key = image + sizeof MAGIC - 1;
  std::string name(key, strcspn(key, "\n"));
  const Module *module = findModule(name);
  if (module == nullptr) {
    refuse(NO_BINARY_FOR_GPU, "there is no module \"%s\", only %s", name.c_str(), moduleKeys().c_str());
  }
  return *module;
}

void load(Call &call, LoadedModule **loaded, const void *image) {
  notWhileCapturing(call);
  const Module &module = moduleOf(static_cast<const char *>(checkedPointer(image, "image")));
  auto *made = new LoadedModule{call.context, &module};
  machine().handles.insert(made);
  *checkedPointer(loaded, "module") = made;
}

// The functions of a module die with it.
std::vector<Function *> &functions() {
  static auto *all = new std::vector<Function *>;
  return *all;
}

void checkShape(const Function &function, const LaunchShape &shape) {
  const Module &module = *function.entry->module;
  uint64_t threads = static_cast<uint64_t>(shape.block.x) * shape.block.y * shape.block.z;
  uint64_t blocks = static_cast<uint64_t>(shape.grid.x) * shape.grid.y * shape.grid.z;
  if (threads == 0 || blocks == 0 || shape.grid.y > 65535 || shape.grid.z > 65535 || shape.grid.x > 2147483647u) {
    refuse(INVALID_VALUE, "%s: a grid of %u x %u x %u blocks of %llu threads", function.entry->name, shape.grid.x,
           shape.grid.y, shape.grid.z, static_cast<unsigned long long>(threads));
  }
  if (threads > static_cast<uint64_t>(module.threads)) {
    refuse(LAUNCH_OUT_OF_RESOURCES, "%s takes blocks of at most %d threads, not %llu", function.entry->name,
           module.threads, static_cast<unsigned long long>(threads));
  }
  if (shape.dynamicBytes > static_cast<unsigned>(function.dynamicLimit)) {
    refuse(INVALID_VALUE, "%s may have %d bytes of dynamic shared memory, not %u; cuFuncSetAttribute raises that",
           function.entry->name, function.dynamicLimit, shape.dynamicBytes);
  }
  if (shape.grid.x % static_cast<unsigned>(module.cluster) != 0) {
    refuse(INVALID_CLUSTER_SIZE, "%s has clusters of %d blocks, which do not divide %u", function.entry->name,
           module.cluster, shape.grid.x);
  }
  if (module.cluster > PORTABLE_CLUSTER && !function.largeClusters) {
    refuse(INVALID_CLUSTER_SIZE, "%s has clusters of %d blocks, more than %d; cuFuncSetAttribute allows that",
           function.entry->name, module.cluster, PORTABLE_CLUSTER);
  }
  int atOnce = blocksOfProcessor(function, static_cast<int>(threads), shape.dynamicBytes) * settings().processors;
  if (shape.cooperative && blocks > static_cast<uint64_t>(atOnce)) {
    refuse(COOPERATIVE_LAUNCH_TOO_LARGE, "%s: %llu blocks must run at once, the device runs %d", function.entry->name,
           static_cast<unsigned long long>(blocks), atOnce);
  }
}

// Parameters lie in a buffer at multiples of their sizes.
const unsigned char *bufferOf(void **extra, size_t &bytes) {
  const unsigned char *buffer = nullptr;
  bytes = 0;
  for (; extra[0] != nullptr; extra += 2) {
    auto what = reinterpret_cast<uintptr_t>(extra[0]);
    if (what == 1) buffer = static_cast<const unsigned char *>(extra[1]);
    if (what == 2) bytes = *static_cast<const size_t *>(extra[1]);
  }
  return buffer;
}

}  // namespace

size_t staticShared(const Entry &entry) {
  // The section is that of all entries of the module, which share it about evenly.
  return entry.module->sharedBytes / static_cast<size_t>(entry.module->count);
}

int blocksOfProcessor(const Function &function, int threads, size_t dynamicBytes) {
  size_t shared = dynamicBytes + staticShared(*function.entry) + RESERVED_SHARED;
  int byShared = static_cast<int>(SHARED_OF_PROCESSOR / shared);
  int whole = (threads + 31) / 32 * 32;
  return std::min({BLOCKS_OF_PROCESSOR, THREADS_OF_PROCESSOR / std::max(1, whole), byShared});
}

Work launchOf(Function &function, const LaunchShape &shape, void **parameters, void **extra) {
  checkShape(function, shape);
  const Entry &entry = *function.entry;
  size_t bytes = 0, at = 0;
  const unsigned char *buffer = parameters == nullptr && extra != nullptr ? bufferOf(extra, bytes) : nullptr;
  if (entry.count > 0 && parameters == nullptr && buffer == nullptr) {
    refuse(INVALID_VALUE, "%s has %d parameters, and none are given", entry.name, entry.count);
  }
  Work work;
  work.kind = Work::KERNEL;
  work.function = &function;
  work.grid = shape.grid;
  work.block = shape.block;
  work.dynamicBytes = shape.dynamicBytes;
  work.cooperative = shape.cooperative;
  for (int i = 0; i < entry.count; i++) {
    size_t size = entry.parameters[i].bytes;
    uint64_t value = 0;
    if (size > sizeof value) refuse(NOT_SUPPORTED, "%s has a parameter of %zu bytes", entry.name, size);
    if (buffer != nullptr) {
      at = (at + size - 1) / size * size;
      if (at + size > bytes) refuse(INVALID_VALUE, "%s has more parameters than %zu bytes", entry.name, bytes);
      std::memcpy(&value, buffer + at, size);
      at += size;
    } else {
      std::memcpy(&value, checkedPointer(parameters[i], "the address of a parameter"), size);
    }
    work.arguments.push_back(value);
  }
  return work;
}

}  // namespace cudasim
}  // namespace unroll

using namespace unroll::cudasim;

API int cuModuleLoadData(LoadedModule **module, const void *image) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) { load(call, module, image); });
}
API int cuModuleLoadDataEx(LoadedModule **module, const void *image, unsigned, void *, void **) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) { load(call, module, image); });
}
API int cuModuleLoadFatBinary(LoadedModule **module, const void *image) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) { load(call, module, image); });
}

API int cuModuleLoad(LoadedModule **module, const char *file) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    FILE *from = std::fopen(checkedPointer(file, "file"), "r");
    if (from == nullptr) refuse(FILE_NOT_FOUND, "there is no file %s", file);
    char image[300] = "";
    size_t read = std::fread(image, 1, sizeof image - 1, from);
    std::fclose(from);
    image[read] = 0;
    load(call, module, image);
  });
}

API int cuModuleGetLoadingMode(int *mode) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) { *checkedPointer(mode, "mode") = 1; });  // eager
}

API int cuModuleUnload(LoadedModule *module) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    checked(module, "module");
    notWhileCapturing(call);
    finishAll(call);
    for (Function *function : functions()) {
      if (function->module == module) machine().handles.erase(function);
    }
    machine().handles.erase(module);
  });
}

API int cuModuleGetFunction(Function **function, LoadedModule *module, const char *name) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    LoadedModule &of = checked(module, "module");
    const Entry *entry = findEntry(*of.module, checkedPointer(name, "name"));
    if (entry == nullptr) {
      refuse(NOT_FOUND, "module %s has no function %s, only %s", of.module->key, name, entryNames(*of.module).c_str());
    }
    for (Function *known : functions()) {
      if (known->module == module && known->entry == entry && machine().handles.count(known) != 0) {
        *checkedPointer(function, "function") = known;
        return;
      }
    }
    auto *made = new Function{module, entry, SHARED_OF_BLOCK - static_cast<int>(staticShared(*entry)), false};
    if (made->dynamicLimit < 0) made->dynamicLimit = 0;
    functions().push_back(made);
    machine().handles.insert(made);
    *checkedPointer(function, "function") = made;
  });
}

API int cuFuncGetModule(LoadedModule **module, Function *function) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &) { *checkedPointer(module, "module") = checked(function, "function").module; });
}

API int cuFuncGetAttribute(int *value, int attribute, Function *function) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    const Function &of = checked(function, "function");
    const Module &module = *of.entry->module;
    const int values[] = {module.threads, static_cast<int>(staticShared(*of.entry)), 0, 0, 32, 90, 90, 0,
                          of.dynamicLimit, -1, module.cluster > 1 ? 1 : 0, module.cluster > 1 ? module.cluster : 0,
                          module.cluster > 1 ? 1 : 0, module.cluster > 1 ? 1 : 0, of.largeClusters ? 1 : 0, 0};
    if (attribute < 0 || attribute >= static_cast<int>(sizeof values / sizeof values[0])) {
      refuse(INVALID_VALUE, "%d is no attribute of a function", attribute);
    }
    *checkedPointer(value, "value") = values[attribute];
  });
}

API int cuFuncSetAttribute(Function *function, int attribute, int value) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Function &of = checked(function, "function");
    if (attribute == 14) {
      of.largeClusters = value != 0;
      return;
    }
    if (attribute == 9) return;  // a wish for the split between shared memory and cache
    if (attribute != 8) refuse(INVALID_VALUE, "attribute %d of a function cannot be set", attribute);
    int most = MOST_SHARED_OF_BLOCK - static_cast<int>(staticShared(*of.entry));
    if (value < 0 || value > most) {
      refuse(INVALID_VALUE, "%s may have at most %d bytes of dynamic shared memory, not %d", of.entry->name, most,
             value);
    }
    of.dynamicLimit = value;
  });
}

API int cuFuncSetCacheConfig(Function *function, int) {
  return call(__func__, Needs::CONTEXT, [&](Call &) { checked(function, "function"); });
}

API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Function *function, int threads, size_t dynamicBytes) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    *checkedPointer(blocks, "blocks") = blocksOfProcessor(checked(function, "function"), threads, dynamicBytes);
  });
}
API int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, Function *function, int threads,
                                                             size_t dynamicBytes, unsigned) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, dynamicBytes);
}

API int cuLaunchKernel(Function *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                       unsigned blockY, unsigned blockZ, unsigned dynamicBytes, Stream *stream, void **parameters,
                       void **extra) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    LaunchShape shape{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, dynamicBytes, false};
    Stream &in = checkedStream(call, stream);
    submit(in, launchOf(checked(function, "function"), shape, parameters, extra));
  });
}

API int cuLaunchCooperativeKernel(Function *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                  unsigned blockY, unsigned blockZ, unsigned dynamicBytes, Stream *stream,
                                  void **parameters) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    LaunchShape shape{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, dynamicBytes, true};
    Stream &in = checkedStream(call, stream);
    submit(in, launchOf(checked(function, "function"), shape, parameters, nullptr));
  });
}

API int cuLaunchHostFunc(Stream *stream, void (*function)(void *), void *data) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    Work work;
    work.kind = Work::HOST;
    work.host = checkedPointer(function, "function");
    work.data = data;
    submit(checkedStream(call, stream), std::move(work));
  });
}
