// What every function of the driver does first and last, in one place.
#pragma once

#include "machine.h"

#define API extern "C" __attribute__((visibility("default")))

namespace unroll {
namespace cudasim {

// Ends a call with an error; says why on stderr unless that is empty.
struct Refusal {
  Result result;
  std::string why;
};
[[noreturn]] __attribute__((format(printf, 2, 3))) void refuse(Result result, const char *format, ...);

enum class Needs { NOTHING, INITIALIZATION, CONTEXT };

struct Call {
  const char *name;
  Lock lock;
  Context *context;  // the current one; not null if it is needed
};

Call enter(const char *name, Needs needs);
int end(const char *name, const Refusal &refusal);

template <class Body>
int call(const char *name, Needs needs, Body body) {
  try {
    Call made = enter(name, needs);
    body(made);
    return SUCCESS;
  } catch (const Refusal &refusal) {
    return end(name, refusal);
  }
}

// The contexts of this thread, the current one last.
std::vector<Context *> &contextStack();

// The object of a handle that a program gave.
template <class T>
T &checked(T *handle, const char *what) {
  if (handle == nullptr || machine().handles.count(handle) == 0) {
    refuse(INVALID_HANDLE, "%p is no %s, or has been destroyed", static_cast<const void *>(handle), what);
  }
  return *handle;
}
// 0 and 1 are the legacy stream.
Stream &checkedStream(Call &call, Stream *handle);
template <class T>
T *checkedPointer(T *pointer, const char *what) {
  if (pointer == nullptr) refuse(INVALID_VALUE, "%s is null", what);
  return pointer;
}
void checkDevice(Address address, size_t bytes);

// Queues the work, or writes it down if the stream is captured; gives null then.
SignalPointer submit(Stream &stream, Work work);

// For what may not be done while a stream captures.
void notWhileCapturing(Call &call);
// Waits for the work and gives its error, or that of a guard.
void finish(Call &call, const SignalPointer &signal);
void finishAll(Call &call);

}  // namespace cudasim
}  // namespace unroll
