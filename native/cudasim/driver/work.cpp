// What streams do: launches, copies, fills.
#include <cstring>

#include "machine.h"

namespace unroll {
namespace cudasim {

namespace {

Result resultOf(Failure failure) {
  switch (failure) {
    case Failure::NONE:
      return SUCCESS;
    case Failure::TIMEOUT:
      return LAUNCH_TIMEOUT;
    case Failure::OVERRUN:
      return ILLEGAL_ADDRESS;
    default:
      return LAUNCH_FAILED;
  }
}

// A pointer that points to nothing of the device would end the process.
Result launch(const Work &work, std::string &report) {
  const Entry &entry = *work.function->entry;
  std::vector<void *> arguments;
  {
    Lock lock(machine().mutex);
    Result planned = plannedFailure("kernel");
    if (planned != SUCCESS) {
      report = std::string("kernel ") + entry.name + " fails as UNROLL_CUDASIM_FAIL says";
      return planned;
    }
    for (int i = 0; i < entry.count; i++) {
      const uint64_t &value = work.arguments[static_cast<size_t>(i)];
      arguments.push_back(const_cast<uint64_t *>(&value));
      if (!entry.parameters[i].pointer || value == 0 || isDevice(value, 0) || isPinned(value, 0)) continue;
      char line[200];
      std::snprintf(line, sizeof line,
                    "kernel %s of module %s: its parameter %d, 0x%llx, points to no memory of the device", entry.name,
                    entry.module->key, i, static_cast<unsigned long long>(value));
      report = line;
      return ILLEGAL_ADDRESS;
    }
  }
  Outcome outcome = run({&entry, work.grid, work.block, work.dynamicBytes, work.cooperative, arguments.data()});
  report = outcome.report;
  return resultOf(outcome.failure);
}

void copy(const Work &work) {
  const void *from = work.staged.empty() ? reinterpret_cast<const void *>(work.from) : work.staged.data();
  std::memmove(reinterpret_cast<void *>(work.to), from, work.bytes);
}

void set(const Work &work) {
  auto *to = reinterpret_cast<char *>(work.to);
  for (size_t i = 0; i < work.bytes; i += static_cast<size_t>(work.unit)) {
    std::memcpy(to + i, &work.value, static_cast<size_t>(work.unit));
  }
}

}  // namespace

Result carryOut(Context &context, const Work &work, std::string &report) {
  Result result = SUCCESS;
  switch (work.kind) {
    case Work::KERNEL:
      return launch(work, report);
    case Work::COPY:
      copy(work);
      break;
    case Work::SET:
      set(work);
      break;
    case Work::HOST:
      work.host(work.data);
      break;
    case Work::GRAPH:
      for (size_t i = 0; i < work.parts->size() && result == SUCCESS; i++) {
        result = carryOut(context, (*work.parts)[i], report);
      }
      break;
    case Work::EMPTY:
      break;
  }
  return result;
}

}  // namespace cudasim
}  // namespace unroll
