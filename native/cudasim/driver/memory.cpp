// The device's memory is the host's. Each allocation has guards on both sides and holds no numbers at first.
#include <cstdlib>
#include <cstring>

#include "../runtime/settings.h"
#include "machine.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes)
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#endif

namespace unroll {
namespace cudasim {

namespace {

const size_t GRAIN = 512;  // of what an allocation uses up
const size_t GUARD = 512;  // bytes on either side at least; CUDA aligns allocations to 256
const unsigned char UNTOUCHED = 0xa5;

size_t whole(size_t bytes) { return (bytes + GRAIN - 1) / GRAIN * GRAIN; }

bool within(Address start, size_t size, Address address, size_t bytes) {
  return address >= start && address - start <= size && bytes <= size - (address - start);
}

__attribute__((no_sanitize("address"))) size_t writtenAt(const unsigned char *guard, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    if (guard[i] != UNTOUCHED) return i;
  }
  return bytes;
}

// How many bytes behind an allocation are guard: its own and what fills up the last grain.
size_t behind(const Allocation &of) { return whole(of.bytes) - of.bytes + GUARD; }

void free(Address address, const Allocation &of) {
  (void)address;
  ASAN_UNPOISON_MEMORY_REGION(of.block, whole(of.bytes) + 2 * GUARD);
  std::free(of.block);
  machine().used -= whole(of.bytes);
}

}  // namespace

size_t freeBytes() {
  size_t used = machine().used + settings().takenBytes;
  return used < settings().memoryBytes ? settings().memoryBytes - used : 0;
}

// 0 if there is no room.
Address allocate(Context &context, size_t bytes) {
  Machine &all = machine();
  if (bytes > settings().memoryBytes || whole(bytes) > freeBytes()) return 0;
  auto *block = static_cast<unsigned char *>(std::aligned_alloc(GRAIN, whole(bytes) + 2 * GUARD));
  if (block == nullptr) return 0;
  Allocation made{bytes, block, &context};
  std::memset(block, UNTOUCHED, GUARD);
  std::memset(block + GUARD, 0xff, bytes);  // NaN
  std::memset(block + GUARD + bytes, UNTOUCHED, behind(made));
  ASAN_POISON_MEMORY_REGION(block, GUARD);
  ASAN_POISON_MEMORY_REGION(block + GUARD + bytes, behind(made));
  all.used += whole(bytes);
  auto address = reinterpret_cast<Address>(block + GUARD);
  all.allocations[address] = made;
  return address;
}

void release(Address address) {
  auto found = machine().allocations.find(address);
  free(found->first, found->second);
  machine().allocations.erase(found);
}

void releaseAll(Context &context) {
  auto &all = machine().allocations;
  for (auto each = all.begin(); each != all.end();) {
    if (each->second.context != &context) {
      ++each;
      continue;
    }
    free(each->first, each->second);
    each = all.erase(each);
  }
}

bool isDevice(Address address, size_t bytes) {
  auto above = machine().allocations.upper_bound(address);
  if (above == machine().allocations.begin()) return false;
  --above;
  return within(above->first, above->second.bytes, address, bytes);
}

bool isPinned(Address address, size_t bytes) {
  auto above = machine().pinned.upper_bound(address);
  if (above == machine().pinned.begin()) return false;
  --above;
  return within(above->first, above->second, address, bytes);
}

std::string brokenGuards() {
  for (const auto &each : machine().allocations) {
    const Allocation &of = each.second;
    size_t before = writtenAt(of.block, GUARD), after = writtenAt(of.block + GUARD + of.bytes, behind(of));
    char line[200];
    if (before < GUARD) {
      std::snprintf(line, sizeof line, "something wrote %zu bytes before the allocation of %zu bytes at 0x%llx",
                    GUARD - before, of.bytes, static_cast<unsigned long long>(each.first));
      return line;
    }
    if (after < behind(of)) {
      std::snprintf(line, sizeof line, "something wrote to byte %zu behind the allocation of %zu bytes at 0x%llx",
                    after, of.bytes, static_cast<unsigned long long>(each.first));
      return line;
    }
  }
  return "";
}

}  // namespace cudasim
}  // namespace unroll
