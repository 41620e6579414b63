#include "call.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace unroll {
namespace cudasim {

namespace {

// UNROLL_CUDASIM_FAIL=cuLaunchKernel:7:719,...: the seventh call of that function gives 719. Of kernel it is the seventh
// kernel that runs, by whatever call.
struct Plan {
  std::string name;
  long left;
  int result;
};

std::vector<Plan> readPlans() {
  std::vector<Plan> plans;
  const char *text = std::getenv("UNROLL_CUDASIM_FAIL");
  while (text != nullptr && *text != 0) {
    char name[80];
    long left;
    int result, length = 0;
    if (std::sscanf(text, "%79[^:]:%ld:%d%n", name, &left, &result, &length) != 3 || left < 1 ||
        (text[length] != 0 && text[length] != ',')) {
      std::fprintf(stderr, "cudasim: UNROLL_CUDASIM_FAIL must be FUNCTION:NUMBER:RESULT,..., not \"%s\"\n", text);
      std::exit(2);
    }
    plans.push_back({name, left, result});
    text += length + (text[length] == ',' ? 1 : 0);
  }
  return plans;
}

std::string withoutVersion(const char *name) {
  size_t length = std::strlen(name);
  bool versioned = length > 3 && name[length - 3] == '_' && name[length - 2] == 'v';
  return std::string(name, versioned ? length - 3 : length);
}

void failAsPlanned(const char *name, Context *context) {
  Result result = plannedFailure(name);
  if (result == SUCCESS) return;
  if (context != nullptr && isSticky(result)) context->error = result;
  refuse(result, "fails as UNROLL_CUDASIM_FAIL says");
}

}  // namespace

Result plannedFailure(const char *name) {
  static std::vector<Plan> plans = readPlans();
  if (plans.empty()) return SUCCESS;
  std::string plain = withoutVersion(name);
  for (Plan &plan : plans) {
    if (plan.name == plain && --plan.left == 0) return static_cast<Result>(plan.result);
  }
  return SUCCESS;
}

Machine &machine() {
  static auto *all = new Machine;
  return *all;
}

std::vector<Context *> &contextStack() {
  thread_local std::vector<Context *> stack;
  return stack;
}

void refuse(Result result, const char *format, ...) {
  char text[400];
  va_list rest;
  va_start(rest, format);
  std::vsnprintf(text, sizeof text, format, rest);
  va_end(rest);
  throw Refusal{result, text};
}

int end(const char *name, const Refusal &refusal) {
  if (!refusal.why.empty()) {
    const char *result = nameOf(refusal.result);
    std::fprintf(stderr, "cudasim: %s: %s (%s)\n", name, refusal.why.c_str(),
                 result == nullptr ? std::to_string(refusal.result).c_str() : result);
  }
  return refusal.result;
}

Call enter(const char *name, Needs needs) {
  Call call{name, Lock(machine().mutex), contextStack().empty() ? nullptr : contextStack().back()};
  failAsPlanned(name, call.context);
  if (needs != Needs::NOTHING && !machine().initialized) refuse(NOT_INITIALIZED, "cuInit was not called");
  if (needs != Needs::CONTEXT) return call;
  if (call.context == nullptr) refuse(INVALID_CONTEXT, "no context is current on this thread");
  if (call.context->destroyed) refuse(CONTEXT_IS_DESTROYED, "the current context was destroyed");
  if (call.context->error != SUCCESS) throw Refusal{call.context->error, ""};
  return call;
}

Stream &checkedStream(Call &call, Stream *handle) {
  if (handle == nullptr || handle == reinterpret_cast<Stream *>(1)) {
    if (call.context->legacy == nullptr) call.context->legacy = openStream(*call.context, true);
    for (Capture *capture : machine().captures) {
      if (!capture->origin->blocking) continue;
      capture->invalid = true;
      refuse(STREAM_CAPTURE_IMPLICIT, "the legacy stream is used while a stream that waits for it is captured");
    }
    return *call.context->legacy;
  }
  if (handle == reinterpret_cast<Stream *>(2)) refuse(NOT_SUPPORTED, "there is no stream of each thread here");
  return checked(handle, "stream");
}

void checkDevice(Address address, size_t bytes) {
  if (isDevice(address, bytes)) return;
  auto above = machine().allocations.upper_bound(address);
  if (above != machine().allocations.begin()) {
    auto under = std::prev(above);
    if (address < under->first + under->second.bytes) {
      refuse(INVALID_VALUE, "%zu bytes from byte %llu on run past the end of an allocation of %zu", bytes,
             static_cast<unsigned long long>(address - under->first), under->second.bytes);
    }
  }
  refuse(INVALID_VALUE, "0x%llx is in no allocation of the device", static_cast<unsigned long long>(address));
}

SignalPointer submit(Stream &stream, Work work) {
  if (stream.capture == nullptr) return enqueue(stream, std::move(work));
  if (stream.capture->invalid) refuse(STREAM_CAPTURE_INVALIDATED, "the capture has failed before");
  stream.tips = {stream.capture->graph->add(std::move(work), stream.tips)};
  return nullptr;
}

void notWhileCapturing(Call &call) {
  for (Capture *capture : machine().captures) {
    bool heeds = capture->mode == 0 || (capture->mode == 1 && capture->thread == std::this_thread::get_id());
    if (!heeds) continue;
    capture->invalid = true;
    refuse(STREAM_CAPTURE_UNSUPPORTED, "%s may not be called while a stream is captured", call.name);
  }
}

namespace {

void checkError(Call &call) {
  if (call.context->error == SUCCESS) {
    std::string broken = brokenGuards();
    if (broken.empty()) return;
    call.context->error = ILLEGAL_ADDRESS;
    refuse(ILLEGAL_ADDRESS, "%s", broken.c_str());
  }
  throw Refusal{call.context->error, ""};
}

}  // namespace

void finish(Call &call, const SignalPointer &signal) {
  waitFor(call.lock, signal);
  checkError(call);
}

void finishAll(Call &call) {
  waitForAll(call.lock, *call.context);
  checkError(call);
}

}  // namespace cudasim
}  // namespace unroll
