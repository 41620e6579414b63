// The driver as a program sees it, and what the tests need around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "../../cpu/test/check.h"

extern "C" {
int cuInit(unsigned flags);
int cuDeviceGetName(char *name, int length, int device);
int cuDeviceGetAttribute(int *value, int attribute, int device);
int cuDevicePrimaryCtxRetain(void **context, int device);
int cuDevicePrimaryCtxRelease_v2(int device);
int cuCtxSetCurrent(void *context);
int cuCtxGetCurrent(void **context);
int cuCtxSynchronize();
int cuModuleLoadData(void **module, const void *image);
int cuModuleUnload(void *module);
int cuModuleGetFunction(void **function, void *module, const char *name);
int cuFuncSetAttribute(void *function, int attribute, int value);
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *function, int threads, size_t bytes);
int cuMemAlloc_v2(uint64_t *address, size_t bytes);
int cuMemFree_v2(uint64_t address);
int cuMemGetInfo_v2(size_t *free, size_t *total);
int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags);
int cuMemFreeHost(void *memory);
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes);
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes);
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream);
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream);
int cuMemsetD32_v2(uint64_t to, unsigned value, size_t count);
int cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void *stream);
int cuStreamCreate(void **stream, unsigned flags);
int cuStreamDestroy_v2(void *stream);
int cuStreamSynchronize(void *stream);
int cuStreamQuery(void *stream);
int cuStreamWaitEvent(void *stream, void *event, unsigned flags);
int cuStreamBeginCapture_v2(void *stream, int mode);
int cuStreamEndCapture(void *stream, void **graph);
int cuStreamIsCapturing(void *stream, int *status);
int cuEventCreate(void **event, unsigned flags);
int cuEventRecord(void *event, void *stream);
int cuEventQuery(void *event);
int cuEventSynchronize(void *event);
int cuEventElapsedTime(float *milliseconds, void *start, void *stop);
int cuEventDestroy_v2(void *event);
int cuGraphCreate(void **graph, unsigned flags);
int cuGraphAddKernelNode_v2(void **node, void *graph, void **after, size_t count, const void *parameters);
int cuGraphAddMemcpyNode(void **node, void *graph, void **after, size_t count, const void *parameters, void *context);
int cuGraphAddChildGraphNode(void **node, void *graph, void **after, size_t count, void *child);
int cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long flags);
int cuGraphGetNodes(void *graph, void **nodes, size_t *count);
int cuGraphKernelNodeGetParams_v2(void *node, void *parameters);
int cuGraphExecKernelNodeSetParams_v2(void *exec, void *node, const void *parameters);
int cuGraphExecMemcpyNodeSetParams(void *exec, void *node, const void *parameters, void *context);
int cuGraphLaunch(void *exec, void *stream);
int cuGraphExecDestroy(void *exec);
int cuGraphDestroy(void *graph);
int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, void *stream, void **parameters, void **extra);
int cuLaunchCooperativeKernel(void *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                              unsigned blockY, unsigned blockZ, unsigned sharedBytes, void *stream, void **parameters);
int cuLaunchHostFunc(void *stream, void (*function)(void *), void *data);
int cuGetErrorName(int error, const char **name);
int cuArrayDestroy(void *array);
}

namespace unroll {
namespace test {

const unsigned GROUP = 256;

// Under ThreadSanitizer a lane costs a hundred times as much, so that fewer sizes are tried.
#if defined(UNROLL_CUDASIM_TSAN)
const bool QUICK = true;
#else
const bool QUICK = false;
#endif

// Fails unless a call gave what was wanted.
void expect(const char *call, int result, int wanted = 0);
#define CALL(call) expect(#call, call)
#define CALL_GIVES(wanted, call) expect(#call, call, wanted)

// Begins with a new context on this thread, and ends it: a test may leave behind what it likes.
class Session {
 public:
  Session();
  ~Session();
};

// A function of a module, loaded once in a session.
void *function(const std::string &module, const char *name);

struct Launch {
  unsigned groups;
  unsigned sharedBytes = 0;
  bool cooperative = false;
  void *stream = nullptr;
  unsigned lanes = GROUP;
};

// What function gave takes so many parameters of these sizes; the driver does not ask.
void checkParameters(void *function, const std::vector<size_t> &sizes);
int launchWith(void *function, const Launch &launch, std::vector<void *> parameters);

// Queues a kernel; gives the driver's answer.
template <class... A>
int launch(void *function, const Launch &launch, A... arguments) {
  checkParameters(function, {sizeof(A)...});
  return launchWith(function, launch, {static_cast<void *>(&arguments)...});
}

// An array on the device.
template <class T>
class Device {
 public:
  Device(size_t count, T value) : Device(std::vector<T>(count, value)) {}
  explicit Device(const std::vector<T> &values) : count(values.size()) {
    if (count == 0) return;
    CALL(cuMemAlloc_v2(&address, count * sizeof(T)));
    CALL(cuMemcpyHtoD_v2(address, values.data(), count * sizeof(T)));
  }
  ~Device() {
    if (address != 0) cuMemFree_v2(address);
  }
  Device(const Device &) = delete;

  // Null if the array is empty.
  T *at(size_t i = 0) const { return reinterpret_cast<T *>(address) + (address == 0 ? 0 : i); }
  std::vector<T> read() const {
    std::vector<T> values(count);
    if (count > 0) CALL(cuMemcpyDtoH_v2(values.data(), address, count * sizeof(T)));
    return values;
  }

 private:
  uint64_t address = 0;
  size_t count;
};

// compareAll of what a device has.
void compareDevice(const char *what, const Device<float> &found, const std::vector<double> &exact,
                   const std::vector<float> &plain, double slack = 0);

void testExchange();
void testReports();
void testDriver();
void testGraphs();
void testElements();
void testReductions();
void testCtc();
void testGemm();
void testRecurrences();
void testFaults();
void testHandoffs();

// Runs the kernel with that planted fault once; gives whether its results are right.
bool runsRight(int fault);
bool ringRunsRight(const char *module);

}  // namespace test
}  // namespace unroll
