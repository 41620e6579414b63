// The driver's functions: memory, copies, fills.
#include <cstdlib>
#include <cstring>

#include "../runtime/settings.h"
#include "call.h"

using namespace unroll::cudasim;

namespace {

Address addressOf(const void *pointer) { return reinterpret_cast<Address>(pointer); }

Work copyOf(Address to, Address from, size_t bytes) {
  Work work;
  work.kind = Work::COPY;
  work.to = to;
  work.from = from;
  work.bytes = bytes;
  return work;
}

enum class Side { DEVICE, HOST };

void checkSide(Address address, size_t bytes, Side side) {
  if (side == Side::DEVICE) {
    checkDevice(address, bytes);
  } else if (address == 0 && bytes > 0) {
    refuse(INVALID_VALUE, "the host's pointer is null");
  } else if (isDevice(address, 0)) {
    refuse(INVALID_VALUE, "the host's pointer points to the device's memory");
  }
}

// Host memory that is not pinned is read before the call returns, and written before it does.
void copyAsync(Call &call, Address to, Side toSide, Address from, Side fromSide, size_t bytes, Stream *handle) {
  Stream &stream = checkedStream(call, handle);
  checkSide(to, bytes, toSide);
  checkSide(from, bytes, fromSide);
  if (bytes == 0) return;
  Work work = copyOf(to, from, bytes);
  bool pageableSource = fromSide == Side::HOST && !isPinned(from, bytes);
  bool pageableTarget = toSide == Side::HOST && !isPinned(to, bytes);
  if (stream.capture != nullptr && (pageableSource || pageableTarget)) {
    stream.capture->invalid = true;
    refuse(STREAM_CAPTURE_UNSUPPORTED, "a copy of host memory that is not pinned cannot be captured");
  }
  if (pageableSource) {
    const auto *bytesOfHost = reinterpret_cast<const unsigned char *>(from);
    work.staged.assign(bytesOfHost, bytesOfHost + bytes);
  }
  SignalPointer done = submit(stream, std::move(work));
  if (pageableTarget) finish(call, done);
}

void copyNow(Call &call, Address to, Side toSide, Address from, Side fromSide, size_t bytes) {
  notWhileCapturing(call);
  Stream &stream = checkedStream(call, nullptr);
  checkSide(to, bytes, toSide);
  checkSide(from, bytes, fromSide);
  if (bytes > 0) finish(call, enqueue(stream, copyOf(to, from, bytes)));
}

int set(const char *name, Address to, uint32_t value, int unit, size_t count, Stream *handle, bool wait) {
  return call(name, Needs::CONTEXT, [&](Call &call) {
    if (wait) notWhileCapturing(call);
    Stream &stream = checkedStream(call, handle);
    size_t bytes = count * static_cast<size_t>(unit);
    checkDevice(to, bytes);
    if (to % static_cast<unsigned>(unit) != 0) refuse(INVALID_VALUE, "the address is no multiple of %d", unit);
    if (bytes == 0) return;
    Work work;
    work.kind = Work::SET;
    work.to = to;
    work.bytes = bytes;
    work.value = value;
    work.unit = unit;
    SignalPointer done = submit(stream, std::move(work));
    if (wait) finish(call, done);
  });
}

void *allocateHost(Call &call, size_t bytes) {
  notWhileCapturing(call);
  if (bytes == 0) refuse(INVALID_VALUE, "0 bytes are asked for");
  void *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (memory == nullptr) refuse(OUT_OF_MEMORY, "the host has no %zu bytes", bytes);
  std::memset(memory, 0xff, bytes);
  machine().pinned[addressOf(memory)] = bytes;
  return memory;
}

Address allocateDevice(Call &call, size_t bytes) {
  if (bytes == 0) refuse(INVALID_VALUE, "0 bytes are asked for");
  Address address = allocate(*call.context, bytes);
  if (address == 0) {
    refuse(OUT_OF_MEMORY, "%zu bytes are asked for, %zu of %zu are left", bytes, freeBytes(), settings().memoryBytes);
  }
  return address;
}

void checkStart(Address address) {
  if (machine().allocations.count(address) == 0) {
    refuse(INVALID_VALUE, "0x%llx begins no allocation, or was freed before", static_cast<unsigned long long>(address));
  }
}

}  // namespace

