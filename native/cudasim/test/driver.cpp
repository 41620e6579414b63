#include "driver.h"

#include <cstdlib>
#include <map>

#include "../runtime/modules.h"

namespace unroll {
namespace test {

void expect(const char *call, int result, int wanted) {
  if (result != wanted) fail("%s gives %d, not %d", call, result, wanted);
}

namespace {

std::map<std::string, void *> &modules() {
  static std::map<std::string, void *> all;
  return all;
}

std::map<void *, const cudasim::Entry *> &entries() {
  static std::map<void *, const cudasim::Entry *> all;
  return all;
}

}  // namespace

// Goes no further if they do not match, as the driver would read what is not there.
void checkParameters(void *function, const std::vector<size_t> &sizes) {
  const cudasim::Entry *entry = entries()[function];
  bool same = entry != nullptr && static_cast<size_t>(entry->count) == sizes.size();
  for (size_t i = 0; same && i < sizes.size(); i++) same = entry->parameters[i].bytes == sizes[i];
  if (same) return;
  fail("%s does not take these %zu parameters", entry == nullptr ? "nothing" : entry->name, sizes.size());
  std::exit(1);
}

Session::Session() {
  void *context;
  CALL(cuInit(0));
  CALL(cuDevicePrimaryCtxRetain(&context, 0));
  CALL(cuCtxSetCurrent(context));
}

Session::~Session() {
  modules().clear();
  cuCtxSetCurrent(nullptr);
  CALL(cuDevicePrimaryCtxRelease_v2(0));
}

void *function(const std::string &module, const char *name) {
  void *&loaded = modules()[module];
  if (loaded == nullptr) {
    std::string image = "UNROLL_CUDASIM " + module + "\n";
    CALL(cuModuleLoadData(&loaded, image.c_str()));
  }
  void *found = nullptr;
  CALL(cuModuleGetFunction(&found, loaded, name));
  entries()[found] = cudasim::findEntry(*cudasim::findModule(module), name);
  return found;
}

int launchWith(void *function, const Launch &launch, std::vector<void *> parameters) {
  if (launch.cooperative) {
    return cuLaunchCooperativeKernel(function, launch.groups, 1, 1, launch.lanes, 1, 1, launch.sharedBytes,
                                     launch.stream, parameters.data());
  }
  return cuLaunchKernel(function, launch.groups, 1, 1, launch.lanes, 1, 1, launch.sharedBytes, launch.stream,
                        parameters.data(), nullptr);
}

void compareDevice(const char *what, const Device<float> &found, const std::vector<double> &exact,
                   const std::vector<float> &plain, double slack) {
  Floats values(found.read());
  compareAll(what, values, exact, plain, slack);
}

}  // namespace test
}  // namespace unroll
