// The driver's functions: initialization, devices, contexts, errors.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>

#include "../runtime/fiber.h"
#include "../runtime/settings.h"
#include "attributes.h"
#include "call.h"

using namespace unroll::cudasim;

namespace {

void checkOrdinal(int device) {
  if (device != 0) refuse(INVALID_DEVICE, "there is no device %d, only 0", device);
}

// The file that is locked while the primary context is retained, or -1.
int lockFile = -1;

// What the device's mode allows. An exclusive device belongs to the process that has locked the file.
void takeDevice() {
  if (settings().mode == Mode::NOBODY) refuse(DEVICE_UNAVAILABLE, "the mode of the device is prohibited");
  if (settings().mode != Mode::EXCLUSIVE || lockFile >= 0) return;
  lockFile = open(settings().lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lockFile < 0) refuse(OPERATING_SYSTEM, "the file %s cannot be opened", settings().lock);
  if (flock(lockFile, LOCK_EX | LOCK_NB) == 0) return;
  close(lockFile);
  lockFile = -1;
  refuse(DEVICE_UNAVAILABLE, "the device is exclusive, and another process has locked %s", settings().lock);
}

void leaveDevice() {
  if (lockFile >= 0) close(lockFile);
  lockFile = -1;
}

void discard(Call &call, Context &context) {
  waitForAll(call.lock, context);
  std::string broken = context.error == SUCCESS ? brokenGuards() : "";
  std::vector<std::shared_ptr<Stream>> streams(context.streams.begin(), context.streams.end());
  for (const auto &stream : streams) closeStream(*stream);
  context.legacy = nullptr;
  releaseAll(context);
  context.error = SUCCESS;
  if (!broken.empty()) refuse(ILLEGAL_ADDRESS, "%s", broken.c_str());
}

Context &checkedContext(Context *context) {
  if (context == nullptr || machine().handles.count(context) == 0) {
    refuse(INVALID_CONTEXT, "%p is no context", static_cast<void *>(context));
  }
  return *context;
}

}  // namespace

API int cuInit(unsigned flags) {
  return call(__func__, Needs::NOTHING, [&](Call &) {
    if (flags != 0) refuse(INVALID_VALUE, "flags must be 0, not %u", flags);
    machine().initialized = true;
  });
}

API int cuDriverGetVersion(int *version) {
  return call(__func__, Needs::NOTHING, [&](Call &) { *checkedPointer(version, "version") = settings().driver; });
}

API int cuGetErrorName(int error, const char **name) {
  return call(__func__, Needs::NOTHING, [&](Call &) {
    *checkedPointer(name, "name") = nameOf(error);
    if (*name == nullptr) refuse(INVALID_VALUE, "%d is no error of this driver", error);
  });
}

API int cuGetErrorString(int error, const char **text) {
  return call(__func__, Needs::NOTHING, [&](Call &) {
    *checkedPointer(text, "text") = textOf(error);
    if (*text == nullptr) refuse(INVALID_VALUE, "%d is no error of this driver", error);
  });
}

API int cuDeviceGetCount(int *count) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) { *checkedPointer(count, "count") = 1; });
}

API int cuDeviceGet(int *device, int ordinal) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(ordinal);
    *checkedPointer(device, "device") = 0;
  });
}

API int cuDeviceGetName(char *name, int length, int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    std::snprintf(checkedPointer(name, "name"), static_cast<size_t>(length), "simulated sm_90 (%s)", FIBER_KIND);
  });
}

API int cuDeviceGetUuid(void *uuid, int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    std::memcpy(checkedPointer(uuid, "uuid"), "unroll cuda sim", 16);
  });
}
API int cuDeviceGetUuid_v2(void *uuid, int device) { return cuDeviceGetUuid(uuid, device); }

API int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    *checkedPointer(bytes, "bytes") = settings().memoryBytes;
  });
}

API int cuDeviceGetAttribute(int *value, int attribute, int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    *checkedPointer(value, "value") = attributeOf(attribute);
  });
}

API int cuDeviceComputeCapability(int *major, int *minor, int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    *checkedPointer(major, "major") = attributeOf(75);
    *checkedPointer(minor, "minor") = attributeOf(76);
  });
}

API int cuDeviceGetPCIBusId(char *id, int length, int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    std::snprintf(checkedPointer(id, "id"), static_cast<size_t>(length), "0000:00:00.0");
  });
}

API int cuDevicePrimaryCtxRetain(Context **context, int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    Context &primary = machine().primary;
    takeDevice();
    primary.primary = true;
    primary.destroyed = false;
    primary.references++;
    machine().handles.insert(&primary);
    *checkedPointer(context, "context") = &primary;
  });
}

API int cuDevicePrimaryCtxRelease_v2(int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &call) {
    checkOrdinal(device);
    Context &primary = machine().primary;
    if (primary.references == 0) refuse(INVALID_CONTEXT, "the primary context is not retained");
    if (--primary.references > 0) return;
    primary.destroyed = true;
    leaveDevice();
    discard(call, primary);
  });
}

API int cuDevicePrimaryCtxReset_v2(int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &call) {
    checkOrdinal(device);
    discard(call, machine().primary);
  });
}

API int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    *checkedPointer(flags, "flags") = 0;
    *checkedPointer(active, "active") = machine().primary.references > 0 ? 1 : 0;
  });
}

API int cuCtxCreate_v2(Context **context, unsigned, int device) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    checkOrdinal(device);
    auto *made = new Context;  // kept after its end, because threads may still name it
    machine().handles.insert(made);
    contextStack().push_back(made);
    *checkedPointer(context, "context") = made;
  });
}

API int cuCtxDestroy_v2(Context *context) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &call) {
    Context &of = checkedContext(context);
    if (of.primary) refuse(INVALID_CONTEXT, "the primary context is released, not destroyed");
    auto &stack = contextStack();
    if (!stack.empty() && stack.back() == context) stack.pop_back();
    of.destroyed = true;
    machine().handles.erase(context);
    discard(call, of);
  });
}

API int cuCtxSetCurrent(Context *context) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) {
    auto &stack = contextStack();
    if (context != nullptr) checkedContext(context);
    if (!stack.empty()) stack.pop_back();
    if (context != nullptr) stack.push_back(context);
  });
}

API int cuCtxGetCurrent(Context **context) {
  return call(__func__, Needs::INITIALIZATION,
              [&](Call &call) { *checkedPointer(context, "context") = call.context; });
}

API int cuCtxPushCurrent_v2(Context *context) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &) { contextStack().push_back(&checkedContext(context)); });
}

API int cuCtxPopCurrent_v2(Context **context) {
  return call(__func__, Needs::INITIALIZATION, [&](Call &call) {
    if (call.context == nullptr) refuse(INVALID_CONTEXT, "no context is current on this thread");
    if (context != nullptr) *context = call.context;
    contextStack().pop_back();
  });
}

API int cuCtxGetDevice(int *device) {
  return call(__func__, Needs::CONTEXT, [&](Call &) { *checkedPointer(device, "device") = 0; });
}

API int cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    if (least != nullptr) *least = 0;
    if (greatest != nullptr) *greatest = 0;
  });
}

API int cuCtxSynchronize() {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    notWhileCapturing(call);
    finishAll(call);
  });
}