API int cuMemAlloc_v2(Address *address, size_t bytes) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    notWhileCapturing(call);
    *checkedPointer(address, "address") = allocateDevice(call, bytes);
  });
}

// Waits for all work, as CUDA does.
API int cuMemFree_v2(Address address) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    if (address == 0) return;
    notWhileCapturing(call);
    checkStart(address);
    finishAll(call);
    checkStart(address);
    release(address);
  });
}

API int cuMemGetInfo_v2(size_t *free, size_t *total) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    if (free != nullptr) *free = freeBytes();
    if (total != nullptr) *total = settings().memoryBytes;
  });
}

API int cuMemGetAddressRange_v2(Address *start, size_t *bytes, Address address) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    checkDevice(address, 1);
    auto found = std::prev(machine().allocations.upper_bound(address));
    if (start != nullptr) *start = found->first;
    if (bytes != nullptr) *bytes = found->second.bytes;
  });
}

API int cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &call) { *checkedPointer(memory, "memory") = allocateHost(call, bytes); });
}

API int cuMemAllocHost_v2(void **memory, size_t bytes) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &call) { *checkedPointer(memory, "memory") = allocateHost(call, bytes); });
}

API int cuMemFreeHost(void *memory) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    notWhileCapturing(call);
    if (machine().pinned.count(addressOf(memory)) == 0) {
      refuse(INVALID_VALUE, "%p is no pinned memory, or was freed before", memory);
    }
    finishAll(call);
    machine().pinned.erase(addressOf(memory));
    std::free(memory);
  });
}

API int cuMemHostGetDevicePointer_v2(Address *address, void *memory, unsigned) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    if (!isPinned(addressOf(memory), 1)) refuse(INVALID_VALUE, "%p is no pinned memory", memory);
    *checkedPointer(address, "address") = addressOf(memory);
  });
}

API int cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &call) { copyNow(call, to, Side::DEVICE, addressOf(from), Side::HOST, bytes); });
}

API int cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &call) { copyNow(call, addressOf(to), Side::HOST, from, Side::DEVICE, bytes); });
}

API int cuMemcpyDtoD_v2(Address to, Address from, size_t bytes) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &call) { copyNow(call, to, Side::DEVICE, from, Side::DEVICE, bytes); });
}

API int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, Stream *stream) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &call) { copyAsync(call, to, Side::DEVICE, addressOf(from), Side::HOST, bytes, stream); });
}

API int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, Stream *stream) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &call) { copyAsync(call, addressOf(to), Side::HOST, from, Side::DEVICE, bytes, stream); });
}

API int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, Stream *stream) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &call) { copyAsync(call, to, Side::DEVICE, from, Side::DEVICE, bytes, stream); });
}

API int cuMemsetD8_v2(Address to, unsigned char value, size_t count) {
  return set(__func__, to, value, 1, count, nullptr, true);
}
API int cuMemsetD16_v2(Address to, unsigned short value, size_t count) {
  return set(__func__, to, value, 2, count, nullptr, true);
}
API int cuMemsetD32_v2(Address to, unsigned value, size_t count) {
  return set(__func__, to, value, 4, count, nullptr, true);
}
API int cuMemsetD8Async(Address to, unsigned char value, size_t count, Stream *stream) {
  return set(__func__, to, value, 1, count, stream, false);
}
API int cuMemsetD16Async(Address to, unsigned short value, size_t count, Stream *stream) {
  return set(__func__, to, value, 2, count, stream, false);
}
API int cuMemsetD32Async(Address to, unsigned value, size_t count, Stream *stream) {
  return set(__func__, to, value, 4, count, stream, false);
}
