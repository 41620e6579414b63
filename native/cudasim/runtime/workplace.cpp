#include <link.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "block.h"
#include "settings.h"

namespace unroll {
namespace cudasim {

namespace {

const unsigned char UNTOUCHED = 0xa5;
const size_t CANARY = 64;  // bytes at the far end of each stack

bool untouched(const void *at, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    if (static_cast<const unsigned char *>(at)[i] != UNTOUCHED) return false;
  }
  return true;
}

}  // namespace

Workplace::~Workplace() { clear(); }

void Workplace::clear() {
  Unwatched free;
  threads = std::vector<Thread>();
  for (Warp &warp : warps) {
    for (Exchange *exchange : warp.exchanges) delete exchange;
  }
  warps.clear();
  if (stacks != nullptr) munmap(stacks, stacksBytes);
  std::free(memory);
  stacks = nullptr;
  memory = nullptr;
  stacksBytes = memoryBytes = 0;
}

void Workplace::prepare(int count, size_t bytes) {
  size_t wanted = (settings().stackBytes + SHIFT) * static_cast<size_t>(count);
  if (stackBytes != settings().stackBytes || stacksBytes < wanted) {
    if (stacks != nullptr) munmap(stacks, stacksBytes);
    stackBytes = settings().stackBytes;
    stacksBytes = wanted;
    void *pages = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) {
      std::fprintf(stderr, "cudasim: no memory for %d stacks\n", count);
      std::abort();
    }
    stacks = static_cast<char *>(pages);
    for (int i = 0; i < count; i++) std::memset(stack(i), UNTOUCHED, CANARY);
  }
  if (memory == nullptr || memoryBytes < bytes + 2 * FENCE) {
    std::free(memory);
    memoryBytes = (bytes + 2 * FENCE + 127) / 128 * 128;
    memory = static_cast<unsigned char *>(std::aligned_alloc(128, memoryBytes));
    if (memory == nullptr) std::abort();
  }
  dynamicBytes = bytes;
  std::memset(memory, UNTOUCHED, FENCE);
  std::memset(memory + FENCE, 0xff, bytes);  // NaN
  std::memset(memory + FENCE + bytes, UNTOUCHED, FENCE);
  threads.resize(static_cast<size_t>(count));
  ready.resize(static_cast<size_t>(count));
  if (warps.size() < static_cast<size_t>(count + LANES - 1) / LANES) {
    warps.resize(static_cast<size_t>(count + LANES - 1) / LANES);
  }
}

std::string Workplace::damage(int count) const {
  if (!untouched(memory, FENCE)) return "wrote before its dynamic shared memory";
  if (!untouched(memory + FENCE + dynamicBytes, FENCE)) {
    return "wrote past its " + std::to_string(dynamicBytes) + " bytes of dynamic shared memory";
  }
  for (int i = 0; i < count; i++) {
    if (!untouched(stack(i), CANARY)) {
      return "thread " + std::to_string(i) + " used more than its " + std::to_string(stackBytes) +
             " bytes of stack; set UNROLL_CUDASIM_STACK";
    }
  }
  return "";
}

namespace {

// The copy of a section of thread-local variables that belongs to this OS thread.
struct Search {
  uintptr_t section;
  unsigned char *found;
};

int lookInto(dl_phdr_info *object, size_t, void *into) {
  Search &search = *static_cast<Search *>(into);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) &header = object->dlpi_phdr[i];
    uintptr_t start = object->dlpi_addr + header.p_vaddr;
    if (header.p_type != PT_TLS || search.section < start || search.section > start + header.p_memsz) continue;
    search.found = static_cast<unsigned char *>(object->dlpi_tls_data) + (search.section - start);
    return 1;
  }
  return 0;
}

unsigned char *sharedMemory(const Module &module) {
  thread_local std::vector<std::pair<const Module *, unsigned char *>> known;
  for (const auto &each : known) {
    if (each.first == &module) return each.second;
  }
  module.touch();
  Search search{reinterpret_cast<uintptr_t>(module.sharedStart), nullptr};
  dl_iterate_phdr(lookInto, &search);
  if (search.found == nullptr) {
    std::fprintf(stderr, "cudasim: module %s has no section for shared memory\n", module.key);
    std::abort();
  }
  known.emplace_back(&module, search.found);
  return search.found;
}

}  // namespace

void runBlock(Grid &grid, int64_t number, Cluster *cluster, int rank) {
  thread_local Workplace own;
  own.prepare(grid.threads, grid.launch.dynamicBytes);
  const Module &module = *grid.launch.entry->module;
  Block block(grid, number, cluster, rank, own);
  block.shared = sharedMemory(module);
  std::memset(block.shared, 0xff, module.sharedBytes);
  block.run();
}

}  // namespace cudasim
}  // namespace unroll
