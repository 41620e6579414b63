#include "driver.h"

#include <map>

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

}  // namespace

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
                   const std::vector<float> &plain) {
  Floats values(found.read());
  compareAll(what, values, exact, plain);
}

}  // namespace test
}  // namespace unroll
